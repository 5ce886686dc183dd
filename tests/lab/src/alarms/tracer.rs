//! strace as the hand that makes a disk slow or bad: system calls of the unmodified watcher wait or
//! fail.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::machine::{Lab, Process, guard};
use crate::store::{Watcher, WatcherOptions};
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(10);

/// Lets go of the process when it is dropped.
pub struct Tracer(Child);

impl Tracer {
    /// From now on calls of a running process are injected, e.g. `fsync:error=EIO`.
    pub fn attach(process: Process, injection: &str) -> Result<Self> {
        let mut command = Command::new("strace");
        command.args(arguments(injection)).args(["-p", &process.pid.to_string()]);
        let child =
            command.stdin(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().context("starting strace")?;
        guard::group(Process::of_child(&child)?);
        Ok(Self(child))
    }

    /// Starts a watcher whose calls are injected from the first one on. It may end before it serves.
    pub fn put_before(lab: &Lab, mut options: WatcherOptions, injection: &str) -> Result<Watcher> {
        options.tracer = ["strace"].into_iter().map(str::to_owned).chain(arguments(injection)).collect();
        Watcher::spawn(lab, &options)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Killed, it could leave threads of the watcher stopped.
        if let Ok(process) = Process::of_child(&self.0) {
            process.signal(Signal::SIGTERM);
        }
        let _ = until("strace lets go", PATIENCE, || self.0.try_wait().ok().flatten());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn arguments(injection: &str) -> Vec<String> {
    let call = injection.split(':').next().unwrap_or_default();
    let arguments = ["-f", "-qq", "-o", "/dev/null", "-e"].map(str::to_owned).into_iter();
    arguments.chain([format!("trace={call}"), "-e".to_owned(), format!("inject={injection}")]).collect()
}
