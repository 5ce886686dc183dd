//! Behaviour across processes: a real server, the real watcher, terminals that drop files.
//!
//! Each test has a store of its own and reckons at its end: one receipt and one `.dat` for each valid file, each
//! `.dat` as the database has it, each input in exactly one of in, archive and quarantine.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

mod chain;
mod database;
mod demo;
mod disk;
mod examples;
mod fairness;
mod folders;
mod hostile;
mod joining;
mod kill;
mod loads;
mod low_water;
mod nemesis;
mod operator;
mod policies;
mod races;
mod replication;
mod restored;
mod roles;
mod second;
mod skew;
mod tls;
mod trace;
mod upgrade;

use std::time::Duration;

use tpv_tests::receipts::Input;
use tpv_tests::rig::Rig;

/// A machine under load gets this long for what takes milliseconds.
const SOON: Duration = Duration::from_secs(20);

/// Fails with every single loss.
#[track_caller]
fn nothing_is_lost(rig: &Rig, inputs: &[Input]) {
    let account = rig.reckon(inputs).unwrap();
    assert!(account.lost.is_empty(), "{:#?}\n{:#?}", account.lost, account);
    assert_eq!(account.receipts, inputs.len(), "{account:#?}");
}
