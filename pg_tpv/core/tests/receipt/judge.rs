//! How one file is judged and checked. The tests are named for the rows of the design's table of
//! inputs.

use tpv_core::json;
use tpv_core::receipt::{Declaration, Limits, Outcome, Receipt, Verdict, parse};

/// What should come out: the word of the outcome, then codes of problems and flags in their order.
pub type Expected<'a> = (&'a str, &'a [&'a str]);

pub fn accepted<'a>(flags: &'a [&'a str]) -> Expected<'a> {
    ("accepted", flags)
}

pub fn terminal(declares: &str) -> Declaration {
    Declaration::from_json(&json::read(declares, 8).unwrap()).unwrap()
}

pub fn judge(raw: &[u8], declares: &str) -> Verdict {
    parse(raw, &terminal(declares), &Limits::default())
}

pub fn check(name: &str, raw: &[u8], declares: &str, expected: Expected<'_>) {
    let verdict = judge(raw, declares);
    let codes: Vec<_> =
        verdict.problems.iter().map(|problem| problem.code).chain(verdict.flags.iter().copied()).collect();
    assert_eq!((verdict.outcome.word(), &codes[..]), expected, "{name}: {:?}", verdict.problems);
    assert_eq!(verdict.outcome == Outcome::Quarantined, verdict.receipt.is_none(), "{name}");
    assert_eq!(verdict.body.is_some(), verdict.receipt.is_some(), "{name}");
    assert_eq!(verdict.content_hash.is_some(), verdict.receipt.is_some(), "{name}");
}

/// Checks rows of (name, file, what the terminal declares, what should come out).
pub fn check_all(rows: &[(&str, String, &str, Expected<'_>)]) {
    for (name, file, declares, expected) in rows {
        check(name, file.as_bytes(), declares, *expected);
    }
}

/// A receipt of one line of 2 × 1.50, with one text replaced.
pub fn with(from: &str, to: &str) -> String {
    let plain = r#"{"receiptId":"1","terminalId":"T04","departmentCode":"04","items":[{"barcode":"4006381333931","description":"PAN","price":1.50,"quantity":2}],"total":3.00,"timestamp":"2026-06-30T22:15:00Z"}"#;
    assert!(plain.contains(from), "{from}");
    plain.replacen(from, to, 1)
}

/// A receipt of one line.
pub fn line(price: &str, quantity: &str, total: &str) -> String {
    with(
        r#""price":1.50,"quantity":2}],"total":3.00"#,
        &format!(r#""price":{price},"quantity":{quantity}}}],"total":{total}"#),
    )
}

pub fn plain() -> String {
    with("1", "1")
}

pub fn receipt(file: &str) -> Receipt {
    judge(file.as_bytes(), "{}").receipt.unwrap()
}

pub const NUMBERS: &str = r#"{"price_decimals": 4}"#;
