//! The canonical form: what is one receipt, in whatever words.

use tpv_core::receipt::{Declaration, Limits, Receipt, parse};

use crate::judge::{accepted, check, check_all, judge, line, plain, with};

#[test]
fn row_40_a_number_may_be_a_uuid_and_blanks_and_slashes_are_declared() {
    let number = |text: &str| with(r#""receiptId":"1""#, &format!(r#""receiptId":"{text}""#));
    let refused = ("quarantined", &["BAD_ID"][..]);
    let both = r#"{"id_map": {" ": "_", "/": "-"}}"#;
    check_all(&[
        ("a UUID", number("0f8fad5b-d9cb-469f-a165-70867728950e"), "{}", accepted(&[])),
        ("64 characters", number(&"9".repeat(64)), "{}", accepted(&[])),
        ("65 characters", number(&"9".repeat(65)), "{}", refused),
        ("slashes", number("T/2026/000123"), "{}", refused),
        ("a blank", number("Order 06393-028"), "{}", refused),
        ("slashes declared", number("T/2026/000123"), both, accepted(&[])),
        ("a blank declared", number("Order 06393-028"), both, accepted(&[])),
        ("a slash where only blanks are declared", number("A/1"), r#"{"id_map": {" ": ""}}"#, refused),
        ("a path", number("../../x"), both, refused),
        ("from the root", number("/etc/passwd"), both, refused),
        ("a blank before", number(" 1"), both, refused),
        ("a blank behind", number("1 "), both, refused),
        ("another space", number("A\u{a0}1"), both, refused),
        ("a tab", number("A\\t1"), both, refused),
        ("a backslash", number("A\\\\1"), both, refused),
        ("a device", number("CON/1"), r#"{"id_map": {"/": "."}}"#, refused),
        ("other identifiers have none", with(r#""terminalId":"T04""#, r#""terminalId":"T 04""#), both, refused),
        (
            "nor 64 characters",
            with(r#""departmentCode":"04""#, &format!(r#""departmentCode":"{}""#, "9".repeat(33))),
            both,
            refused,
        ),
    ]);
    let read = judge(number("T/2026/000123").as_bytes(), both);
    assert_eq!(read.receipt.as_ref().unwrap().receipt_id, "T/2026/000123");
    // Who reads the body knows no terminal and no map.
    assert_eq!(Receipt::from_body(&read.body.unwrap()).ok(), read.receipt);
    assert_ne!(judge(number("T/1").as_bytes(), both).body, judge(number("T-1").as_bytes(), both).body);
}

#[test]
fn row_41_keys_that_are_declared_to_be_ignored_are_no_content() {
    let ignoring = r#"{"ignore_keys": ["attempt", "sentAt", "O\u0301"]}"#;
    let more = |text: &str| with(r#""total""#, &format!("{text},\"total\""));
    for other in [
        more(r#""attempt":1"#),
        more(r#""attempt":2,"sentAt":"2026-11-28T10:00:01Z""#),
        more(r#""sentAt":1e400"#),
        more(r#""attempt":{"price":"x","a\u0000":[1]}"#),
        more(r#""\u00d3":1"#),
        with(r#""price""#, r#""attempt":3,"price""#),
    ] {
        check(&other, other.as_bytes(), ignoring, accepted(&[]));
        assert_eq!(judge(other.as_bytes(), ignoring).content_hash, judge(plain().as_bytes(), "{}").content_hash);
    }
    let (one, two) = (judge(more(r#""attempt":1"#).as_bytes(), "{}"), judge(more(r#""attempt":2"#).as_bytes(), "{}"));
    assert_ne!(one.content_hash, two.content_hash);
    assert!(one.flags == ["EXTRA_FIELDS"] && one.body.unwrap().contains("attempt"));
    let deep = more(r#""meta":{"attempt":2,"cashier":"Ana"}"#);
    check("deep inside", deep.as_bytes(), ignoring, accepted(&["EXTRA_FIELDS"]));
    assert!(judge(deep.as_bytes(), ignoring).body.unwrap().contains(r#""meta":{"cashier":"Ana"}"#));
    let twice = more(r#""attempt":1,"attempt":2"#);
    check("twice", twice.as_bytes(), ignoring, ("quarantined", &["DUP_KEY"]));
    let another = more(r#""Attempt":1"#);
    check("another name", another.as_bytes(), ignoring, accepted(&["EXTRA_FIELDS"]));
}

#[test]
fn row_42_one_instant_in_other_words_is_one_content() {
    let madrid = Declaration { store_zone: Some(chrono_tz::Europe::Madrid), ..Declaration::default() };
    let body = |words: &str, terminal: &Declaration| {
        parse(with("2026-06-30T22:15:00Z", words).as_bytes(), terminal, &Limits::default()).body.unwrap()
    };
    let one = body("2026-11-28T10:00:00+01:00", &madrid);
    assert!(one.contains(r#""timestamp":"2026-11-28T10:00:00+01:00""#), "{one}");
    for words in [
        "2026-11-28T09:00:00Z",
        "2026-11-28 10:00",
        "2026-11-28T10:00:00",
        "2026-11-28T10:00:00.0",
        "2026-11-28T09:00:00+00:00",
        "2026-11-28T09:00-00:00",
        "2026-11-28 14:30:00+05:30",
    ] {
        assert_eq!(body(words, &madrid), one, "{words}");
    }
    for words in ["2026-11-28T10:00:01", "2026-11-28T10:00:00Z", "2026-11-28T10:00:00.5"] {
        assert_ne!(body(words, &madrid), one, "{words}");
    }
    // A terminal whose clock is an hour behind.
    let canary = Declaration { timezone: Some(chrono_tz::Atlantic::Canary), ..madrid };
    assert_eq!(body("2026-11-28T09:00", &canary), one);
    assert_eq!(body("2026-11-28T10:00+01:00", &canary), one);
    // Where no zone is known, what was printed in one spelling.
    let nowhere = Declaration::default();
    assert!(body("2026-11-28 10:00", &nowhere).contains(r#""timestamp":"2026-11-28T10:00:00""#));
    assert!(body("2026-11-28 10:00Z", &nowhere).contains(r#""timestamp":"2026-11-28T10:00:00+00:00""#));
}

#[test]
fn row_46_zeros_and_exponents_that_are_exact_mean_nothing() {
    let idle = |text: &str, zeros: usize| format!("{text}{}", "0".repeat(zeros));
    check_all(&[
        ("0E-8", line("0E-8", "1", "0.00"), "{}", accepted(&["EXPONENT", "ZERO_PRICE"])),
        ("0e0", line("0e0", "1", "-0"), "{}", accepted(&["EXPONENT", "ZERO_PRICE"])),
        ("0E+400", line("0E+400", "1", "0"), "{}", accepted(&["EXPONENT", "ZERO_PRICE"])),
        ("-0", line("-0", "1", "0"), "{}", accepted(&["ZERO_PRICE"])),
        ("-0.0", line("-0.0", "1", "-0.00"), "{}", accepted(&["ZERO_PRICE"])),
        ("31 idle zeros", line("1.20", &idle("1.", 31), "1.20"), "{}", accepted(&[])),
        ("in all of them", line(&idle("1.2", 100), &idle("1.", 1000), &idle("1.20", 31)), "{}", accepted(&[])),
        ("idle zeros of a zero", line(&idle("0.", 40), "1", "0"), "{}", accepted(&["ZERO_PRICE"])),
        ("a zero quantity is none all the same", line("1", "0E-3", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
        ("1e2", line("1e2", "1", "100"), "{}", accepted(&["EXPONENT"])),
        ("120E-2", line("120E-2", "1", "1.2"), "{}", accepted(&["EXPONENT"])),
        ("too fine", line("1E-3", "1", "0"), "{}", ("quarantined", &["PRICE_SCALE"])),
        ("too large", line("1E+20", "1", "0"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("beyond all digits", line("1E+28", "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("as text", line(r#""0E-8""#, "1", "0"), "{}", ("quarantined", &["TYPE"])),
    ]);
    let body = |file: String| judge(file.as_bytes(), "{}").body;
    assert_eq!(body(line("0E-8", "1E0", "-0.0")), body(line("0", "1", "0")));
    assert_eq!(body(line("12E-1", &idle("1.", 31), "1.2")), body(line("1.20", "1", "1.20")));
}
