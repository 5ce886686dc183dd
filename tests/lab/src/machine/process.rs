//! Processes by id, made safe against reuse: a process is its id and the moment it was born.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::wait::until_true;

/// A process, never confused with a later one that has its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Clock ticks between boot and birth, field 22 of `/proc/PID/stat`.
    pub birth: u64,
}

impl Process {
    /// The living process with this id.
    pub fn of(pid: i32) -> Option<Self> {
        let fields = stat(pid)?;
        // A zombie has ended; only its parent has not looked yet.
        if ended(pid) {
            return None;
        }
        Some(Self { pid, birth: fields.get(19)?.parse().ok()? })
    }

    /// A child that was just started, even if it has ended by now: it is not reaped yet, so its id
    /// is still its own.
    pub fn of_child(child: &Child) -> Result<Self> {
        let pid = i32::try_from(child.id())?;
        let birth = stat(pid).and_then(|fields| fields.get(19)?.parse().ok());
        Ok(Self { pid, birth: birth.with_context(|| format!("process {pid} is not in /proc"))? })
    }

    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// Sends a signal, unless the process is gone.
    pub fn signal(&self, signal: Signal) {
        if self.alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Kills all of its process group, which it must lead, and waits until none is left.
    ///
    /// What a tracer traced outlives it by a moment, and still holds its locks.
    pub fn kill_group(&self) -> Result<()> {
        let group = Pid::from_raw(self.pid);
        let gone = || killpg(group, Signal::SIGKILL).is_err() || !group_alive(self.pid);
        until_true(&format!("process group {} ends", self.pid), Duration::from_secs(10), gone)
    }

    /// Waits for its end.
    pub fn wait_gone(&self, deadline: Duration) -> Result<()> {
        until_true(&format!("process {} ends", self.pid), deadline, || !self.alive())
    }

    /// Its children, as of now.
    pub fn children(&self) -> Vec<Self> {
        let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
        all.flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| stat(*pid).is_some_and(|fields| fields.get(1).is_some_and(|p| *p == self.pid.to_string())))
            .filter_map(Self::of)
            .collect()
    }

    /// Resident memory in kB.
    pub fn resident_kb(&self) -> u64 {
        self.status("VmRSS:").and_then(|value| value.trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
    }

    /// Its memory in kB; of memory that it shares with others only its part (PSS).
    pub fn share_kb(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let share = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        share.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }

    /// How long it has been on a processor; its first thread, which is all of a PostgreSQL process.
    pub fn busy(&self) -> Duration {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.pid)).unwrap_or_default();
        Duration::from_nanos(text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
    }

    /// Who traces it, if anybody does.
    pub fn tracer(&self) -> Option<Self> {
        Self::of(self.status("TracerPid:")?.parse().ok().filter(|pid| *pid != 0)?)
    }

    fn status(&self, field: &str) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        status.lines().find_map(|line| line.strip_prefix(field)).map(|value| value.trim().to_owned())
    }

    /// How many file handles it holds.
    pub fn handles(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).map_or(0, Iterator::count)
    }

    /// Writes the id and the birth, for a later `read`.
    pub fn write(&self, file: &Path) -> Result<()> {
        Ok(fs::write(file, format!("{} {}\n", self.pid, self.birth))?)
    }

    /// The process a pid file names, if that very process still runs.
    pub fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut words = text.split_whitespace();
        let named = Self { pid: words.next()?.parse().ok()?, birth: words.next()?.parse().ok()? };
        named.alive().then_some(named)
    }
}

/// Whether any process of this group still runs.
fn group_alive(group: i32) -> bool {
    let Ok(all) = fs::read_dir("/proc") else { return false };
    all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).any(|pid| {
        stat(pid).is_some_and(|fields| fields.get(2).is_some_and(|found| *found == group.to_string())) && !ended(pid)
    })
}

/// Whether it is a zombie to its last thread. The first thread of a killed process is often one
/// before the others are, and those still hold its files and locks.
fn ended(pid: i32) -> bool {
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    stat(pid).is_none_or(|fields| fields.first().is_some_and(|state| state == "Z")) && threads() <= 1
}

/// The fields of `/proc/PID/stat` after the name, which may itself hold spaces and brackets.
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
