//! Folders move, come and go under the watcher.

use std::fs;

use tpv_lab::store::Place;
use tpv_lab::store::Receipts;
use tpv_lab::store::Rig;
use tpv_lab::wait::until_true;

use crate::support::{SOON, nothing_is_lost};

#[test]
fn an_inbox_that_was_moved_away_is_served_again_when_it_is_back() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(1);
    let away = rig.spool.root.join("away");
    let first = receipts.good("T02");
    rig.spool.drop_file(&first).unwrap();
    rig.spool.wait_dat(&first.dat_name(), SOON).unwrap();
    until_true("it is archived", SOON, || rig.spool.waiting() == 0).unwrap();
    fs::rename(rig.spool.inbox("T02"), &away).unwrap();
    let other = receipts.good("T03");
    rig.spool.drop_file(&other).unwrap();
    rig.spool.wait_dat(&other.dat_name(), SOON).unwrap();
    fs::rename(&away, rig.spool.inbox("T02")).unwrap();
    let last = receipts.good("T02");
    rig.spool.drop_file(&last).unwrap();
    rig.spool.wait_dat(&last.dat_name(), SOON).unwrap();
    nothing_is_lost(&rig, &[first, other, last]);
}

#[test]
fn an_inbox_that_was_replaced_by_another_folder_is_served() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(2);
    let mut inputs = Vec::new();
    for turn in 0..3 {
        fs::rename(rig.spool.inbox("T02"), rig.spool.root.join(format!("old-{turn}"))).unwrap();
        fs::create_dir(rig.spool.inbox("T02")).unwrap();
        let input = receipts.good("T02");
        rig.spool.drop_file(&input).unwrap();
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
        // Archived as well, so that the folder goes away empty.
        until_true("it is archived", SOON, || rig.spool.waiting() == 0).unwrap();
        inputs.push(input);
    }
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn a_terminal_that_is_new_is_served_without_a_restart() {
    let rig = Rig::running().unwrap();
    let sql = "set role tpv_owner; \
               select org.register_terminal(code => 'T21', department_code => '01', declares => '{}'::jsonb)";
    rig.dba().unwrap().batch_execute(sql).unwrap();
    fs::create_dir(rig.spool.inbox("T21")).unwrap();
    let input = Receipts::new(3).good("T21");
    rig.spool.drop_file(&input).unwrap();
    rig.spool.wait_dat(&format!("scon01{}.dat", input.number), SOON).unwrap();
}

#[test]
fn a_folder_of_nobody_known_is_quarantined_and_harms_nobody() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(4);
    fs::create_dir(rig.spool.inbox("T99")).unwrap();
    let mut stranger = receipts.good("T01");
    stranger.terminal = "T99".to_owned();
    let known = receipts.good("T02");
    rig.spool.drop_file(&stranger).unwrap();
    rig.spool.drop_file(&known).unwrap();
    rig.spool.wait_dat(&known.dat_name(), SOON).unwrap();
    let place = || rig.spool.places().remove(&("T99".to_owned(), stranger.name.clone()));
    until_true("it is in quarantine", SOON, || place() == Some(vec![Place::Quarantine])).unwrap();
}

#[test]
fn nothing_is_lost_while_the_out_folder_is_not_there() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(5);
    let (out, away) = (rig.spool.root.join("out"), rig.spool.root.join("out-away"));
    let mut inputs: Vec<_> = (0..5).map(|_| receipts.good("T02")).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    rig.spool.wait_dat(&inputs[4].dat_name(), SOON).unwrap();
    fs::rename(&out, &away).unwrap();
    // A file of that name: no folder can be made in its place.
    fs::write(&out, "not a folder").unwrap();
    for _ in 0..5 {
        let input = receipts.good("T03");
        rig.spool.drop_file(&input).unwrap();
        inputs.push(input);
    }
    let mut watching = rig.dba().unwrap();
    let pending = "select from sales.receipt where terminal = 'T03'";
    // Served or held back, as the watcher likes; but it must have come across the fault.
    let _ = until_true("it tried", std::time::Duration::from_secs(2), || {
        watching.query(pending, &[]).is_ok_and(|r| r.len() == 5)
    });
    fs::remove_file(&out).unwrap();
    fs::rename(&away, &out).unwrap();
    for input in &inputs {
        rig.spool.wait_dat(&input.dat_name(), SOON * 4).unwrap();
    }
    nothing_is_lost(&rig, &inputs);
}
