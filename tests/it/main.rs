//! Behaviour across processes: a real server, the real watcher, terminals that drop files.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

mod chain;
mod demo;
mod store;

use std::time::Duration;

use tpv_lab::store::Input;
use tpv_lab::store::Rig;

/// A machine under load gets this long for what takes milliseconds.
const SOON: Duration = Duration::from_secs(20);

/// Fails with every single loss.
#[track_caller]
fn nothing_is_lost(rig: &Rig, inputs: &[Input]) {
    let audit = rig.audit(inputs).unwrap();
    assert!(audit.lost.is_empty(), "{:#?}\n{:#?}", audit.lost, audit);
    assert_eq!(audit.receipts, inputs.len(), "{audit:#?}");
}
