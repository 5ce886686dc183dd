//! One terminal's trouble is not the others'.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use tpv_lab::bench::catchup;
use tpv_lab::store;
use tpv_lab::store::Rig;
use tpv_lab::store::{Oddity, Receipts};

use crate::support::{SOON, nothing_is_lost};

#[test]
fn a_flood_on_one_terminal_does_not_stop_the_others() {
    let mut rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(1);
    let mut inputs: Vec<_> = (0..6000).map(|_| receipts.good("T01")).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    rig.start_watcher(&[]).unwrap();
    let others: Vec<_> = (1..store::TERMINALS).map(|index| receipts.good(&store::terminal(index))).collect();
    for input in &others {
        rig.spool.drop_file(input).unwrap();
    }
    for input in &others {
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    }
    let left = fs::read_dir(rig.spool.inbox("T01")).unwrap().count();
    assert!(left > 0, "the others were served only when the flood was over");
    inputs.extend(others);
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn a_terminal_that_sends_only_rubbish_does_not_stop_the_others() {
    let mut rig = Rig::idle().unwrap();
    rig.start_watcher(&["--grace-ms", "300"]).unwrap();
    let mut receipts = Receipts::new(2);
    let mut inputs = Vec::new();
    for turn in 0..200 {
        let oddity = [Oddity::Truncated, Oddity::CodePage, Oddity::KeyTwice, Oddity::BadNumber][turn % 4];
        inputs.push(receipts.odd(oddity, "T01"));
    }
    inputs.extend((1..store::TERMINALS).map(|index| receipts.good(&store::terminal(index))));
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    for input in &inputs[200..] {
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    }
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn an_inbox_that_is_a_dangling_link_does_not_stop_the_others() {
    let rig = Rig::running().unwrap();
    symlink("/nowhere/at/all", rig.spool.root.join("in/T77")).unwrap();
    let input = Receipts::new(3).good("T06");
    rig.spool.drop_file(&input).unwrap();
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    nothing_is_lost(&rig, &[input]);
}

#[test]
fn a_flood_costs_the_others_less_than_as_long_again_and_the_watcher_neither_memory_nor_handles() {
    // Of each hundred receipts the slowest is looked at, and other tests run beside this one: one
    // good run of three will do.
    let floods = (0..3).map(|_| {
        let flood = catchup::measure(&mut Rig::running().unwrap(), 5_000, Duration::from_secs(10)).unwrap();
        eprintln!("{flood:?}");
        flood
    });
    let is_fair = |flood: &catchup::Flood| flood.others_p99_ms.1 < 2.0 * flood.others_p99_ms.0;
    let flood = floods.into_iter().find(is_fair).expect("the others waited more than twice as long, each time");
    // What a few batches hold at most; the files themselves come to far more.
    assert!(flood.memory_kb.most < flood.memory_kb.start + 16 * 1024, "{flood:?}");
    // The connections and the files in hand.
    assert!(flood.handles.most <= flood.handles.start + 24, "{flood:?}");
    assert!(flood.handles.after <= flood.handles.start + 8, "{flood:?}");
}
