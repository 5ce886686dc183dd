//! strace as the hand that pulls the plug: faults at system calls of the unmodified watcher.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tpv_lab::store::{Watcher, WatcherOptions};
use tpv_lab::wait::until_true;

use crate::support::SOON;

/// Puts the watcher under strace with one injection, e.g. `renameat2:signal=SIGKILL:when=3`.
///
/// strace counts calls per thread, so `when=3` is the third call of whichever thread comes to it
/// first.
pub fn inject(options: WatcherOptions, injection: &str) -> WatcherOptions {
    inject_at(options, injection, &[])
}

/// The same for calls on certain paths only, be it by name or by an open file.
pub fn inject_at(mut options: WatcherOptions, injection: &str, paths: &[&Path]) -> WatcherOptions {
    // strace injects only into what it traces; the filter in the kernel lets all other calls pass
    // at full speed.
    let calls = injection.split(':').next().unwrap_or_default();
    let strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e"].map(str::to_owned);
    options.tracer = strace.into_iter().collect();
    options.tracer.extend([format!("trace={calls}"), "-e".to_owned(), format!("inject={injection}")]);
    if !paths.is_empty() {
        // strace 6.1 does not inject by path when the kernel filters for it.
        options.tracer.retain(|word| word != "--seccomp-bpf");
    }
    for path in paths {
        options.tracer.extend(["-P".to_owned(), path.display().to_string()]);
    }
    options
}

/// Errors at certain paths for as long as the tracer lives: `stop_failing` ends them, and the
/// watcher goes on.
pub fn failing_at(options: WatcherOptions, injection: &str, paths: &[PathBuf]) -> WatcherOptions {
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let mut options = inject_at(options, injection, &paths);
    // A tracer beside the watcher and not above it, so that the watcher does not end with it.
    options.tracer.insert(1, "-D".to_owned());
    options
}

/// Ends the faults of `failing_at`. Only a tracer that is killed lets go of what it traces and
/// leaves it running.
pub fn stop_failing(watcher: &Watcher) {
    let tracer = watcher.process.tracer().unwrap();
    tracer.signal(Signal::SIGKILL);
    until_true("the tracer lets go", SOON, || watcher.process.tracer().is_none()).unwrap();
}
