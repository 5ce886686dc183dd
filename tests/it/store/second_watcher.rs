//! One watcher for a spool, and an orderly end.

use std::fs;

use tpv_lab::store::Receipts;
use tpv_lab::store::Rig;
use tpv_lab::store::Watcher;

use crate::support::{SOON, nothing_is_lost};

#[test]
fn a_second_watcher_on_the_same_spool_refuses_to_start() {
    let rig = Rig::running().unwrap();
    let mut options = rig.watcher_options(&[]);
    options.log = rig.cluster.folder.join("second.log");
    let mut second = Watcher::spawn(&rig.lab, &options).unwrap();
    let status = second.wait(SOON).unwrap();
    assert!(!status.success());
    assert!(fs::read_to_string(&options.log).unwrap().contains("another watcher"));
    let input = Receipts::new(1).good("T01");
    rig.spool.drop_file(&input).unwrap();
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
}

#[test]
fn sigterm_ends_it_in_order_and_the_next_one_goes_on() {
    let mut rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(2);
    let mut inputs: Vec<_> = (0..300).map(|turn| receipts.good(&tpv_lab::store::terminal(turn))).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    assert!(rig.watcher().unwrap().stop().unwrap().success());
    assert_eq!(rig.spool.files("stage").iter().filter(|path| !path.ends_with(".probe")).count(), 0);
    inputs.push(receipts.good("T01"));
    rig.spool.drop_file(&inputs[300]).unwrap();
    rig.start_watcher(&[]).unwrap();
    nothing_is_lost(&rig, &inputs);
}
