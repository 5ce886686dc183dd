//! Disks that are full, and disks that fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Uid;
use tpv_lab::machine::run;
use tpv_lab::store::Rig;
use tpv_lab::store::Spool;
use tpv_lab::store::Watcher;
use tpv_lab::store::http;
use tpv_lab::store::{Input, Receipts};
use tpv_lab::wait::until_true;

use super::trace;
use crate::support::{SOON, nothing_is_lost};

fn drop_many(rig: &Rig, receipts: &mut Receipts, count: usize) -> Vec<Input> {
    let inputs: Vec<_> = (0..count).map(|turn| receipts.good(&tpv_lab::store::terminal(turn))).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    inputs
}

/// The calls fail for a while (strace counts per thread), the watcher lives on or is restarted, and
/// nothing is lost.
fn while_failing(injection: &str) {
    let mut rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(6);
    let mut inputs = drop_many(&rig, &mut receipts, 12);
    let options = trace::inject(rig.watcher_options(&[]), injection);
    let mut watcher = Watcher::spawn(&rig.lab, &options).unwrap();
    let done = |rig: &Rig| rig.spool.waiting() == 0;
    // It may recover by itself, give up so that it is restarted, or still be backing off.
    let _ = until_true("it recovers or gives up", SOON / 4, || watcher.ended().is_some() || done(&rig));
    watcher.kill().unwrap();
    drop(watcher);
    inputs.extend(drop_many(&rig, &mut receipts, 4));
    rig.start_watcher(&[]).unwrap();
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn a_write_that_finds_the_disk_full_loses_nothing() {
    while_failing("write,pwrite64:error=ENOSPC:when=1..6");
}

#[test]
fn an_fsync_that_fails_loses_nothing() {
    while_failing("fsync,fdatasync:error=EIO:when=1..4");
}

#[test]
fn a_rename_that_fails_loses_nothing() {
    while_failing("renameat2:error=EIO:when=1..5");
}

#[test]
fn a_rename_that_is_not_permitted_loses_nothing() {
    while_failing("renameat2:error=EACCES:when=2..6");
}

#[test]
fn a_full_disk_holds_files_back_and_the_watcher_goes_on_by_itself_when_there_is_room() {
    let mut rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(8);
    let mut inputs = drop_many(&rig, &mut receipts, 1);
    let dat = rig.spool.wait_dat(&inputs[0].dat_name(), SOON).unwrap();
    let day = dat.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
    until_true("it is archived", SOON, || rig.spool.waiting() == 0).unwrap();
    rig.watcher = None;
    let full = drop_many(&rig, &mut receipts, 30);
    // Without a mount, so that anybody can run it: no file of theirs, and none of the watcher's
    // trials, gets room.
    let stage = rig.spool.root.join("stage");
    let mut paths: Vec<PathBuf> = full.iter().map(|it| stage.join(format!("{day}@{}", it.dat_name()))).collect();
    paths.push(stage.join(".probe"));
    let options = trace::failing_at(rig.watcher_options(&[]), "openat,write:error=ENOSPC", &paths);
    let mut watcher = Watcher::spawn(&rig.lab, &options).unwrap();
    until_true("it says that the disk is out of service", SOON, || {
        let answer = watcher.listen().and_then(|at| http::get(at, "/readyz").ok());
        answer.is_some_and(|(status, body)| status == 503 && body.contains("disk"))
    })
    .unwrap();
    assert_eq!((rig.spool.dats().len(), rig.spool.waiting()), (1, 30));
    trace::stop_failing(&watcher);
    for input in &full {
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    }
    assert!(watcher.ended().is_none(), "it went on, and did not need to be started again");
    rig.watcher = Some(watcher);
    inputs.extend(full);
    nothing_is_lost(&rig, &inputs);
}

/// A small file system that goes away with the value.
struct Small(PathBuf);

impl Drop for Small {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").args(["--lazy"]).arg(&self.0));
    }
}

#[test]
fn a_spool_on_a_full_file_system_goes_on_when_there_is_room() {
    if !Uid::effective().is_root() {
        // Only root may mount. For everybody else the test before this one fills the disk.
        return;
    }
    let mut rig = Rig::idle().unwrap();
    let root = rig.spool.root.clone();
    run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tpv-test"]).arg(&root)).unwrap();
    let small = Small(root.clone());
    rig.spool = Spool::make(&root).unwrap();
    let mut receipts = Receipts::new(7);
    let mut inputs = drop_many(&rig, &mut receipts, 30);
    // As much as fits: the last write fails.
    fs::write(root.join("ballast"), vec![0; 4 << 20]).unwrap_err();
    // It cannot become ready: there is no room even for its lock's content.
    let mut watcher = Watcher::spawn(&rig.lab, &rig.watcher_options(&[])).unwrap();
    let served = || rig.spool.waiting() < 30;
    let _ = until_true("it serves without room", std::time::Duration::from_secs(2), served);
    fs::remove_file(root.join("ballast")).unwrap();
    // Given up is as good as waiting: systemd would start it again.
    if until_true("it goes on", SOON * 4, || rig.spool.waiting() == 0 || watcher.ended().is_some()).is_err() {
        panic!("it neither went on nor ended");
    }
    if watcher.ended().is_some() {
        rig.start_watcher(&[]).unwrap();
    } else {
        rig.watcher = Some(watcher);
    }
    inputs.extend(drop_many(&rig, &mut receipts, 4));
    nothing_is_lost(&rig, &inputs);
    rig.watcher = None;
    drop(small);
}
