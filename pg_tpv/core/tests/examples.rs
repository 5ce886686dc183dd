//! `examples/`: the receipt and the layout there still give the `.dat` that lies beside them, byte
//! for byte. The conflict needs servers: `tests/it/examples.rs`.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use tpv_core::dat::{self, Profile};
use tpv_core::json;
use tpv_core::receipt::{Declaration, Limits, Outcome, parse};

const LIMITS: Limits = Limits { max_bytes: 2 * 1024 * 1024, max_depth: 16, max_lines: 2000 };

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn profile() -> Profile {
    let text = fs::read_to_string(example("profile.json")).unwrap();
    let layout = json::read(&text, 16).unwrap();
    assert_eq!(dat::check(&layout), [], "not even a warning");
    Profile::from_json(&layout).unwrap()
}

#[test]
fn the_receipt_is_accepted_and_nothing_about_it_is_odd() {
    let verdict = parse(&fs::read(example("receipt.json")).unwrap(), &Declaration::default(), &LIMITS);
    assert_eq!((verdict.outcome, verdict.flags, verdict.problems), (Outcome::Accepted, Vec::new(), Vec::new()));
}

#[test]
fn receipt_and_layout_give_the_dat() {
    let verdict = parse(&fs::read(example("receipt.json")).unwrap(), &Declaration::default(), &LIMITS);
    let (profile, receipt) = (profile(), verdict.canonical.unwrap());
    let day = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
    let (folder, name) = dat::folder_and_name(&profile, &receipt, day).unwrap();
    assert_eq!((folder.as_str(), name.as_str()), ("20260630", "scon04-T04-004711.dat"));
    let rendered = dat::render(&profile, &receipt).unwrap();
    let expected = fs::read(example(&name)).unwrap();
    assert_eq!(rendered.bytes, expected, "{}", String::from_utf8_lossy(&rendered.bytes));
    assert!(!rendered.substituted);
}
