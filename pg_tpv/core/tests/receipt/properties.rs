//! What holds for every input.

use proptest::prelude::*;
use tpv_core::json::{self, Value};
use tpv_core::receipt::{Declaration, Limits, Outcome, Receipt, Verdict, parse};

const SAMPLES: &str = include_str!("../data/receipts.ndjson");

fn judge(raw: &[u8]) -> Verdict {
    parse(raw, &Declaration::default(), &Limits::default())
}

fn lenient() -> Declaration {
    let declares = r#"{"encoding": "cp850", "decimal_comma": true, "price_decimals": 4, "numeric_barcode": true,
        "barcode_rules": [{"prefix": "2", "length": 13, "kind": "price", "decimals": 2, "value": {"start": 8, "length": 5}}]}"#;
    Declaration::from_json(&json::read(declares, 8).unwrap()).unwrap()
}

/// One in a store, whose clock is not the store's.
fn in_a_store() -> Declaration {
    let declares = r#"{"timezone": "Atlantic/Canary", "ignore_keys": ["x", "odd"], "id_map": {" ": "", "/": "-"}}"#;
    let terminal = Declaration::from_json(&json::read(declares, 8).unwrap()).unwrap();
    Declaration { store_zone: Some(chrono_tz::Europe::Madrid), ..terminal }
}

/// What every verdict has in common, whatever the input was.
fn assert_sound(raw: &[u8]) {
    for terminal in [Declaration::default(), lenient(), in_a_store()] {
        let verdict = parse(raw, &terminal, &Limits::default());
        assert!(verdict.problems.len() <= 20);
        assert_eq!(verdict.outcome == Outcome::Accepted, verdict.problems.is_empty());
        assert!(verdict.flags.is_sorted_by(|a, b| a < b));
        let stored = verdict.outcome != Outcome::Quarantined;
        assert_eq!(
            (verdict.receipt.is_some(), verdict.body.is_some(), verdict.canonical.is_some()),
            (stored, stored, stored)
        );
        let (Some(body), Some(receipt)) = (verdict.body, verdict.receipt) else { continue };
        // The stored body is its own canonical form, under the same declaration and when it is read
        // again.
        let again = parse(body.as_bytes(), &Declaration { encoding: None, ..terminal }, &Limits::default());
        assert_eq!(again.body.as_deref(), Some(body.as_str()));
        assert_eq!((again.content_hash, again.outcome), (verdict.content_hash, verdict.outcome));
        assert_eq!(Receipt::from_body(&body).unwrap(), receipt);
    }
}

fn samples() -> Vec<&'static str> {
    SAMPLES.lines().collect()
}

/// The same JSON written otherwise: keys turned round, white space everywhere, zeros at the end of
/// numbers.
fn rewrite(value: &Value, zeros: usize, space: &str, out: &mut String) {
    out.push_str(space);
    match value {
        Value::Number(text) => {
            out.push_str(text);
            if zeros > 0 {
                out.push_str(if text.contains('.') { "" } else { "." });
                out.push_str(&"0".repeat(zeros));
            }
        }
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                rewrite(element, zeros, space, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().rev().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&format!("{space}\"{key}\"{space}:"));
                rewrite(value, zeros, space, out);
            }
            out.push('}');
        }
        Value::String(text) => {
            let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            out.push_str(&format!("\"{}\"", escaped.collect::<String>()));
        }
        other => out.push_str(&other.to_canonical()),
    }
    out.push_str(space);
}

#[test]
fn every_sample_is_accepted() {
    for sample in samples() {
        let verdict = judge(sample.as_bytes());
        assert_eq!(verdict.outcome, Outcome::Accepted, "{sample}: {:?}", verdict.problems);
        assert_sound(sample.as_bytes());
    }
}

#[test]
fn every_beginning_of_a_sample_is_truncated_or_empty() {
    for sample in samples() {
        for cut in 0..sample.len() {
            let code = judge(&sample.as_bytes()[..cut]).problems[0].code;
            assert_eq!(code, if cut == 0 { "EMPTY_FILE" } else { "TRUNCATED" }, "{cut} of {sample}");
        }
    }
}

fn sample() -> impl Strategy<Value = &'static str> {
    prop::sample::select(samples())
}

/// Pieces that are likely to hurt.
fn splinter() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        &b"\0"[..],
        b"\xFF",
        b"\xC3",
        b"\xEF\xBB\xBF",
        b"\"",
        b"\\",
        b"\\u0000",
        b"\\ud83d",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"-",
        b"e9",
        b"1e400",
        b"0",
        b"00000000000000000000000000000000000000000",
        b"9999999999",
        b".",
        b".005",
        b".3333333",
        b"null",
        b"true",
        b"\"items\":",
        b"\"total\":1,",
        b"O\xCC\x81",
        b"\xF0\x9F\x98\x80",
        b"..",
        b"/",
        b"CON",
        b"\n",
        b"\x1A",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_get_a_sound_verdict(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        assert_sound(&raw);
    }

    #[test]
    fn a_sample_with_pieces_cut_out_and_put_in_gets_a_sound_verdict(
        sample in sample(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, splinter()), 1..4),
    ) {
        let mut raw = sample.as_bytes().to_vec();
        for (at, cut, piece) in edits {
            let at = at.index(raw.len() + 1);
            let end = raw.len().min(at + cut);
            raw.splice(at..end, piece.iter().copied());
        }
        assert_sound(&raw);
    }

    #[test]
    fn any_numbers_and_texts_in_a_receipt_get_a_sound_verdict(
        price in r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,17})?",
        quantity in r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,17})?",
        total in r"-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,3})?",
        barcode in r"[0-9]{0,14}",
        description in any::<String>(),
    ) {
        let description = Value::String(description).to_canonical();
        let raw = format!(
            r#"{{"receiptId":"1","terminalId":"T","departmentCode":"04","items":[{{"barcode":"{barcode}",
               "description":{description},"price":{price},"quantity":{quantity}}}],"total":{total},"timestamp":"2026-01-01T00:00"}}"#
        );
        assert_sound(raw.as_bytes());
    }

    #[test]
    fn any_time_has_one_form_and_every_word_for_it_is_the_same_receipt(
        seconds in -62_135_596_800_i64..253_402_300_800, nanosecond in prop_oneof![Just(0), 0..1_000_000_000_u32],
        minutes in -1439..1440_i32, blank in any::<bool>(),
    ) {
        use chrono::{DateTime, FixedOffset};
        let text = |offset: i32| {
            let at = DateTime::from_timestamp(seconds, nanosecond).unwrap();
            let words = at.with_timezone(&FixedOffset::east_opt(offset * 60).unwrap()).to_rfc3339();
            let words = if blank { words.replace('T', " ") } else { words };
            format!(
                r#"{{"receiptId":"1","terminalId":"T","departmentCode":"04","items":[{{"barcode":"1","description":"x",
                   "price":1,"quantity":1}}],"total":1,"timestamp":"{words}"}}"#
            )
        };
        assert_sound(text(minutes).as_bytes());
        let body = |offset| parse(text(offset).as_bytes(), &in_a_store(), &Limits::default()).body;
        // A year of five digits, or before the first, cannot be written.
        if let (Some(one), Some(two)) = (body(minutes), body(0)) {
            let at_the_edge = !(-62_135_000_000..253_402_000_000).contains(&seconds);
            prop_assert!(one == two || at_the_edge, "{} {}", one, two);
        }
    }

    #[test]
    fn the_canonical_form_does_not_depend_on_how_it_was_written(
        sample in sample(),
        zeros in 0..4_usize,
        space in "[ \t\r\n]{0,3}",
    ) {
        let mut other = String::new();
        rewrite(&json::read(sample, 16).unwrap(), zeros, &space, &mut other);
        let (one, two) = (judge(sample.as_bytes()), judge(other.as_bytes()));
        prop_assert_eq!(&one.body, &two.body);
        prop_assert_eq!(one, two);
    }
}
