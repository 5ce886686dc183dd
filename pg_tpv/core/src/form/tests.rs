use super::*;
use crate::json;

fn faults(line: &str, request: &str) -> Vec<(String, &'static str)> {
    let form = Form::read(line).unwrap();
    let found = form.faults(&json::read(request, 64).unwrap());
    found.into_iter().map(|(place, fault)| (place, fault.code())).collect()
}

fn fits(kind: &str, value: &str) -> bool {
    MemberType::read(kind).unwrap().fault(&json::read(value, 8).unwrap()).is_none()
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let line = "receipt_id uuid!;\n why why!; file_name file";
    assert_eq!(faults(line, r#"{"receipt_id": "0197a2b0-0000-7000-8000-000000000001", "why": "torn"}"#), []);
    assert_eq!(
        faults(line, r#"{"why": null, "file_name": "a/b", "a~/b": 1}"#),
        [
            ("/a~0~1b".to_owned(), "unknown"),
            ("/file_name".to_owned(), "format"),
            ("/receipt_id".to_owned(), "missing"),
            ("/why".to_owned(), "missing"),
        ]
    );
}

#[test]
fn what_need_not_be_there_may_be_null() {
    assert_eq!(faults("file_name file", r#"{"file_name": null}"#), []);
    assert_eq!(faults("file_name file", "{}"), []);
}

#[test]
fn what_is_no_object_has_no_members() {
    for request in ["null", "[]", "\"why\"", "1"] {
        assert_eq!(faults("why why!", request), [(String::new(), "type"), ("/why".to_owned(), "missing")], "{request}");
    }
}

#[test]
fn a_line_with_a_type_that_nobody_knows_is_refused() {
    assert_eq!(Form::read("why why!; age years").unwrap_err(), "age years");
    assert_eq!(Form::read("why").unwrap_err(), "why");
}

#[test]
fn values_are_what_their_types_want() {
    for (kind, good, bad) in [
        ("integer", vec!["0", "-7", "999999999999999999"], vec!["1.5", "1e3", "1000000000000000000", "\"1\"", "true"]),
        ("boolean", vec!["true", "false"], vec!["0", "\"true\"", "null"]),
        ("object", vec![r#"{"a":1}"#], vec!["{}", "[]", "\"{}\""]),
        ("tags", vec!["[]", r#"["a","b c"]"#], vec![r#"["a",1]"#, r#"[" "]"#, "{}", r#"[""]"#]),
        (
            "why",
            vec![r#""torn""#, r#""ñandú – 50 €""#],
            vec![
                r#""""#,
                r#""  ""#,
                r#""a\nb""#,
                r#""a\u2028b""#,
                r#""a\u0000""#,
                r#""\u200b \ufeff""#,
                r#""a\u202eb""#,
                r#""\u2066a""#,
            ],
        ),
        ("email", vec![r#""a@b""#], vec![r#""a""#, r#""a@b@c""#, r#""a b@c""#, r#""@c""#, r#""a@""#, r#""a\t@c""#]),
        ("phone", vec![r#""+34 (91) 1.2/3-4""#], vec![r#""12""#, r#""1234x""#]),
        ("country", vec![r#""ES""#], vec![r#""es""#, r#""ESP""#, r#""É ""#]),
        ("consent", vec![r#""none""#, r#""all""#], vec![r#""ALL""#, r#""""#]),
        (
            "money",
            vec![r#""0""#, r#""12.3""#, r#""999999999999.99""#],
            vec![r#""-1""#, r#""1.234""#, r#"".5""#, r#""1.""#, r#""1e2""#, "12.3"],
        ),
        (
            "date",
            vec![r#""2026-11-30""#, r#""2024-02-29""#],
            vec![r#""2026-02-29""#, r#""0000-01-01""#, r#""2026-1-1""#, r#""infinity""#, r#""26-11-30""#],
        ),
        (
            "instant",
            vec![r#""2026-11-30T09:00:00Z""#, r#""2026-11-30 09:00+01""#, r#""2026-11-30T09:00:00.123456-03:30""#],
            vec![
                r#""2026-11-30T09:00:00""#,
                r#""2026-11-30T25:00Z""#,
                r#""2026-11-30T09:00:00.Z""#,
                r#""2026-11-30T09:00:00+16""#,
                r#""now""#,
                r#""2026-11-30T09:00:00+1""#,
                r#""2026-11-30TZ""#,
            ],
        ),
        ("login", vec![r#""ana.g""#, r#""s01-x""#], vec![r#""a""#, r#""Ana""#, r#"".ana""#]),
        ("code", vec![r#""S01""#, r#""a""#], vec![r#""-a""#, r#""""#, r#""12345678901234567""#, r#""Ñ1""#]),
        ("file", vec![r#""T01_1.json""#], vec![r#""a/b""#, r#""""#]),
        (
            "uuid",
            vec![r#""0197a2b0-0000-7000-8000-000000000001""#],
            vec![r#""0197A2B0-0000-7000-8000-000000000001""#, r#""0197a2b0000070008000000000000001""#, r#""""#],
        ),
        ("string", vec![r#""cashier""#], vec!["1", "[]"]),
    ] {
        for value in good {
            assert!(fits(kind, value), "{kind} {value}");
        }
        for value in bad {
            assert!(!fits(kind, value), "{kind} {value}");
        }
    }
    let long = |count: usize| format!("\"{}\"", "é".repeat(count));
    for (kind, most) in [("why", 500), ("line", 200), ("text", 200), ("key", 200)] {
        assert!(fits(kind, &long(most)) && !fits(kind, &long(most + 1)), "{kind}");
    }
    assert!(fits("hex32", &format!("\"{}\"", "0f".repeat(32))) && !fits("hex32", &format!("\"{}\"", "0F".repeat(32))));
    assert!(fits("key32", &format!("\"{}=\"", "A".repeat(43))) && !fits("key32", &format!("\"{}=\"", "A".repeat(42))));
    let many = |count: usize| format!("[{}]", vec!["\"t\""; count].join(","));
    assert!(fits("tags", &many(50)) && !fits("tags", &many(51)));
}
