//! The real watcher as a process.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::http;
use crate::machine::{Lab, Process, guard, log_tail};
use crate::wait::until;

/// A watcher under strace, on a loaded machine, gets this long to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a watcher.
#[derive(Clone, Debug)]
pub struct WatcherOptions {
    /// The top folder of its spool.
    pub spool: PathBuf,
    /// The database as the watcher's role.
    pub database_url: String,
    /// Arguments beside spool and address.
    pub arguments: Vec<String>,
    /// A tracer's command line to put before it.
    pub tracer: Vec<String>,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A running watcher; killed when the value goes away.
#[derive(Debug)]
pub struct Watcher {
    child: Child,
    /// Leader of its process group: the watcher, or its tracer.
    pub process: Process,
    /// What it was started with.
    pub options: WatcherOptions,
    throw_away: bool,
}

impl Watcher {
    /// Starts it and does not wait for anything.
    pub fn spawn(lab: &Lab, options: &WatcherOptions) -> Result<Self> {
        let watcher = Self::spawn_unguarded(lab, options)?;
        guard::group(watcher.process);
        Ok(watcher)
    }

    fn spawn_unguarded(lab: &Lab, options: &WatcherOptions) -> Result<Self> {
        let program = lab.program("tpv-watcher")?;
        let log = File::options().create(true).append(true).open(&options.log)?;
        let mut command = match options.tracer.split_first() {
            Some((tracer, rest)) => {
                let mut command = Command::new(tracer);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("--spool").arg(&options.spool).args(["--listen", "127.0.0.1:0"]).args(&options.arguments);
        command.env("TPV_DATABASE_URL", &options.database_url);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().context("starting tpv-watcher")?;
        let process = Process::of_child(&child)?;
        Ok(Self { child, process, options: options.clone(), throw_away: true })
    }

    /// Starts one that is to outlive this program.
    pub fn start_detached(lab: &Lab, options: &WatcherOptions) -> Result<(Process, SocketAddr)> {
        let mut watcher = Self::spawn_unguarded(lab, options)?;
        watcher.wait_ready()?;
        watcher.throw_away = false;
        Ok((watcher.process, watcher.listen().context("the watcher says no address")?))
    }

    /// Starts it and waits until it says that it serves.
    pub fn start(lab: &Lab, options: &WatcherOptions) -> Result<Self> {
        let mut watcher = Self::spawn(lab, options)?;
        watcher.wait_ready()?;
        Ok(watcher)
    }

    /// Waits until `/readyz` says yes.
    pub fn wait_ready(&mut self) -> Result<()> {
        let (options, child) = (&self.options, &mut self.child);
        let answer = until("the watcher is ready", PATIENCE, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(status));
            }
            let (status, _) = http::get(listen(&options.spool)?, "/readyz").ok()?;
            (status == 200).then_some(Ok(()))
        });
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!("the watcher ended with {status}:\n{}", log_tail(&self.options.log)),
            Err(late) => bail!("{late}:\n{}", log_tail(&self.options.log)),
        }
    }

    /// Where it answers HTTP.
    pub fn listen(&self) -> Option<SocketAddr> {
        listen(&self.options.spool)
    }

    /// One of its own processes: itself, or what runs under the tracer.
    pub fn inner(&self) -> Process {
        if self.options.tracer.is_empty() {
            return self.process;
        }
        self.process.children().first().copied().unwrap_or(self.process)
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.inner().signal(Signal::SIGTERM);
        self.wait(PATIENCE)
    }

    /// `kill -9`, also for its tracer.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill_group()?;
        self.wait(PATIENCE).map(drop)
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        until("the watcher ends", patience, || self.child.try_wait().ok().flatten())
    }

    /// Whether it ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if !self.throw_away {
            return;
        }
        let _ = self.process.kill_group();
        let _ = self.child.wait();
    }
}

/// The address in `.watcher.lock`, if the process that wrote it lives.
fn listen(spool: &Path) -> Option<SocketAddr> {
    let text = fs::read_to_string(spool.join(".watcher.lock")).ok()?;
    let lock: serde_json::Value = serde_json::from_str(&text).ok()?;
    Process::of(i32::try_from(lock.get("pid")?.as_i64()?).ok()?)?;
    lock.get("listen")?.as_str()?.parse().ok()
}
