//! The database goes away in every way it can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tpv_lab::cluster::Proxy;
use tpv_lab::measure::Stopwatch;
use tpv_lab::store;
use tpv_lab::store::Rig;
use tpv_lab::store::Watcher;
use tpv_lab::store::terminals::{self, Dropped, Pace};
use tpv_lab::store::{Input, Oddity, Receipts};
use tpv_lab::wait::stop_at_the_latest;
use tpv_lab::wait::until_true;

use crate::support::{SOON, nothing_is_lost};

/// Twenty terminals with an odd file now and then.
const PACE: Pace = Pace { rate: 40.0, odd_every: 10, from: 0, to: store::TERMINALS };

/// A receipt that comes when the fault is over waits no longer than a customer notices, whatever
/// waits beside it. The aim is half a second, and what is printed is mostly 15 to 400 ms; tests
/// that run beside this one, on a slow machine, get the rest.
const SERVED_AFTER: Duration = Duration::from_secs(10);

/// Runs terminals at 40/s around a fault, then wants a new receipt served and everything accounted
/// for.
fn through(fault: impl FnOnce(&mut Rig)) {
    through_with(|rig| {
        fault(rig);
        Vec::new()
    });
}

/// The same for a fault that drops files of its own, and tells which.
fn through_with(fault: impl FnOnce(&mut Rig) -> Vec<Input>) {
    let mut rig = Rig::running().unwrap();
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out")).unwrap();
    let (dropped, stop) = (Dropped::new(5), AtomicBool::new(false));
    let spool = rig.spool.clone();
    let (mut served_after, mut more) = (Duration::ZERO, Vec::new());
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        let work = scope.spawn(|| terminals::run(&spool, &stopwatch, &dropped, PACE, Duration::from_secs(120), &stop));
        until_true("receipts flow", SOON, || stopwatch.last().0 > 20).unwrap();
        more = fault(&mut rig);
        let fresh = dropped.deal("T03", 0);
        let ended = Instant::now();
        spool.drop_file(&fresh).unwrap();
        spool.wait_dat(&fresh.dat_name(), SOON).unwrap();
        let took = ended.elapsed();
        eprintln!("a new receipt was served {} ms after the fault ended", took.as_millis());
        served_after = took;
        stop.store(true, Ordering::Relaxed);
        work.join().unwrap().unwrap();
    });
    let inputs = [dropped.inputs(), more].concat();
    nothing_is_lost(&rig, &inputs);
    assert!(served_after < SERVED_AFTER, "a new receipt was served only {} ms after", served_after.as_millis());
}

/// Waits until this many files wait for a database that does not answer.
fn files_wait(rig: &Rig) {
    until_true("files wait in the inboxes", SOON, || rig.spool.waiting() > 60).unwrap();
}

#[test]
fn a_stopped_database_holds_files_back_and_loses_none() {
    through(|rig| {
        rig.cluster.stop().unwrap();
        files_wait(rig);
        rig.cluster.start().unwrap();
    });
}

#[test]
fn a_frozen_database_holds_files_back_and_loses_none() {
    through(|rig| {
        rig.cluster.freeze();
        files_wait(rig);
        rig.cluster.thaw();
    });
}

#[test]
fn a_database_that_is_frozen_for_ten_seconds_loses_none() {
    through(|rig| {
        rig.cluster.freeze();
        let begin = Instant::now();
        // Longer than the watcher gives a transaction, so that those in flight are given up as
        // well.
        until_true("ten seconds pass", SOON, || begin.elapsed() > Duration::from_secs(11)).unwrap();
        rig.cluster.thaw();
    });
}

#[test]
fn a_database_killed_in_a_flood_recovers_and_loses_none() {
    through_with(|rig| {
        let mut receipts = Receipts::new(6);
        let inputs: Vec<_> = (0..3000).map(|_| receipts.good("T20")).collect();
        for input in &inputs {
            rig.spool.drop_file(input).unwrap();
        }
        until_true("the flood is being worked off", SOON, || rig.spool.dat(&inputs[200].dat_name()).is_some()).unwrap();
        rig.cluster.kill().unwrap();
        rig.cluster.start().unwrap();
        inputs
    });
}

#[test]
fn a_killed_database_recovers_under_load_and_loses_none() {
    through(|rig| {
        rig.cluster.kill().unwrap();
        rig.cluster.start().unwrap();
    });
}

#[test]
fn connections_that_an_administrator_ends_cost_nothing() {
    through(|rig| {
        let mut dba = rig.dba().unwrap();
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tpv_watcher'";
        for _ in 0..10 {
            dba.execute(end, &[]).unwrap();
        }
    });
}

#[test]
fn an_answer_that_is_lost_on_the_way_is_asked_for_again() {
    let mut rig = Rig::idle().unwrap();
    let proxy =
        Proxy::start(&rig.lab.sockets.join(format!("{}-proxy", rig.cluster.node)), &rig.cluster.socket()).unwrap();
    let mut options = rig.watcher_options(&[]);
    options.database_url = proxy.url("tpv_watcher");
    rig.watcher = Some(Watcher::start(&rig.lab, &options).unwrap());
    let (mut receipts, mut inputs) = (Receipts::new(9), Vec::new());
    // From the first byte of the answer to past its end: begin, the rows, the commit.
    for bytes in (1..2400).step_by(240) {
        let batch: Vec<_> = (0..4).map(|_| receipts.good("T05")).collect();
        proxy.cut_after(bytes);
        for input in &batch {
            rig.spool.drop_file(input).unwrap();
        }
        for input in &batch {
            rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
        }
        inputs.extend(batch);
        proxy.cut();
    }
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn quarantine_works_while_the_database_is_down_and_is_recorded_afterwards() {
    let mut rig = Rig::idle().unwrap();
    rig.start_watcher(&["--grace-ms", "200"]).unwrap();
    rig.cluster.stop().unwrap();
    let bad = Receipts::new(3).odd(Oddity::Empty, "T04");
    rig.spool.drop_file(&bad).unwrap();
    until_true("its reason is there", SOON, || rig.spool.reason(&bad.name).is_some()).unwrap();
    rig.cluster.start().unwrap();
    let mut dba = rig.dba().unwrap();
    let recorded = "select from sales.rejected where file_name = $1";
    until_true("it is recorded", SOON * 4, || dba.query(recorded, &[&bad.name]).is_ok_and(|rows| rows.len() == 1))
        .unwrap();
    nothing_is_lost(&rig, &[bad]);
}
