//! The canonical form of every kind of document, byte for byte. Hashes are made of it, and what was
//! hashed once is compared for ever, so `tests/data/canonical.ndjson` only grows: a line of a
//! version that was released is never changed.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;
use tpv_core::actor::Actor;
use tpv_core::document_kind::DocumentKind;
use tpv_core::hash_chain::sha256;
use tpv_core::json::{self, Value};
use tpv_core::receipt::{Declaration, Hold, Intake, Limits, Receipt, parse, reason};
use uuid::Uuid;

const GOLDEN: &str = include_str!("data/canonical.ndjson");

/// What to do when a line does not come out as it did.
const WHAT_TO_DO: &str = "The canonical form of a document has changed: receipts that are stored would no longer be known again. \
    If that is meant, raise the version of the kind in pg_tpv/core/src/document_kind.rs, add lines of the new version to \
    pg_tpv/core/tests/data/canonical.ndjson (TPV_WRITE_GOLDEN=1 does), let those of the old one stand, and compare repeats in \
    both forms: CONTRIBUTING.md, \"Changing a document\".";

/// A receipt with one thing replaced.
fn receipt(from: &str, to: &str) -> String {
    let plain = r#"{"receiptId":"4711","terminalId":"T04","departmentCode":"04","items":[{"barcode":"8436006836053","description":"MERLUZA","price":12.90,"quantity":0.455}],"total":5.87,"timestamp":"2026-06-30T22:15:00Z"}"#;
    assert!(plain.contains(from), "{from}");
    plain.replacen(from, to, 1)
}

fn receipt_body(file: &str, declares: &str) -> String {
    let declared = Declaration::from_json(&json::read(declares, 8).unwrap()).unwrap();
    let declared = Declaration { store_zone: Some(chrono_tz::Europe::Madrid), ..declared };
    let verdict = parse(file.as_bytes(), &declared, &Limits::default());
    verdict.body.unwrap_or_else(|| panic!("{file}: {:?}", verdict.problems))
}

fn id(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}

/// Bodies of every kind, as this version writes them: the kind, a name, the body.
fn samples() -> Vec<(DocumentKind, &'static str, String)> {
    use DocumentKind::{DayClose, Intake as Decided, Receipt, Release, Render, Void, Withdraw};
    let about = id("20260701-0015-8abc-9def-0123456789ab");
    let intake = Intake {
        flags: vec!["EXPONENT".to_owned(), "ROUNDING".to_owned()],
        holds: vec![Hold { code: "DATE_RANGE".into(), pointer: "/timestamp".into(), detail: "too old".into() }],
        printed_at: "2026-10-25T01:30:00Z".parse().ok(),
        arrived_on: NaiveDate::from_ymd_opt(2026, 11, 28),
        voids: Some(id("20260701-0014-8abc-9def-0123456789ab")),
    };
    let person = Actor::Employee(id("0197a2b0-0000-7000-8000-0000000000aa"));
    let by = |why: &str| reason(Some(about), &person, why, None);
    vec![
        (Receipt, "plain", receipt_body(&receipt("4711", "4711"), "{}")),
        (Receipt, "numbers", receipt_body(&receipt("5.87", "587.000E-2"), "{}")),
        (Receipt, "a zero", receipt_body(&receipt(r#""price":12.90"#, r#""taxRate":-0.0,"price":12.90"#), "{}")),
        (Receipt, "a float", receipt_body(&receipt("12.90", "12.900000000000002"), "{}")),
        (Receipt, "a decimal comma", receipt_body(&receipt("12.90", r#""12,90""#), r#"{"decimal_comma": true}"#)),
        (
            Receipt,
            "NFC and escapes",
            receipt_body(&receipt("MERLUZA", r#"JAMO\u0301N \u0000\/\"\\\n\u007f\ud83d\ude00"#), "{}"),
        ),
        (Receipt, "local time", receipt_body(&receipt("22:15:00Z", "22:15"), "{}")),
        (Receipt, "an offset and a fraction", receipt_body(&receipt("T22:15:00Z", " 22:15:00.2500-03:00"), "{}")),
        (
            Receipt,
            "the hour that comes twice",
            receipt_body(&receipt("2026-06-30T22:15:00Z", "2026-10-25T02:30"), "{}"),
        ),
        (
            Receipt,
            "the hour that never comes",
            receipt_body(&receipt("2026-06-30T22:15:00Z", "2026-03-29T02:30"), "{}"),
        ),
        (Receipt, "another clock", receipt_body(&receipt("22:15:00Z", "22:15"), r#"{"timezone": "Atlantic/Canary"}"#)),
        (Receipt, "the last year", receipt_body(&receipt("2026-06-30T22:15:00Z", "9999-12-31T23:59:59-12:00"), "{}")),
        (
            Receipt,
            "ignored keys",
            receipt_body(&receipt(r#""total""#, r#""attempt":2,"total""#), r#"{"ignore_keys": ["attempt"]}"#),
        ),
        (
            Receipt,
            "unknown keys",
            receipt_body(&receipt(r#""total""#, r#""zz":{"b":[1.50,null,true],"a":"x"},"A":1,"total""#), "{}"),
        ),
        (
            Receipt,
            "a mapped number",
            receipt_body(&receipt("4711", "T/2026 4711"), r#"{"id_map": {"/": "-", " ": "_"}}"#),
        ),
        (Receipt, "a series", receipt_body(&receipt(r#""total""#, r#""series":"B","total""#), "{}")),
        (Receipt, "no series", receipt_body(&receipt(r#""total""#, r#""series":"","total""#), "{}")),
        (
            Receipt,
            "a barcode as a number",
            receipt_body(&receipt(r#""8436006836053""#, "8436006836053"), r#"{"numeric_barcode": true}"#),
        ),
        (Decided, "everything", intake.to_body(about)),
        (Decided, "a flag", Intake { flags: vec!["LATE".to_owned()], ..Intake::default() }.to_body(about)),
        (Release, "why", by("counted by hand: «5» \"and\" \\")),
        (Void, "why", by("a test")),
        (
            Void,
            "by a ticket",
            reason(
                Some(about),
                &Actor::Terminal("T04".to_owned()),
                "undone",
                Some(id("20260701-0016-8abc-9def-0123456789ab")),
            ),
        ),
        (Withdraw, "why", by("a test")),
        (Render, "why", by("a test")),
        (DayClose, "why", reason(None, &Actor::Login("ops_7".to_owned()), "counted", None)),
    ]
}

fn line(kind: DocumentKind, name: &str, body: &str) -> String {
    let hash = sha256(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = |text: &str| Value::String(text.to_owned());
    let members = [
        ("kind", text(kind.word())),
        ("version", Value::Number(kind.schema_version().to_string())),
        ("name", text(name)),
        ("body", text(body)),
        ("sha256", Value::String(hash)),
    ];
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).to_canonical()
}

#[test]
fn a_canonical_form_changes_only_with_the_version_of_its_kind() {
    let mut golden: Vec<&str> = GOLDEN.lines().collect();
    let now: Vec<String> = samples().into_iter().map(|(kind, name, body)| line(kind, name, &body)).collect();
    let new: Vec<&str> = now.iter().map(String::as_str).filter(|line| !golden.contains(line)).collect();
    if std::env::var_os("TPV_WRITE_GOLDEN").is_some() {
        golden.extend(new);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/canonical.ndjson");
        std::fs::write(file, golden.join("\n") + "\n").unwrap();
        return;
    }
    assert!(new.is_empty(), "{WHAT_TO_DO}\nIt is not in the file:\n{}", new.join("\n"));
    for line in &golden {
        let read = json::read(line, 4).unwrap();
        let text = |key: &str| read.get(key).and_then(Value::as_str).unwrap();
        let version: i32 = read.get("version").and_then(Value::as_number).unwrap().parse().unwrap();
        let kind = DocumentKind::read(text("kind"), version).unwrap();
        // Of the version that is written now, the samples have each line; older ones stand for what
        // is stored.
        let written = version < kind.schema_version() || now.iter().any(|now| now == line);
        assert!(written, "{WHAT_TO_DO}\nNo sample is written like this any more:\n{line}");
    }
    let kinds: BTreeSet<&str> = samples().iter().map(|(kind, ..)| kind.word()).collect();
    assert!(DocumentKind::all().all(|kind| kinds.contains(kind.word())), "each kind has a sample");
}

#[test]
fn every_body_that_was_ever_written_can_be_read() {
    for line in GOLDEN.lines() {
        let read = json::read(line, 4).unwrap();
        let text = |key: &str| read.get(key).and_then(Value::as_str).unwrap();
        let body = text("body");
        assert_eq!(
            sha256(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            text("sha256")
        );
        match text("kind") {
            "receipt" => assert!(Receipt::from_body(body).is_ok(), "{line}"),
            "intake" => assert!(Intake::from_body(body).is_some_and(|intake| !intake.is_empty()), "{line}"),
            _ => assert!(json::read(body, 8).is_ok(), "{line}"),
        }
    }
}
