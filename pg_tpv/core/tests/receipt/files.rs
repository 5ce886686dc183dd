//! The file as a whole: whether it is one receipt, in which encoding, and which faults are listed.

use tpv_core::receipt::{Declaration, Limits, Outcome, parse};

use crate::judge::{accepted, check, check_all, judge, line, plain, receipt, terminal, with};

#[test]
fn a_plain_receipt_is_accepted_as_it_is() {
    check("plain", plain().as_bytes(), "{}", accepted(&[]));
    let read = receipt(&plain());
    assert_eq!(
        (read.receipt_id.as_str(), read.terminal_id.as_str(), read.department_code.as_str()),
        ("1", "T04", "04")
    );
    assert_eq!((read.series.as_str(), read.items[0].gtin14.as_deref()), ("", Some("04006381333931")));
    assert_eq!((read.total.to_string(), read.lines_total.to_string()), ("3".to_owned(), "3.00".to_owned()));
    assert_eq!(
        judge(plain().as_bytes(), "{}").body.unwrap(),
        r#"{"departmentCode":"04","items":[{"barcode":"4006381333931","description":"PAN","price":1.5,"quantity":2}],"receiptId":"1","terminalId":"T04","timestamp":"2026-06-30T22:15:00+00:00","total":3}"#
    );
}

#[test]
fn row_3_another_way_of_writing_it_is_the_same_content() {
    let other = r#"
      { "total" : 3, "timestamp": "2026-06-30T22:15:00Z", "terminalId": "T04", "receiptId": "\u0031", "departmentCode":"04",
        "series": "", "items": [ {"quantity": 2.000, "taxRate": null, "price": 1.5, "description": "P\u0041N", "barcode": "4006381333931"} ] } "#;
    let (one, two) = (judge(plain().as_bytes(), "{}"), judge(other.as_bytes(), "{}"));
    assert_eq!(one.body, two.body);
    assert_eq!(one.content_hash, two.content_hash);
    assert!(one.content_hash.is_some());
}

#[test]
fn rows_4_to_6_and_8_what_is_not_one_whole_object_is_quarantined() {
    let deep = format!(r#""total":3.00,"x":{}{}"#, "[".repeat(16), "]".repeat(16));
    check_all(&[
        ("4 cut", plain()[..60].to_owned(), "{}", ("quarantined", &["TRUNCATED"])),
        ("4 cut in a letter", "{\"a\":\"\u{D3}".to_owned(), "{}", ("quarantined", &["TRUNCATED"])),
        ("4 reserved, not yet written", format!("{}\0\0\0", &plain()[..60]), "{}", ("quarantined", &["TRUNCATED"])),
        ("5 zero bytes", String::new(), "{}", ("quarantined", &["EMPTY_FILE"])),
        ("5 white space", " \r\n\t".to_owned(), "{}", ("quarantined", &["EMPTY_FILE"])),
        ("5 only a mark", "\u{FEFF}".to_owned(), "{}", ("quarantined", &["EMPTY_FILE"])),
        ("6 another object", plain() + "{}", "{}", ("quarantined", &["TRAILING_DATA"])),
        ("6 a letter", plain() + "\nx", "{}", ("quarantined", &["TRAILING_DATA"])),
        ("6 NULs", plain() + "\0\0", "{}", ("quarantined", &["TRAILING_DATA"])),
        ("6 white space", plain() + "\r\n \t\n", "{}", accepted(&[])),
        ("8 total twice", with(r#""total""#, r#""total":3.00,"total""#), "{}", ("quarantined", &["DUP_KEY"])),
        (
            "8 deep inside",
            with(r#""total""#, r#""x":[{"y":{"k":1,"k":1}}],"total""#),
            "{}",
            ("quarantined", &["DUP_KEY"]),
        ),
        (
            "8 same in NFC",
            with(r#""total""#, "\"x\":{\"\u{D3}\":1,\"O\u{301}\":1},\"total\""),
            "{}",
            ("quarantined", &["DUP_KEY"]),
        ),
        ("not JSON", "receipt 1".to_owned(), "{}", ("quarantined", &["BAD_JSON"])),
        ("NaN", line("NaN", "1", "1"), "{}", ("quarantined", &["BAD_JSON"])),
        ("half a pair", with("PAN", r"\ud83d"), "{}", ("quarantined", &["BAD_JSON"])),
        ("an array", "[1]".to_owned(), "{}", ("quarantined", &["TYPE"])),
        ("too deep", with(r#""total":3.00"#, &deep), "{}", ("quarantined", &["TOO_DEEP"])),
        (
            "deep enough",
            with(r#""total":3.00"#, &deep.replacen('[', "", 1).replacen(']', "", 1)),
            "{}",
            accepted(&["EXTRA_FIELDS"]),
        ),
    ]);
}

#[test]
fn row_7_an_encoding_is_known_by_its_mark_or_declared() {
    let text = with("PAN", "JAMÓN");
    let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let page = |byte: u8| {
        let (before, after) = text.split_once('Ó').unwrap();
        [before.as_bytes(), &[byte], after.as_bytes()].concat()
    };
    let cp850 = r#"{"encoding": "CP850"}"#;
    let cp1252 = r#"{"encoding": "windows-1252"}"#;
    let same = |raw: &[u8], declares: &str| assert_eq!(judge(raw, declares).body, judge(text.as_bytes(), "{}").body);
    same(&[b"\xEF\xBB\xBF", text.as_bytes()].concat(), "{}");
    same(&[b"\xEF\xBB\xBF", text.as_bytes()].concat(), cp850);
    same(&[&b"\xFF\xFE"[..], &utf16(u16::to_le_bytes)].concat(), "{}");
    same(&[&b"\xFE\xFF"[..], &utf16(u16::to_be_bytes)].concat(), "{}");
    same(&page(0xD3), cp1252);
    same(&page(0xE0), cp850);
    check("UTF-16 without its mark", &utf16(u16::to_le_bytes), "{}", ("quarantined", &["ENCODING"]));
    check("CP1252 undeclared", &page(0xD3), "{}", ("quarantined", &["ENCODING"]));
    check("CP850 undeclared", &page(0xE0), "{}", ("quarantined", &["ENCODING"]));
    check("no letter of CP1252", &page(0x81), cp1252, ("quarantined", &["ENCODING"]));
}

#[test]
fn what_is_missing_or_of_another_type_is_told_with_its_place() {
    for key in ["receiptId", "terminalId", "departmentCode", "items", "total", "timestamp"] {
        let verdict = judge(with(&format!("\"{key}\""), "\"x\"").as_bytes(), "{}");
        let problems: Vec<_> = verdict.problems.iter().map(|p| (p.code, p.pointer.as_str())).collect();
        assert_eq!(problems, [("MISSING", format!("/{key}").as_str())]);
    }
    for key in ["barcode", "description", "price", "quantity"] {
        let verdict = judge(with(&format!("\"{key}\""), "\"x\"").as_bytes(), "{}");
        let problems: Vec<_> = verdict.problems.iter().map(|p| (p.code, p.pointer.as_str())).collect();
        assert_eq!(problems, [("MISSING", format!("/items/0/{key}").as_str())]);
    }
    check("items is text", with("[{", "\"").replace("}]", "\"").as_bytes(), "{}", ("quarantined", &["BAD_JSON"]));
    check("a line is a number", with("[{", "[1,{").as_bytes(), "{}", ("quarantined", &["TYPE"]));
    check(
        "items is an object",
        with("[{", "{\"a\":{").replace("}]", "}}").as_bytes(),
        "{}",
        ("quarantined", &["TYPE"]),
    );
    check("description is null", with(r#""PAN""#, "null").as_bytes(), "{}", ("quarantined", &["TYPE"]));
}

#[test]
fn problems_are_told_up_to_twenty_and_the_worst_come_first() {
    let bad = r#"{"barcode":1,"description":2,"price":"3","quantity":0.12345},"#.repeat(30);
    let verdict =
        parse(with("[{", &format!("[{bad}{{")).as_bytes(), &terminal(r#"{"department": "05"}"#), &Limits::default());
    assert_eq!(verdict.problems.len(), 20);
    assert_eq!(verdict.outcome, Outcome::Quarantined);
    assert_eq!((verdict.problems[0].code, verdict.problems[0].pointer.as_str()), ("TYPE", "/items/0/barcode"));
}

#[test]
fn limits_are_kept() {
    let one = r#"{"barcode":"4006381333931","description":"PAN","price":1.50,"quantity":2},"#;
    let lines = |count: usize| {
        with("[{", &format!("[{}{{", one.repeat(count - 1))).replace("3.00", &format!("{}.00", 3 * count))
    };
    check("2,000 lines", lines(2000).as_bytes(), "{}", accepted(&[]));
    check("5,000 lines", lines(5000).as_bytes(), "{}", ("quarantined", &["TOO_MANY_LINES"]));
    check("50 MB", &vec![b' '; 50_000_000], "{}", ("quarantined", &["TOO_LARGE"]));
    let small = Limits { max_bytes: 10, ..Limits::default() };
    assert_eq!(parse(plain().as_bytes(), &Declaration::default(), &small).problems[0].code, "TOO_LARGE");
}
