//! What an operator decides with SQL reaches the disk through the watcher.

use std::fs;

use tpv_lab::store::Rig;
use tpv_lab::store::{Input, Oddity, Receipts};
use tpv_lab::wait::until_true;
use uuid::Uuid;

use crate::support::{SOON, nothing_is_lost};

/// Drops it and waits for its receipt.
fn receipt_of(rig: &Rig, input: &Input) -> Uuid {
    rig.spool.drop_file(input).unwrap();
    let mut dba = rig.dba().unwrap();
    let sql = "select receipt_id from sales.receipt where terminal = $1 and receipt_number = $2";
    let mut found = None;
    until_true("it is a receipt", SOON, || {
        found = dba.query_opt(sql, &[&input.terminal, &input.number]).ok().flatten().map(|row| row.get(0));
        found.is_some()
    })
    .unwrap();
    found.unwrap()
}

fn decide(rig: &Rig, call: &str, id: Uuid) {
    rig.dba().unwrap().execute(&format!("select {call}($1, 'tested')"), &[&id]).unwrap();
}

#[test]
fn a_released_receipt_gets_its_dat() {
    let rig = Rig::running().unwrap();
    let held = Receipts::new(1).odd(Oddity::TotalOff, "T03");
    let id = receipt_of(&rig, &held);
    decide(&rig, "sales.release", id);
    rig.spool.wait_dat(&held.dat_name(), SOON).unwrap();
    nothing_is_lost(&rig, &[held]);
}

#[test]
fn a_voided_receipt_gets_none_even_when_it_is_released_afterwards() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(2);
    let held = receipts.odd(Oddity::TotalOff, "T03");
    let id = receipt_of(&rig, &held);
    decide(&rig, "sales.void", id);
    // Refused or without effect: void beats release either way.
    let _ = rig.dba().unwrap().execute("select sales.release($1, 'tested')", &[&id]);
    let other = receipts.odd(Oddity::TotalOff, "T04");
    let other_id = receipt_of(&rig, &other);
    decide(&rig, "sales.release", other_id);
    // Decisions are done oldest first, so the first would be visible by now.
    rig.spool.wait_dat(&other.dat_name(), SOON).unwrap();
    assert!(rig.spool.dat(&held.dat_name()).is_none());
    nothing_is_lost(&rig, &[held, other]);
}

#[test]
fn a_withdrawn_dat_is_moved_away_and_kept() {
    let rig = Rig::running().unwrap();
    let input = Receipts::new(3).good("T03");
    let id = receipt_of(&rig, &input);
    let path = rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    let bytes = fs::read(path).unwrap();
    decide(&rig, "dat.withdraw", id);
    until_true("it is gone", SOON, || rig.spool.dat(&input.dat_name()).is_none()).unwrap();
    let kept =
        rig.spool.files("archive").into_iter().find(|path| path.to_string_lossy().contains("withdrawn")).unwrap();
    assert_eq!(fs::read(kept).unwrap(), bytes);
    nothing_is_lost(&rig, &[input]);
}

#[test]
fn a_dat_that_is_rendered_again_after_a_withdrawal_is_back() {
    let rig = Rig::running().unwrap();
    let input = Receipts::new(4).good("T03");
    let id = receipt_of(&rig, &input);
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    decide(&rig, "dat.withdraw", id);
    until_true("it is gone", SOON, || rig.spool.dat(&input.dat_name()).is_none()).unwrap();
    decide(&rig, "dat.render_again", id);
    until_true("it is back", SOON, || !rig.spool.dats().is_empty()).unwrap();
    nothing_is_lost(&rig, &[input]);
}

#[test]
fn decisions_while_receipts_pour_in_reach_the_disk_and_lose_nothing() {
    let rig = Rig::running().unwrap();
    let (mut dba, mut receipts, mut inputs) = (rig.dba().unwrap(), Receipts::new(5), Vec::new());
    let newest = "select receipt_id from sales.receipt order by recorded_at desc, receipt_id limit 3";
    let decisions = ["dat.withdraw", "sales.void", "dat.render_again"];
    let mut decided = 0;
    for _ in 0..30 {
        for turn in 0..24 {
            let input = receipts.good(["T01", "T02", "T05", "T09"][turn % 4]);
            rig.spool.drop_file(&input).unwrap();
            inputs.push(input);
        }
        // Those that were ingested a moment ago: their batch may still be on its way to the disk.
        for (row, decides) in dba.query(newest, &[]).unwrap().iter().zip(decisions) {
            let result = dba.execute(&format!("select {decides}($1, 'tested')"), &[&row.get::<_, Uuid>(0)]);
            decided += usize::from(result.is_ok());
            // A receipt may have been decided about before, and nothing else may be wrong.
            let refused = result.err().map(|error| error.code().map(|code| code.code().to_owned()));
            assert!(refused.is_none() || refused == Some(Some("22023".to_owned())), "{refused:?}");
        }
    }
    assert!(decided > 30, "only {decided} decisions were taken");
    nothing_is_lost(&rig, &inputs);
    let late: i64 = dba.query_one("select count(*) from dat.withdraw_failed", &[]).unwrap().get(0);
    assert_eq!(late, 0, "nobody took a .dat away, so each was there to be withdrawn");
}
