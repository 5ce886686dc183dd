//! The rows of the design's table of inputs that concern one file alone, and what stands beside the table.

use tpv_core::json;
use tpv_core::receipt::{Declaration, Limits, Outcome, Receipt, Verdict, parse};

/// What should come out: the word of the outcome, then codes of problems and flags in their order.
type Expected<'a> = (&'a str, &'a [&'a str]);

fn accepted<'a>(flags: &'a [&'a str]) -> Expected<'a> {
    ("accepted", flags)
}

fn terminal(declares: &str) -> Declaration {
    Declaration::from_json(&json::read(declares, 8).unwrap()).unwrap()
}

fn judge(raw: &[u8], declares: &str) -> Verdict {
    parse(raw, &terminal(declares), &Limits::default())
}

fn check(name: &str, raw: &[u8], declares: &str, expected: Expected<'_>) {
    let verdict = judge(raw, declares);
    let codes: Vec<_> =
        verdict.problems.iter().map(|problem| problem.code).chain(verdict.flags.iter().copied()).collect();
    assert_eq!((verdict.outcome.word(), &codes[..]), expected, "{name}: {:?}", verdict.problems);
    assert_eq!(verdict.outcome == Outcome::Quarantined, verdict.receipt.is_none(), "{name}");
    assert_eq!(verdict.body.is_some(), verdict.receipt.is_some(), "{name}");
    assert_eq!(verdict.content_hash.is_some(), verdict.receipt.is_some(), "{name}");
}

/// Checks rows of (name, file, what the terminal declares, what should come out).
fn check_all(rows: &[(&str, String, &str, Expected<'_>)]) {
    for (name, file, declares, expected) in rows {
        check(name, file.as_bytes(), declares, *expected);
    }
}

/// A receipt of one line of 2 × 1.50, with one thing replaced.
fn with(from: &str, to: &str) -> String {
    let plain = r#"{"receiptId":"1","terminalId":"T04","departmentCode":"04","items":[{"barcode":"4006381333931","description":"PAN","price":1.50,"quantity":2}],"total":3.00,"timestamp":"2026-06-30T22:15:00Z"}"#;
    assert!(plain.contains(from), "{from}");
    plain.replacen(from, to, 1)
}

/// A receipt of one line.
fn line(price: &str, quantity: &str, total: &str) -> String {
    with(
        r#""price":1.50,"quantity":2}],"total":3.00"#,
        &format!(r#""price":{price},"quantity":{quantity}}}],"total":{total}"#),
    )
}

fn plain() -> String {
    with("1", "1")
}

fn receipt(file: &str) -> Receipt {
    judge(file.as_bytes(), "{}").receipt.unwrap()
}

const NUMBERS: &str = r#"{"price_decimals": 4}"#;

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
        r#"{"departmentCode":"04","items":[{"barcode":"4006381333931","description":"PAN","price":1.5,"quantity":2}],"receiptId":"1","terminalId":"T04","timestamp":"2026-06-30T22:15:00Z","total":3}"#
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
fn row_9_a_number_as_text_is_never_guessed_at() {
    let comma = r#"{"decimal_comma": true}"#;
    check_all(&[
        ("12,50", line(r#""12,50""#, "1", "12.50"), "{}", ("quarantined", &["TYPE"])),
        ("1.234", line(r#""1.234""#, "1", "1.23"), "{}", ("quarantined", &["TYPE"])),
        ("12,50 declared", line(r#""12,50""#, r#""1""#, r#""12,50""#), comma, accepted(&[])),
        ("a number all the same", line("12.50", "1", "12.50"), comma, accepted(&[])),
        ("minus", line(r#""12,50""#, r#""-1""#, r#""-12,50""#), comma, accepted(&[])),
        ("three decimals", line(r#""12,505""#, r#""1""#, r#""12,50""#), comma, ("quarantined", &["PRICE_SCALE"])),
        ("a minus zero", line(r#""-0,00""#, r#""1""#, "0"), comma, ("quarantined", &["NUMBER_FORMAT"])),
        ("40 digits", line(&format!("\"{}\"", "1".repeat(40)), "1", "0"), comma, ("quarantined", &["NUMBER_FORMAT"])),
    ]);
    for text in ["1.234", "1.234,50", "1,234,50", "1 234", "", ",5", "5,", "+1", "1e2", "--1", "-", " 1", "١", "NaN"] {
        check(text, line(&format!("\"{text}\""), "1", "1").as_bytes(), comma, ("quarantined", &["TYPE"]));
    }
    let plain_number = judge(line("12.5", "1", "12.5").as_bytes(), "{}");
    let as_text = judge(line(r#""012,50""#, r#""1""#, r#""12,5""#).as_bytes(), comma);
    assert_eq!(as_text.body, plain_number.body);
}

#[test]
fn rows_10_and_11_decimals_are_exact_and_what_a_float_left_is_taken_back() {
    check_all(&[
        ("1.005", line("1.005", "1", "1.01"), "{}", ("quarantined", &["PRICE_SCALE"])),
        ("1.005 declared", line("1.005", "1", "1.01"), NUMBERS, accepted(&[])),
        ("five decimals", line("1.00005", "1", "1.00"), NUMBERS, ("quarantined", &["PRICE_SCALE"])),
        ("a total of three", line("1.005", "1", "1.005"), NUMBERS, ("quarantined", &["PRICE_SCALE"])),
        ("idle zeros", line("1.5000", "1.0000", "1.5000"), "{}", accepted(&[])),
        ("0.1 + 0.2", line("0.30000000000000004", "1", "0.30"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("below", line("5.999999999999999", "1", "6"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("in the total", line("0.30", "1", "0.30000000000000004"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("in the quantity", line("1", "0.45500000000000002", "0.46"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("as near as that", line("0.300000001", "1", "0.30"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("further off", line("0.3000000011", "1", "0.30"), "{}", ("quarantined", &["PRICE_SCALE"])),
        ("nothing at all", line("1", "0.0000000001", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
    ]);
    assert_eq!(
        judge(line("1.005", "1", "1.01").as_bytes(), NUMBERS).receipt.unwrap().items[0].total.to_string(),
        "1.01"
    );
    let artefact = judge(line("0.30000000000000004", "1", "0.3").as_bytes(), "{}");
    assert_eq!(artefact.body, judge(line("0.3", "1", "0.30").as_bytes(), "{}").body);
}

#[test]
fn rows_12_and_13_the_printed_total_stands_within_a_cent_for_each_weighed_line() {
    check_all(&[
        ("exact", line("12.90", "0.455", "5.87"), "{}", accepted(&[])),
        ("cut off", line("12.90", "0.455", "5.86"), "{}", accepted(&["ROUNDING"])),
        ("above", line("12.90", "0.455", "5.88"), "{}", accepted(&["ROUNDING"])),
        ("two cents", line("12.90", "0.455", "5.85"), "{}", ("held", &["TOTAL_MISMATCH"])),
        ("no weight, no tolerance", line("1.50", "2", "3.01"), "{}", ("held", &["TOTAL_MISMATCH"])),
        ("a tolerance declared", line("1.50", "2", "3.05"), r#"{"total_tolerance_cents": 5}"#, accepted(&["ROUNDING"])),
        ("beyond it", line("1.50", "2", "3.06"), r#"{"total_tolerance_cents": 5}"#, ("held", &["TOTAL_MISMATCH"])),
        ("both", line("12.90", "0.455", "5.93"), r#"{"total_tolerance_cents": 5}"#, accepted(&["ROUNDING"])),
        ("whole pieces at tenths of a cent", line("1.005", "1", "1.00"), NUMBERS, accepted(&["ROUNDING"])),
    ]);
    let read = receipt(&line("12.90", "0.455", "5.86"));
    assert_eq!((read.total_difference.to_string(), read.total.to_string()), ("-0.01".to_owned(), "5.86".to_owned()));
}

#[test]
fn rows_14_to_17_signs_and_zeros() {
    let two = |first: &str, second: &str, total: &str| {
        let lines = format!(
            r#"{{"barcode":"4006381333931","description":"A","price":2.00,"quantity":{first}}},{{"barcode":"4011","description":"B","price":0.50,"quantity":{second}}}"#
        );
        let start = plain().find('[').unwrap() + 1;
        let end = plain().find(']').unwrap();
        format!("{}{lines}{}", &plain()[..start], &plain()[end..]).replacen("3.00", total, 1)
    };
    check_all(&[
        ("14 one line taken back", two("3", "-1", "5.50"), "{}", accepted(&["PLU"])),
        ("15 all taken back", two("-3", "-1", "-6.50"), "{}", accepted(&["PLU"])),
        ("a discount as a line", line("-1.50", "1", "-1.50"), "{}", accepted(&[])),
        ("16 nothing to pay", line("0.00", "1", "0.00"), "{}", accepted(&["ZERO_PRICE"])),
        (
            "17 no lines",
            with(&plain()[plain().find("[{").unwrap()..=plain().find("}]").unwrap() + 1], "[]"),
            "{}",
            ("quarantined", &["NO_ITEMS"]),
        ),
        ("17 quantity 0", line("1.50", "0", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
        ("17 quantity 0.000", line("1.50", "0.000", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
    ]);
    let (sale, void) = (receipt(&two("3", "1", "6.50")), receipt(&two("-3", "-1", "-6.50")));
    assert!(void.wholly_negative() && !sale.wholly_negative());
    assert!(!receipt(&two("3", "-1", "5.50")).wholly_negative());
    assert!(void.is_twin_of(&sale) && sale.is_twin_of(&void));
    assert!(!void.is_twin_of(&void) && !sale.is_twin_of(&sale));
    let mut turned = void.clone();
    turned.items.reverse();
    assert!(turned.is_twin_of(&sale));
    turned.items[0].price += rust_decimal::Decimal::ONE;
    assert!(!turned.is_twin_of(&sale));
}

#[test]
fn rows_18_and_19_numbers_that_no_column_holds() {
    check_all(&[
        ("18 a large price is a receipt", line("12345.67", "1", "12345.67"), "{}", accepted(&[])),
        ("19 four decimals", line("1.00", "0.4555", "0.46"), "{}", ("held", &["QUANTITY_SCALE"])),
        ("19 a third", line("1.00", "0.3333333333333333", "0.33"), "{}", ("held", &["QUANTITY_SCALE"])),
        ("19 1500 kg", line("1.00", "1500", "1500"), "{}", accepted(&[])),
        ("price", line("10000000000", "1", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("quantity", line("0.01", "100000000000", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("total", line("1", "1", "1000000000000"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("product", line("9999999999", "99999999999", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("1e2", line("1e2", "1", "100"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        (
            "1E+1, which is how the samples write ten pieces",
            line("0.20", "1E+1", "2.00"),
            "{}",
            accepted(&["EXPONENT"]),
        ),
        ("1e400", line("1e400", "1", "100"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("1e1000000", line("1e1000000", "1", "100"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("1e-400", line("1", "1", "1e-400"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("-0", line("-0", "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("40 digits", line(&"1".repeat(40), "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("40 decimals", line(&format!("0.{}", "1".repeat(40)), "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        (
            "where nobody looks",
            with(r#""total""#, r#""x":[{"y":1e131071}],"total""#),
            "{}",
            ("quarantined", &["NUMBER_FORMAT"]),
        ),
    ]);
}

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

#[test]
fn a_tax_rate_is_a_percentage() {
    let rate = |text: &str| with(r#""price""#, &format!(r#""taxRate":{text},"price""#));
    check_all(&[
        ("21", rate("21"), "{}", accepted(&[])),
        ("0", rate("0"), "{}", accepted(&[])),
        ("5.5", rate("5.50"), "{}", accepted(&[])),
        ("null", rate("null"), "{}", accepted(&[])),
        ("negative", rate("-1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("above", rate("100.01"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("too fine", rate("5.555"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("text", rate(r#""21%""#), "{}", ("quarantined", &["TYPE"])),
    ]);
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
