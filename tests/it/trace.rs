//! strace as the hand that pulls the plug: faults at system calls of the unmodified watcher.

use tpv_tests::watcher::Plan;

/// Puts the watcher under strace with one injection, e.g. `renameat2:signal=SIGKILL:when=3`.
///
/// strace counts calls per thread, so `when=3` is the third call of whichever thread comes to it first.
pub fn inject(mut plan: Plan, injection: &str) -> Plan {
    // strace injects only into what it traces; the filter in the kernel lets all other calls pass at full speed.
    let calls = injection.split(':').next().unwrap_or_default();
    let strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e"].map(str::to_owned);
    plan.tracer = strace.into_iter().collect();
    plan.tracer.extend([format!("trace={calls}"), "-e".to_owned(), format!("inject={injection}")]);
    plan
}
