//! Texts: descriptions, barcodes, identifiers, timestamps, and members that nobody knows.

use crate::judge::{accepted, check, check_all, judge, line, plain, receipt, with};

#[test]
fn rows_20_to_23_text_is_kept_whole() {
    let long = "“JAMÓN” ibérico… ".repeat(7);
    check_all(&[
        ("20 118 characters and more", with("PAN", &long), "{}", accepted(&[])),
        ("21 CR LF TAB", with("PAN", r"A\r\nB\tC"), "{}", accepted(&["CONTROL_CHARS"])),
        ("21 NUL and SUB", with("PAN", r"A\u0000B\u001a"), "{}", accepted(&["CONTROL_CHARS"])),
        ("21 DEL", with("PAN", "A\u{7f}"), "{}", accepted(&["CONTROL_CHARS"])),
        (
            "21 in an unknown key",
            with(r#""total""#, r#""x\u0001":1,"total""#),
            "{}",
            accepted(&["CONTROL_CHARS", "EXTRA_FIELDS"]),
        ),
        ("22 decomposed", with("PAN", "JAMO\u{301}N"), "{}", accepted(&[])),
        ("23 emoji", with("PAN", "😀 中 €"), "{}", accepted(&[])),
    ]);
    assert_eq!(
        judge(with("PAN", "JAMO\u{301}N").as_bytes(), "{}").body,
        judge(with("PAN", "JAMÓN").as_bytes(), "{}").body
    );
    let with_nul = judge(with("PAN", r"A\u0000B").as_bytes(), "{}");
    assert!(with_nul.body.unwrap().contains(r#""description":"A\u0000B""#));
    assert_eq!(with_nul.receipt.unwrap().items[0].description, "A\0B");
}

#[test]
fn rows_24_to_26_barcodes_never_stop_a_receipt_that_is_text() {
    let barcode = |text: &str| with(r#""4006381333931""#, text);
    let numeric = r#"{"numeric_barcode": true}"#;
    check_all(&[
        ("24 a number", barcode("36000291452"), "{}", ("quarantined", &["TYPE"])),
        ("24 a number declared", barcode("4006381333931"), numeric, accepted(&[])),
        ("24 its zero lost", barcode("36000291452"), numeric, accepted(&["BARCODE"])),
        ("24 a fraction", barcode("1.5"), numeric, ("quarantined", &["TYPE"])),
        ("24 a minus", barcode("-15"), numeric, ("quarantined", &["TYPE"])),
        ("24 twelve digits", barcode(r#""036000291452""#), "{}", accepted(&[])),
        ("25 wrong check digit", barcode(r#""4006381333932""#), "{}", accepted(&["CHECK_DIGIT"])),
        ("25 six digits", barcode(r#""123456""#), "{}", accepted(&["PLU"])),
        ("neither", barcode(r#""ABC-1""#), "{}", accepted(&["BARCODE"])),
        ("empty", barcode(r#""""#), "{}", accepted(&["BARCODE"])),
        ("a novel", barcode(&format!("\"{}\"", "x".repeat(513))), "{}", ("quarantined", &["TOO_LARGE"])),
    ]);
    let gtin14 = |text: &str| receipt(&barcode(text)).items[0].gtin14.clone();
    assert_eq!(gtin14(r#""036000291452""#).as_deref(), Some("00036000291452"));
    assert_eq!(gtin14(r#""4006381333932""#), None);
    assert_eq!(judge(barcode("4006381333931").as_bytes(), numeric).body, judge(plain().as_bytes(), "{}").body);
}

#[test]
fn row_26_a_scale_label_is_compared_with_its_line() {
    let label = |price: &str, quantity: &str, total: &str| {
        line(price, quantity, total).replace("4006381333931", "2112345004501")
    };
    let rule = |kind: &str, decimals: u8| {
        format!(
            r#"{{"barcode_rules": [{{"name": "label", "prefix": "21", "length": 13, "kind": "{kind}", "decimals": {decimals},
            "item": {{"start": 3, "length": 5}}, "value": {{"start": 8, "length": 5}}, "department": "04"}}]}}"#
        )
    };
    let (price, weight) = (rule("price", 2), rule("weight", 3));
    check_all(&[
        ("5.40 on the line", label("12.00", "0.450", "5.40"), &price, accepted(&["LABEL_MISMATCH"])),
        ("4.50 on the line", label("10.00", "0.450", "4.50"), &price, accepted(&[])),
        ("taken back", label("10.00", "-0.450", "-4.50"), &price, accepted(&[])),
        ("the weight", label("12.00", "0.450", "5.40"), &weight, accepted(&[])),
        ("another weight", label("12.00", "0.451", "5.41"), &weight, accepted(&["LABEL_MISMATCH"])),
        ("no rule", label("12.00", "0.450", "5.40"), "{}", accepted(&[])),
        ("another department's", label("12.00", "0.450", "5.40").replace(r#""04""#, r#""05""#), &price, accepted(&[])),
    ]);
    assert_eq!(receipt(&label("12.00", "0.450", "5.40")).items[0].total.to_string(), "5.40");
}

#[test]
fn row_28_an_identifier_is_safe_in_a_path() {
    for id in ["../../x", "A/1", "CON", "con.1", &"9".repeat(200), "a.", "", " 1", "..", "Ñ", "A\\\\1", "1\\u0000"] {
        for key in [r#""receiptId":"1""#, r#""terminalId":"T04""#, r#""departmentCode":"04""#] {
            let (name, _) = key.split_once(':').unwrap();
            check(id, with(key, &format!("{name}:\"{id}\"")).as_bytes(), "{}", ("quarantined", &["BAD_ID"]));
        }
        if !id.is_empty() {
            check(
                id,
                with(r#""total""#, &format!(r#""series":"{id}","total""#)).as_bytes(),
                "{}",
                ("quarantined", &["BAD_ID"]),
            );
        }
    }
    check("a number", with(r#""receiptId":"1""#, r#""receiptId":1"#).as_bytes(), "{}", ("quarantined", &["TYPE"]));
    assert_eq!(receipt(&with(r#""total""#, r#""series":"B","total""#)).series, "B");
}

#[test]
fn row_29_a_timestamp_is_a_time_of_the_calendar() {
    let at = |text: &str| with("2026-06-30T22:15:00Z", text);
    check_all(&[
        ("with an offset", at("2026-06-30T22:15:00+02:00"), "{}", accepted(&[])),
        ("without", at("2026-10-25 02:30"), "{}", accepted(&[])),
        ("never in Madrid, for the store to say", at("2026-03-29T02:30"), "{}", accepted(&[])),
        ("no such day", at("2026-02-30T22:15:00Z"), "{}", ("quarantined", &["TIMESTAMP"])),
        ("another order", at("30/06/2026 22:15"), "{}", ("quarantined", &["TIMESTAMP"])),
        ("a number", at("1").replace(r#""1"}"#, "1782857700}"), "{}", ("quarantined", &["TYPE"])),
    ]);
}

#[test]
fn row_30_what_a_receipt_says_of_itself_is_what_was_registered() {
    check_all(&[
        ("its terminal", plain(), r#"{"terminal": "T04", "department": "04"}"#, accepted(&[])),
        ("another terminal", plain(), r#"{"terminal": "T05"}"#, ("quarantined", &["WRONG_TERMINAL"])),
        ("another department", plain(), r#"{"department": "05"}"#, ("held", &["WRONG_DEPARTMENT"])),
    ]);
}

#[test]
fn unknown_members_are_kept_and_hashed() {
    let more = with(r#""total""#, r#""cashier":{"name":"Ana","n":1.50},"total""#);
    check("at the top", more.as_bytes(), "{}", accepted(&["EXTRA_FIELDS"]));
    check("in a line", with(r#""price""#, r#""lot":"7","price""#).as_bytes(), "{}", accepted(&["EXTRA_FIELDS"]));
    let verdict = judge(more.as_bytes(), "{}");
    assert!(verdict.body.unwrap().contains(r#""cashier":{"n":1.5,"name":"Ana"}"#));
    assert_ne!(verdict.content_hash, judge(plain().as_bytes(), "{}").content_hash);
}
