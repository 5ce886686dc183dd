use super::super::{check, is_warning};
use super::*;

/// The faults of a profile: pointer and code.
fn faults(profile: &str) -> Vec<(String, &'static str)> {
    let value = json(profile);
    let problems: Vec<_> = check(&value).into_iter().filter(|problem| !is_warning(problem)).collect();
    assert_eq!(Profile::from_json(&value).err().unwrap_or_default(), problems);
    problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
}

/// The faults of one field of a line.
fn field_faults(field: &str) -> Vec<(String, &'static str)> {
    let strip = |pointer: String| pointer.strip_prefix("/fields/0").unwrap().to_owned();
    faults(&format!(r#"{{"fields":[{field}]}}"#)).into_iter().map(|(pointer, code)| (strip(pointer), code)).collect()
}

#[test]
fn the_legacy_profile_has_none() {
    assert_eq!(faults(Profile::legacy_json()), []);
}

#[test]
fn each_fault_of_a_field_has_its_place_and_code() {
    for (field, pointer, code) in [
        ("7", "", "WRONG_TYPE"),
        (r#"{"name":"a"}"#, "/length", "MISSING_KEY"),
        (r#"{"length":3}"#, "/name", "MISSING_KEY"),
        (r#"{"name":7,"length":3}"#, "/name", "WRONG_TYPE"),
        (r#"{"name":"a","length":0}"#, "/length", "BAD_VALUE"),
        (r#"{"name":"a","length":1001}"#, "/length", "BAD_VALUE"),
        (r#"{"name":"a","length":3.5}"#, "/length", "BAD_VALUE"),
        (r#"{"name":"a","length":"3"}"#, "/length", "WRONG_TYPE"),
        (r#"{"name":"a","length":null}"#, "/length", "MISSING_KEY"),
        (r#"{"name":"a","length":3,"algin":"left"}"#, "/algin", "UNKNOWN_KEY"),
        (r#"{"name":"a","length":3,"align":"centre"}"#, "/align", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"align":true}"#, "/align", "WRONG_TYPE"),
        (r#"{"name":"a","length":3,"pad":""}"#, "/pad", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"pad":"ab"}"#, "/pad", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"pad":"\n"}"#, "/pad", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"pad":"ñ"}"#, "/pad", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"pad":0}"#, "/pad", "WRONG_TYPE"),
        (r#"{"name":"a","length":3,"type":"money"}"#, "/type", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"case":"title"}"#, "/case", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"missing":"skip"}"#, "/missing", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"overflow":"wrap"}"#, "/overflow", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"type":"price","overflow":"truncate"}"#, "/overflow", "BAD_OPTION"),
        (r#"{"name":"a","length":6,"type":"date","overflow":"truncate"}"#, "/overflow", "BAD_OPTION"),
        (r#"{"name":"a","length":3,"type":"counter","overflow":"truncate"}"#, "/overflow", "BAD_OPTION"),
        (r#"{"name":"a","length":3,"decimals":2}"#, "/decimals", "BAD_OPTION"),
        (r#"{"name":"a","length":3,"type":"integer","decimals":2}"#, "/decimals", "BAD_OPTION"),
        (r#"{"name":"a","length":3,"type":"price","decimals":10}"#, "/decimals", "BAD_VALUE"),
        (r#"{"name":"a","length":3,"type":"price","case":"upper"}"#, "/case", "BAD_OPTION"),
        (r#"{"name":"a","length":3,"type":"text","format":"ddMMyy"}"#, "/format", "BAD_OPTION"),
        (r#"{"name":"a","length":6,"format":"ddMMMyy"}"#, "/format", "BAD_FORMAT"),
        (r#"{"name":"a","length":6,"format":"ddmmaa"}"#, "/format", "BAD_FORMAT"),
        (r#"{"name":"a","length":6,"format":""}"#, "/format", "BAD_FORMAT"),
        (r#"{"name":"a","length":6,"format":"dd\nMM"}"#, "/format", "BAD_FORMAT"),
        (r#"{"name":"a","length":6,"format":7}"#, "/format", "WRONG_TYPE"),
        (r#"{"name":"a","length":7,"format":"ddMMyyyy"}"#, "/format", "TOO_LONG"),
        (r#"{"name":"a","length":5,"type":"time"}"#, "/format", "TOO_LONG"),
        (r#"{"name":"a","length":3,"type":"price","sign":"both"}"#, "/sign", "BAD_VALUE"),
        (
            r#"{"name":"a","length":3,"type":"price","sign":"leading","sign_positive":"+"}"#,
            "/sign_positive",
            "BAD_OPTION",
        ),
        (
            r#"{"name":"a","length":3,"type":"price","sign":"trailing","sign_negative":" "}"#,
            "/sign_negative",
            "BAD_VALUE",
        ),
        (
            r#"{"name":"a","length":3,"type":"price","sign":"trailing","sign_negative":"CR"}"#,
            "/sign_negative",
            "BAD_VALUE",
        ),
        (r#"{"name":"a","length":1,"type":"price","sign":"trailing"}"#, "/length", "BAD_VALUE"),
        (r#"{"source":"","length":3}"#, "/source", "BAD_SOURCE"),
        (r#"{"source":"line.","length":3}"#, "/source", "BAD_SOURCE"),
        (r#"{"source":"sum(total)","length":3}"#, "/source", "BAD_SOURCE"),
        (r#"{"source":1,"length":3}"#, "/source", "WRONG_TYPE"),
        (r#"{"type":"constant","length":3}"#, "/value", "MISSING_KEY"),
        (r#"{"type":"constant","length":3,"value":1}"#, "/value", "WRONG_TYPE"),
        (r#"{"type":"constant","length":3,"value":"abcd"}"#, "/value", "TOO_LONG"),
        (r#"{"type":"constant","length":3,"value":"🐟"}"#, "/value", "NOT_ENCODABLE"),
        (r#"{"type":"constant","length":3,"value":"a\tb"}"#, "/value", "BAD_VALUE"),
        (r#"{"type":"constant","length":3,"value":"a","source":"b"}"#, "/source", "BAD_OPTION"),
        (r#"{"type":"filler","length":3,"missing":"zero"}"#, "/missing", "BAD_OPTION"),
    ] {
        assert_eq!(field_faults(field), [(pointer.to_owned(), code)], "{field}");
    }
}

#[test]
fn each_fault_of_a_file_has_its_place_and_code() {
    let many = vec![r#"{"type":"filler","length":1}"#; 201].join(",");
    let wide = [r#"{"type":"filler","length":1000}"#; 11].join(",");
    let line = r#""fields":[{"type":"filler","length":1}]"#;
    for (profile, pointer, code) in [
        ("7", "", "WRONG_TYPE"),
        ("{}", "/fields", "MISSING_KEY"),
        (r#"{"fields":[]}"#, "/fields", "BAD_VALUE"),
        (r#"{"fields":{}}"#, "/fields", "WRONG_TYPE"),
        (&format!(r#"{{"fields":[{many}]}}"#), "/fields", "BAD_VALUE"),
        (&format!(r#"{{"fields":[{wide}]}}"#), "/fields", "TOO_LONG"),
        (&format!(r#"{{{line},"line":{{{line}}}}}"#), "/fields", "CONFLICT"),
        (r#"{"line":{}}"#, "/line/fields", "MISSING_KEY"),
        (r#"{"line":[]}"#, "/line", "WRONG_TYPE"),
        (&format!(r#"{{"line":{{{line},"x":1}}}}"#), "/line/x", "UNKNOWN_KEY"),
        (
            &format!(r#"{{{line},"header":{{"fields":[{{"name":"lineTotal","length":3}}]}}}}"#),
            "/header/fields/0/name",
            "BAD_SOURCE",
        ),
        (
            &format!(r#"{{{line},"total":{{"fields":[{{"source":"line.x","length":3}}]}}}}"#),
            "/total/fields/0/source",
            "BAD_SOURCE",
        ),
        (&format!(r#"{{{line},"feilds":[]}}"#), "/feilds", "UNKNOWN_KEY"),
        (&format!(r#"{{{line},"encoding":"ebcdic"}}"#), "/encoding", "BAD_VALUE"),
        (&format!(r#"{{{line},"encoding":850}}"#), "/encoding", "WRONG_TYPE"),
        (&format!(r#"{{{line},"transliterate":"yes"}}"#), "/transliterate", "WRONG_TYPE"),
        (&format!(r#"{{{line},"transliterate":{{"ab":"c"}}}}"#), "/transliterate/ab", "BAD_VALUE"),
        (&format!(r#"{{{line},"transliterate":{{"":"c"}}}}"#), "/transliterate/", "BAD_VALUE"),
        (&format!(r#"{{{line},"transliterate":{{"/":"\n"}}}}"#), "/transliterate/~1", "BAD_VALUE"),
        (&format!(r#"{{{line},"transliterate":{{"\t":" "}}}}"#), "/transliterate/?", "BAD_VALUE"),
        (&format!(r#"{{{line},"transliterate":{{"ñ":1}}}}"#), "/transliterate/ñ", "BAD_VALUE"),
        (&format!(r#"{{{line},"line_end":"\n\r"}}"#), "/line_end", "BAD_VALUE"),
        (&format!(r#"{{{line},"trailing_line_end":"yes"}}"#), "/trailing_line_end", "WRONG_TYPE"),
        (&format!(r#"{{{line},"eof_1a":1}}"#), "/eof_1a", "WRONG_TYPE"),
        (&format!(r#"{{{line},"trigger_file":1}}"#), "/trigger_file", "WRONG_TYPE"),
        (&format!(r#"{{{line},"trigger_file":"../x"}}"#), "/trigger_file", "BAD_VALUE"),
        (&format!(r#"{{{line},"trigger_file":"."}}"#), "/trigger_file", "BAD_VALUE"),
        (&format!(r#"{{{line},"trigger_file":"DAT"}}"#), "/trigger_file", "BAD_VALUE"),
        (&format!(r#"{{{line},"file_name":7}}"#), "/file_name", "WRONG_TYPE"),
    ] {
        assert_eq!(faults(profile), [(pointer.to_owned(), code)], "{profile}");
    }
}

#[test]
fn a_template_that_is_not_safe_is_a_fault() {
    let line = r#""fields":[{"type":"filler","length":1}]"#;
    for name in [
        "",
        "a/b",
        "..",
        ".x{receiptId}",
        "{receiptId}.",
        "{receiptId",
        "receiptId}",
        "{total}",
        "{receiptId:0}",
        "{receiptId:+6}",
        "{receiptId:41}",
        "{receiptId:x}",
        "{published:HH}",
        "{businessDate:ddMMyy HHmm}",
        "{timestamp:dd/MM}",
        "{timestamp:}",
        "{}",
        "CON",
        "nul.dat",
        "a b",
        "ñ",
        "{{receiptId}}",
    ] {
        for key in ["file_name", "folder"] {
            let profile = format!(r#"{{{line},"{key}":"{name}"}}"#);
            assert_eq!(faults(&profile), [(format!("/{key}"), "BAD_TEMPLATE")], "{profile}");
        }
    }
    for folder in ["HHmm", "dd/MM", "yyyyMMdd HH"] {
        assert_eq!(faults(&format!(r#"{{{line},"folder":"{folder}"}}"#)), [("/folder".to_owned(), "BAD_TEMPLATE")]);
    }
}

#[test]
fn all_faults_come_at_once_and_a_key_that_stands_twice_is_one() {
    let profile = r#"{"encoding":"x","fields":[{"name":"a"},{"name":"b","length":3,"pad":"xx","align":"up"}],"eof":1}"#;
    let codes: Vec<_> = faults(profile).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(codes, ["/eof", "/encoding", "/fields/0/length", "/fields/1/align", "/fields/1/pad"]);
    let twice = Value::Object(vec![
        ("fields".to_owned(), json(r#"[{"type":"filler","length":1}]"#)),
        ("eof_1a".to_owned(), Value::Bool(true)),
        ("eof_1a".to_owned(), Value::Bool(false)),
    ]);
    assert!(check(&twice).iter().any(|problem| problem.code == "DUP_KEY" && problem.pointer == "/eof_1a"));
}

#[test]
fn a_fault_names_what_is_accepted_and_repeats_no_value() {
    let problems = check(&json(r#"{"fields":[{"name":"a","length":3,"type":"secret-value","hint":"secret-value"}]}"#));
    let detail = |code| problems.iter().find(|problem| problem.code == code).unwrap().detail.clone();
    assert!(detail("BAD_VALUE").contains("text, integer, price, quantity, date, time, constant, counter, filler"));
    assert!(detail("UNKNOWN_KEY").contains("sign_positive"));
    assert!(problems.iter().all(|problem| !problem.detail.contains("secret")));
}

#[test]
fn padding_that_reads_as_digits_of_a_number_is_warned_about() {
    let pads = |field: &str| {
        let profile = json(&format!(r#"{{"fields":[{field}]}}"#));
        assert!(Profile::from_json(&profile).is_ok());
        check(&profile).iter().filter(|problem| problem.code == "PAD_READS_AS_DIGIT").count()
    };
    assert_eq!(pads(r#"{"name":"price","type":"price","length":8,"pad":"0"}"#), 1);
    assert_eq!(pads(r#"{"name":"price","type":"price","length":8,"pad":"9","align":"right"}"#), 1);
    assert_eq!(pads(r#"{"name":"price","type":"price","length":8,"pad":"0","align":"right"}"#), 0);
    assert_eq!(pads(r#"{"name":"price","type":"price","length":8}"#), 0);
    assert_eq!(pads(r#"{"name":"barcode","length":8,"pad":"0"}"#), 0);
}
