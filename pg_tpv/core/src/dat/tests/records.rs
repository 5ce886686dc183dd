use super::*;

const RECEIPT: &str = r#"{"receiptId":"7","departmentCode":"04","items":[
    {"price":12.90,"quantity":0.455},{"price":1.005,"quantity":2},{"price":0.10,"quantity":-1}],
    "total":7.77,"timestamp":"2026-06-30T09:05:07+02:00"}"#;

fn text(profile: &str, receipt: &str) -> String {
    latin(&rendered(profile, receipt).unwrap().bytes)
}

#[test]
fn header_and_total_count_and_sum() {
    let profile = r#"{
        "header": {"fields": [{"type":"constant","value":"H","length":1},
            {"name":"receiptId","length":4,"align":"right","pad":"0"}, {"name":"lineCount","length":2}]},
        "line": {"fields": [{"type":"constant","value":"L","length":1},
            {"type":"counter","length":2,"align":"right","pad":"0"},
            {"name":"lineTotal","type":"price","sign":"leading","length":5,"align":"right","pad":"0"},
            {"name":"lineNumber","length":1}]},
        "total": {"fields": [{"type":"constant","value":"T","length":1},
            {"type":"counter","length":2,"align":"right","pad":"0"},
            {"name":"sum(price)","type":"price","decimals":3,"length":6,"align":"right","pad":"0"},
            {"source":"sum(quantity)","name":"q","type":"quantity","length":6,"align":"right","pad":"0"},
            {"source":"sum:lineTotal","type":"price","length":5,"align":"right","pad":"0"},
            {"name":"total","length":5},{"type":"filler","pad":".","length":2}]},
        "line_end":"lf","trailing_line_end":true,"eof_1a":true}"#;
    // 12.90 × 0.455 = 5.8695 → 5.87; 1.005 × 2 = 2.01; 0.10 × −1 = −0.10.
    assert_eq!(text(profile, RECEIPT), "H00073 \nL01005871\nL02002012\nL03-00103\nT03014005001455007787.77 ..\n\x1a");
}

#[test]
fn each_line_s_total_is_rounded_to_cents_before_it_is_shown_or_summed() {
    let profile = r#"{"fields":[{"name":"lineTotal","length":6}],
        "total":{"fields":[{"name":"sum(lineTotal)","length":6}]},"line_end":"lf"}"#;
    let receipt =
        r#"{"items":[{"price":12.90,"quantity":0.455},{"price":0.01,"quantity":0.5},{"price":0.01,"quantity":-0.5}]}"#;
    assert_eq!(text(profile, receipt), "5.87  \n0.01  \n-0.01 \n5.87  ");
    let thrice =
        r#"{"items":[{"price":0.01,"quantity":0.5},{"price":0.01,"quantity":0.5},{"price":0.01,"quantity":0.5}]}"#;
    assert!(text(profile, thrice).ends_with("0.03  "));
}

#[test]
fn records_are_joined_and_the_end_is_bare_unless_the_profile_says_otherwise() {
    let profile = |options: &str| format!(r#"{{"fields":[{{"type":"counter","length":1}}]{options}}}"#);
    let two = r#"{"items":[{},{}]}"#;
    for (options, bytes) in [
        ("", "1\r\n2"),
        (r#","trailing_line_end":true"#, "1\r\n2\r\n"),
        (r#","line_end":"cr""#, "1\r2"),
        (r#","line_end":"\n","eof_1a":true"#, "1\n2\x1a"),
        (r#","line_end":"none","trailing_line_end":true"#, "12"),
    ] {
        assert_eq!(text(&profile(options), two), bytes);
    }
    assert_eq!(text(&profile(r#","trailing_line_end":true"#), r#"{"items":[]}"#), "");
}

#[test]
fn a_source_overrides_the_name_and_may_say_where_to_look() {
    let profile = r#"{"fields":[{"name":"a","source":"b","length":2},{"name":"c","source":"line.a","length":2},
        {"name":"c","source":"receipt.a","length":2},{"name":"x","source":"line.lineNumber","length":2}]}"#;
    assert_eq!(text(profile, r#"{"a":"R","items":[{"a":"L","b":"B","lineNumber":"9"}]}"#), "B L R 9 ");
    let only_line = r#"{"fields":[{"source":"line.a","length":2}]}"#;
    assert_eq!(refusal(rendered(only_line, r#"{"a":"R","items":[{}]}"#)), ("MISSING_FIELD", "/items/0/a".to_owned()));
    let odd = r#"{"fields":[{"source":"receipt.a/b~c","length":2}]}"#;
    assert_eq!(refusal(rendered(odd, r#"{"items":[{}]}"#)), ("MISSING_FIELD", "/a~1b~0c".to_owned()));
}

#[test]
fn of_two_keys_the_one_that_the_caller_appended_counts() {
    let receipt = Value::Object(vec![
        ("items".to_owned(), Value::Array(vec![Value::Object(vec![])])),
        ("businessDate".to_owned(), Value::String("1999-01-01".to_owned())),
        ("businessDate".to_owned(), Value::String("2026-06-30".to_owned())),
    ]);
    let day = profile(r#"{"fields":[{"name":"businessDate","type":"date","length":6}]}"#);
    assert_eq!(latin(&render(&day, &receipt).unwrap().bytes), "300626");
}

#[test]
fn what_is_missing_is_an_error_a_blank_or_a_zero() {
    for value in ["null", r#"null,"y":1"#] {
        assert_eq!(refusal(one_field(r#""length":4"#, value)), ("MISSING_FIELD", "/items/0/x".to_owned()));
        assert_eq!(one_field(r#""length":4,"missing":"blank","pad":"0""#, value).unwrap(), "    ");
        assert_eq!(one_field(r#""length":4,"missing":"zero""#, value).unwrap(), "0000");
        let number = r#""type":"price","length":4,"align":"right","missing""#;
        assert_eq!(one_field(&format!(r#"{number}:"blank""#), value).unwrap(), "    ");
        assert_eq!(one_field(&format!(r#"{number}:"zero""#), value).unwrap(), "   0");
        assert_eq!(one_field(&format!(r#"{number}:"zero","sign":"overpunch","pad":"0""#), value).unwrap(), "000{");
        assert_eq!(one_field(r#""type":"date","length":6,"missing":"zero""#, value).unwrap(), "000000");
    }
    let sum = r#"{"fields":[{"source":"sum(price)","length":4,"missing":"zero"}]}"#;
    assert_eq!(refusal(rendered(sum, r#"{"items":[{"price":1},{}]}"#)), ("MISSING_FIELD", "/items/1/price".to_owned()));
}

#[test]
fn dates_and_times_show_the_wall_clock_as_written() {
    let dated = |format: &str, value: &str| one_field(&format!(r#""format":"{format}","length":20"#), value);
    for (format, shown) in [
        ("ddMMyy", "070326"),
        ("yyyy-MM-dd", "2026-03-07"),
        ("yyDDD", "26066"),
        ("HHmmss", "090507"),
        ("dd/MM/yyyy HH:mm", "07/03/2026 09:05"),
    ] {
        let made = dated(format, r#""2026-03-07T09:05:07.123-11:00""#).unwrap();
        assert_eq!(made.trim_end(), shown);
        assert_eq!(made.len(), 20);
    }
    assert_eq!(one_field(r#""type":"date","length":6"#, r#""2026-03-07""#).unwrap(), "070326");
    assert_eq!(one_field(r#""type":"time","length":6"#, r#""2026-03-07 09:05""#).unwrap(), "090500");
}

#[test]
fn what_is_no_date_is_refused() {
    for value in [
        "",
        "2026-02-29",
        "2026-13-01",
        "26-01-01",
        "2026-01-01T",
        "2026-01-01T24:00",
        "2026-01-01T10:00:60",
        "2026-01-01T10:00:00+2",
        "2026-01-01T10:00:00.Z",
        "2026-01-01 10:00 ",
        "2026-01-01X10:00",
        "２026-01-01",
    ] {
        let refused = one_field(r#""type":"date","length":6"#, &format!("{value:?}"));
        assert_eq!(refusal(refused), ("BAD_DATE", "/items/0/x".to_owned()), "{value}");
    }
    assert_eq!(refusal(one_field(r#""type":"time","length":6"#, r#""2026-01-01""#)).0, "BAD_DATE");
}

#[test]
fn a_receipt_without_its_outline_is_refused() {
    for (receipt, code, pointer) in [
        ("[]", "WRONG_TYPE", ""),
        ("{}", "MISSING_FIELD", "/items"),
        (r#"{"items":{}}"#, "WRONG_TYPE", "/items"),
        (r#"{"items":[{},7]}"#, "WRONG_TYPE", "/items/1"),
    ] {
        assert_eq!(
            refusal(rendered(r#"{"fields":[{"type":"counter","length":1}]}"#, receipt)),
            (code, pointer.to_owned())
        );
    }
    let ten = format!(r#"{{"items":[{}{{}}]}}"#, "{},".repeat(9));
    let counter = r#"{"fields":[{"type":"counter","length":1}]}"#;
    assert_eq!(refusal(rendered(counter, &ten)), ("FIELD_OVERFLOW", "/items/9".to_owned()));
}

#[test]
fn a_refusal_has_its_code_and_sqlstate() {
    use crate::dat::render_error::RenderErrorKind::*;
    for (kind, code, sqlstate) in [
        (FieldOverflow, "FIELD_OVERFLOW", "22001"),
        (QuantityScale, "QUANTITY_SCALE", "22001"),
        (SignUndefined, "SIGN_UNDEFINED", "22023"),
        (MissingField, "MISSING_FIELD", "22004"),
        (WrongType, "WRONG_TYPE", "22023"),
        (BadDate, "BAD_DATE", "22007"),
        (BadName, "BAD_NAME", "22023"),
    ] {
        assert_eq!((kind.code(), kind.sqlstate()), (code, sqlstate));
    }
}
