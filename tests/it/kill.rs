//! The watcher is killed at every system call that matters, started again, and must neither lose nor repeat.

use tpv_tests::receipts::{Input, Oddity, Receipts};
use tpv_tests::rig::Rig;
use tpv_tests::until::until_true;
use tpv_tests::watcher::Watcher;

use crate::{SOON, nothing_is_lost, trace};

/// Kills at the first to the `rounds`-th call, `step` apart, with fresh files each time.
fn killed_at(call: &str, rounds: usize, step: usize) {
    let mut rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(1);
    let (mut inputs, mut killed) = (Vec::new(), 0);
    for round in 0..rounds {
        inputs.extend(drop_some(&rig, &mut receipts));
        let plan = trace::inject(
            rig.plan(&["--grace-ms", "200"]),
            &format!("{call}:signal=SIGKILL:when={}", 1 + round * step),
        );
        let mut watcher = Watcher::spawn(&rig.lab, &plan).unwrap();
        // It dies, or has done everything with fewer calls.
        until_true("it is killed or done", SOON, || watcher.ended().is_some() || rig.spool.waiting() == 0).unwrap();
        // A kill may still come with the last rename; what counts is that some did.
        killed += usize::from(watcher.ended().is_some());
        drop(watcher);

        rig.start_watcher(&["--grace-ms", "200"]).unwrap();
        nothing_is_lost(&rig, &inputs);
        rig.watcher = None;
    }
    assert!(killed > 0, "no call of {call} was ever reached, so nothing was tested");
}

/// Three terminals: good ones, a repeat, a truncated one, a held one.
fn drop_some(rig: &Rig, receipts: &mut Receipts) -> Vec<Input> {
    let mut inputs = Vec::new();
    for terminal in ["T01", "T02", "T07"] {
        inputs.extend([receipts.good(terminal), receipts.good(terminal), receipts.good(terminal)]);
    }
    inputs.push(receipts.odd(Oddity::Repeat, "T01"));
    inputs.push(receipts.odd(Oddity::Truncated, "T02"));
    inputs.push(receipts.odd(Oddity::TotalOff, "T07"));
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    inputs
}

#[test]
fn killed_at_any_rename_it_neither_loses_nor_repeats() {
    killed_at("renameat2,rename,renameat", 8, 1);
}

#[test]
fn killed_at_any_fsync_it_neither_loses_nor_repeats() {
    killed_at("fsync,fdatasync", 10, 1);
}

#[test]
fn killed_at_any_message_to_the_database_it_neither_loses_nor_repeats() {
    killed_at("sendto,sendmsg", 8, 1);
}

#[test]
fn killed_at_any_answer_of_the_database_it_neither_loses_nor_repeats() {
    killed_at("recvfrom,recvmsg", 10, 2);
}

#[test]
fn killed_while_it_opens_files_it_neither_loses_nor_repeats() {
    killed_at("openat", 10, 5);
}

#[test]
fn killed_while_it_writes_it_neither_loses_nor_repeats() {
    killed_at("write,writev,pwrite64", 8, 1);
}

#[test]
fn killed_while_it_closes_files_it_neither_loses_nor_repeats() {
    killed_at("close", 8, 5);
}

#[test]
fn killed_while_it_takes_leases_it_neither_loses_nor_repeats() {
    killed_at("fcntl", 6, 3);
}
