//! The watcher is killed at every system call that matters, started again, and must neither lose
//! nor repeat.

use tpv_lab::store::Observer;
use tpv_lab::store::Rig;
use tpv_lab::store::Watcher;
use tpv_lab::store::{Input, Oddity, Receipts};
use tpv_lab::wait::{until, until_true};

use super::trace;
use crate::support::{SOON, nothing_is_lost};

/// Kills at the first to the `rounds`-th call, `step` apart, with fresh files each time.
fn killed_at(call: &str, rounds: usize, step: usize) {
    let mut rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(1);
    let observer = Observer::start(&rig.spool.root.join("out")).unwrap();
    let (mut inputs, mut killed) = (Vec::new(), 0);
    for round in 0..rounds {
        inputs.extend(drop_some(&rig, &mut receipts));
        let options = trace::inject(
            rig.watcher_options(&["--grace-ms", "200"]),
            &format!("{call}:signal=SIGKILL:when={}", 1 + round * step),
        );
        let mut watcher = Watcher::spawn(&rig.lab, &options).unwrap();
        // It dies, or has done everything with fewer calls.
        until_true("it is killed or done", SOON, || watcher.ended().is_some() || rig.spool.waiting() == 0).unwrap();
        // A kill may still come with the last rename; what counts is that some did.
        killed += usize::from(watcher.ended().is_some());
        drop(watcher);

        rig.start_watcher(&["--grace-ms", "200"]).unwrap();
        nothing_is_lost(&rig, &inputs);
        rig.watcher = None;
    }
    whole_at_first_sight(&rig, &observer);
    assert!(killed > 0, "no call of {call} was ever reached, so nothing was tested");
}

fn whole_at_first_sight(rig: &Rig, observer: &Observer) {
    assert!(observer.count() > 0, "the observer saw nothing");
    let torn = observer.torn(&mut rig.dba().unwrap()).unwrap();
    assert!(torn.is_empty(), "{torn:#?}");
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

/// What a step of one receipt's way is done to.
#[derive(Clone, Copy, Debug)]
enum At {
    Source,
    Staged,
    Stage,
    Out,
    Inbox,
    Archive,
}

/// Every call on the way of one receipt that can be told apart by its path, in their order.
const STEPS: [(&str, At); 11] = [
    ("openat", At::Source),
    ("read", At::Source),
    ("openat", At::Staged),
    ("write", At::Staged),
    ("fsync", At::Staged),
    ("fsync", At::Stage),
    ("renameat2", At::Staged),
    ("fsync", At::Out),
    ("renameat2", At::Source),
    ("fsync", At::Archive),
    ("fsync", At::Inbox),
];

#[test]
fn killed_at_each_step_of_a_receipts_way_it_neither_loses_nor_repeats() {
    let mut rig = Rig::running().unwrap();
    let observer = Observer::start(&rig.spool.root.join("out")).unwrap();
    let mut receipts = Receipts::new(2);
    let first = receipts.good("T01");
    rig.spool.drop_file(&first).unwrap();
    // Today's folder, as the store's clock has it.
    let dat = rig.spool.wait_dat(&first.dat_name(), SOON).unwrap();
    let out = dat.parent().unwrap().to_owned();
    let day = out.file_name().unwrap().to_string_lossy().into_owned();
    let archived = || rig.spool.files("archive").into_iter().next();
    let archive = until("it is archived", SOON, archived).unwrap().parent().unwrap().to_owned();
    rig.watcher = None;

    let mut inputs = vec![first];
    for (call, at) in STEPS {
        let input = receipts.good("T01");
        rig.spool.drop_file(&input).unwrap();
        let root = &rig.spool.root;
        let path = match at {
            At::Source => rig.spool.inbox("T01").join(&input.name),
            At::Staged => root.join("stage").join(format!("{day}@{}", input.dat_name())),
            At::Stage => root.join("stage"),
            At::Out => out.clone(),
            At::Inbox => rig.spool.inbox("T01"),
            At::Archive => archive.clone(),
        };
        let options = trace::inject_at(rig.watcher_options(&[]), &format!("{call}:signal=SIGKILL:when=1"), &[&path]);
        let mut watcher = Watcher::spawn(&rig.lab, &options).unwrap();
        let ended = watcher.wait(SOON);
        assert!(ended.is_ok(), "{call} at {at:?} was never called");
        drop(watcher);
        inputs.push(input);
        rig.start_watcher(&[]).unwrap();
        nothing_is_lost(&rig, &inputs);
        rig.watcher = None;
    }
    whole_at_first_sight(&rig, &observer);
}
