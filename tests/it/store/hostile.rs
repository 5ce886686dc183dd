//! Files that nobody should write, and somebody will.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use tpv_lab::machine::run;
use tpv_lab::store::Rig;
use tpv_lab::store::{Expect, ODDITIES, Receipts};
use tpv_lab::wait::until;

use crate::support::{SOON, nothing_is_lost};

#[test]
fn every_oddity_gets_the_answer_that_the_rules_give() {
    let mut rig = Rig::idle().unwrap();
    rig.start_watcher(&["--grace-ms", "300"]).unwrap();
    let mut receipts = Receipts::new(1);
    let mut inputs: Vec<_> = (0..3).map(|_| receipts.good("T06")).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    }
    let odd: Vec<_> = ODDITIES.iter().map(|oddity| (oddity, receipts.odd(*oddity, "T06"))).collect();
    for (_, input) in &odd {
        rig.spool.drop_file(input).unwrap();
    }
    inputs.extend(odd.iter().map(|(_, input)| input.clone()));
    nothing_is_lost(&rig, &inputs);
    let mut dba = rig.dba().unwrap();
    for (oddity, input) in &odd {
        match input.expect {
            Expect::Quarantined(code) => {
                let reason = until("its reason", SOON, || rig.spool.reason(&input.name)).unwrap();
                assert_eq!(reason["code"], code, "{oddity:?}");
            }
            Expect::Held(code) => {
                let sql = "select hold_code from sales.receipt where terminal = 'T06' and receipt_number = $1 \
                           and first_outcome = 'held'";
                let found: String = dba.query_one(sql, &[&input.number]).unwrap().get(0);
                assert_eq!(found, code, "{oddity:?}");
            }
            Expect::Accepted => drop(rig.spool.wait_dat(&input.dat_name(), SOON).unwrap()),
            Expect::Duplicate => {}
        }
    }
}

#[test]
fn a_file_written_slowly_is_taken_when_it_is_whole() {
    let rig = Rig::running().unwrap();
    let input = Receipts::new(2).good("T03");
    let (mut pieces, mut seen_early) = (0, 0);
    rig.spool
        .write_in_pieces(&input, 20, || {
            pieces += 1;
            seen_early += usize::from(rig.spool.dat(&input.dat_name()).is_some());
            // The writer's own pace, slower than a scan.
            std::thread::sleep(std::time::Duration::from_millis(30));
        })
        .unwrap();
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    assert_eq!((pieces, seen_early), (19, 0));
    nothing_is_lost(&rig, &[input]);
}

#[test]
fn what_is_not_a_plain_file_is_left_alone_and_stops_nobody() {
    let rig = Rig::running().unwrap();
    let inbox = rig.spool.inbox("T04");
    let secret = rig.spool.root.join("secret.json");
    fs::write(&secret, r#"{"receiptId":"1"}"#).unwrap();
    symlink(&secret, inbox.join("link.json")).unwrap();
    symlink("/nowhere", inbox.join("dangling.json")).unwrap();
    run(Command::new("mkfifo").arg(inbox.join("pipe.json"))).unwrap();
    fs::create_dir(inbox.join("folder.json")).unwrap();
    let input = Receipts::new(3).good("T04");
    rig.spool.drop_file(&input).unwrap();
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    assert!(secret.is_file(), "what a link points to belongs to somebody else");
}

#[test]
fn a_huge_file_is_quarantined_and_its_terminal_goes_on() {
    let rig = Rig::running().unwrap();
    rig.spool.drop_bytes("T04", "huge.json", &vec![b'['; 50 << 20]).unwrap();
    let input = Receipts::new(4).good("T04");
    rig.spool.drop_file(&input).unwrap();
    rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    let reason = until("its reason", SOON, || rig.spool.reason("huge.json")).unwrap();
    assert!(reason["code"].is_string(), "{reason}");
}

#[test]
fn names_that_no_terminal_should_choose_are_taken_as_they_are() {
    let mut rig = Rig::idle().unwrap();
    let mut receipts = Receipts::new(5);
    let names =
        ["with space.json", "ñandú.json", "a;rm -rf x.json", "-rf.json", "'.json", "new\nline.json", "%2e%2e.json"];
    let inputs: Vec<_> = names
        .iter()
        .map(|name| {
            let mut input = receipts.good("T05");
            input.name = (*name).to_owned();
            input
        })
        .collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    rig.start_watcher(&[]).unwrap();
    nothing_is_lost(&rig, &inputs);
}

#[test]
fn one_name_used_again_for_another_receipt_keeps_both() {
    let rig = Rig::running().unwrap();
    let mut receipts = Receipts::new(6);
    for _ in 0..3 {
        let mut input = receipts.good("T05");
        input.name = "ticket.json".to_owned();
        rig.spool.drop_file(&input).unwrap();
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
        let taken = || (!rig.spool.inbox("T05").join("ticket.json").exists()).then_some(());
        until("the inbox is free again", SOON, taken).unwrap();
    }
    let archived = rig.spool.files("archive").iter().filter(|p| p.to_string_lossy().contains("ticket.json")).count();
    assert_eq!(archived, 3);
}
