use chrono::NaiveDate;

use super::super::{check, folder_and_name, trigger_name};
use super::*;

const RECEIPT: &str = r#"{"receiptId":"0023","terminalId":"T04","departmentCode":"04",
    "timestamp":"2026-06-30T22:15:09Z","localTimestamp":"2026-07-01T00:15:09","businessDate":"2026-06-30"}"#;

fn named(options: &str, receipt: &str) -> Result<(String, String), RenderError> {
    let profile = profile(&format!(r#"{{"fields":[{{"type":"counter","length":4}}]{options}}}"#));
    folder_and_name(&profile, &json(receipt), NaiveDate::from_ymd_opt(2026, 7, 2).unwrap())
}

fn file_name(template: &str, receipt: &str) -> Result<String, RenderError> {
    named(&format!(r#","file_name":"{template}""#), receipt).map(|(_, name)| name)
}

#[test]
fn the_legacy_name_and_the_day_of_publication_are_the_default() {
    assert_eq!(named("", RECEIPT).unwrap(), ("20260702".to_owned(), "scon040023.dat".to_owned()));
}

#[test]
fn templates_know_the_keys_and_the_three_clocks() {
    for (template, name) in [
        ("{departmentCode}-{terminalId}-{receiptId:6}.dat", "04-T04-000023.dat"),
        ("{published:yyMMdd}_{businessDate}_{timestamp:ddMMyyHHmm}.txt", "260702_20260630_0107260015.txt"),
        ("{receiptId}{series}.dat", "0023.dat"),
        ("{series:2}{receiptId}", "000023"),
        ("x{timestamp}", "x20260701001509"),
    ] {
        assert_eq!(file_name(template, RECEIPT).unwrap(), name);
    }
    assert_eq!(file_name("{receiptId}.{series}", r#"{"receiptId":7,"series":"B"}"#).unwrap(), "7.B");
    for (folder, name) in [
        ("ddMMyyyy", "02072026"),
        ("yyyy-MM-dd", "2026-07-02"),
        ("{businessDate}", "20260630"),
        ("S01-{published:yyyyMMdd}", "S01-20260702"),
        ("spool", "spool"),
    ] {
        assert_eq!(named(&format!(r#","folder":"{folder}""#), RECEIPT).unwrap().0, name);
    }
}

#[test]
fn the_business_date_falls_back_to_the_wall_clock() {
    let receipt = r#"{"receiptId":"1","timestamp":"2026-06-30T22:15:00Z"}"#;
    assert_eq!(file_name("{businessDate}-{receiptId}", receipt).unwrap(), "20260630-1");
    let missing = file_name("{businessDate}", r#"{"receiptId":"1"}"#);
    assert_eq!(refusal(missing), ("MISSING_FIELD", "/businessDate".to_owned()));
    let no_time = file_name("{timestamp}", r#"{"timestamp":"2026-06-30"}"#);
    assert_eq!(refusal(no_time), ("BAD_DATE", "/timestamp".to_owned()));
}

#[test]
fn no_path_is_ever_built_from_a_bad_number() {
    for id in ["../../x", "A/1", "a\\b", "a b", "ñ", "", "a\0", "a:b"] {
        let id = Value::String(id.to_owned());
        let receipt = Value::Object(vec![
            ("receiptId".to_owned(), id),
            ("departmentCode".to_owned(), Value::String("04".to_owned())),
        ]);
        let day = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        let refused = folder_and_name(&profile(Profile::legacy_json()), &receipt, day);
        assert_eq!(refusal(refused), ("BAD_NAME", "/receiptId".to_owned()));
    }
    for id in ["CON", "con.dat", "com1", "LPT9.x", "nul", "..", ".", ".x", "x."] {
        let refused = file_name("{receiptId}", &format!(r#"{{"receiptId":"{id}"}}"#));
        assert_eq!(refusal(refused).0, "BAD_NAME", "{id}");
    }
    assert!(file_name("{receiptId}", r#"{"receiptId":"CON1"}"#).is_ok());
    let long = format!(r#"{{"receiptId":"{}"}}"#, "1".repeat(121));
    assert_eq!(refusal(file_name("{receiptId}", &long)).0, "BAD_NAME");
    assert_eq!(refusal(file_name("{receiptId:6}", &long)), ("FIELD_OVERFLOW", "/receiptId".to_owned()));
    assert_eq!(refusal(file_name("{receiptId}", r#"{"receiptId":true}"#)), ("WRONG_TYPE", "/receiptId".to_owned()));
    assert_eq!(refusal(file_name("{receiptId}", "{}")), ("MISSING_FIELD", "/receiptId".to_owned()));
}

#[test]
fn a_trigger_file_keeps_the_name_or_changes_the_extension() {
    let trigger = |options: &str, name: &str| {
        let profile = profile(&format!(r#"{{"fields":[{{"type":"counter","length":4}}]{options}}}"#));
        trigger_name(&profile, name)
    };
    assert_eq!(trigger("", "a.dat"), None);
    assert_eq!(trigger(r#","trigger_file":false"#, "a.dat"), None);
    assert_eq!(trigger(r#","trigger_file":true"#, "a.dat").unwrap(), "a.dat.ok");
    assert_eq!(trigger(r#","trigger_file":".trg""#, "scon04.1.dat").unwrap(), "scon04.1.trg");
    assert_eq!(trigger(r#","trigger_file":"trg""#, "a.dat").unwrap(), "a.trg");
    // A point that belongs to the receipt's number is no extension: 1.1 and 1.2 need two trigger
    // files.
    assert_eq!(trigger(r#","trigger_file":"trg","file_name":"{receiptId}""#, "1.2").unwrap(), "1.2.trg");
}

#[test]
fn a_template_that_can_collide_is_warned_about_and_can_be_used() {
    let warnings = |options: &str| {
        let text = format!(r#"{{"fields":[{{"type":"counter","length":4}}]{options}}}"#);
        let problems = check(&json(&text));
        assert!(problems.iter().all(|problem| problem.code == "FILE_NAME_COLLIDES" && problem.pointer == "/file_name"));
        assert!(Profile::from_json(&json(&text)).is_ok());
        problems.len()
    };
    // 1 and 23 or 12 and 3; two terminals of one department.
    assert_eq!(warnings(""), 2);
    for (template, count) in [
        ("{terminalId}-{receiptId}.dat", 0),
        ("{terminalId:3}{receiptId}.dat", 0),
        ("{terminalId}0{receiptId}.dat", 1),
        ("{terminalId}{series:2}{receiptId}.dat", 1),
        ("{departmentCode}-{receiptId}.dat", 1),
        ("{terminalId}.dat", 1),
        ("always.dat", 2),
    ] {
        assert_eq!(warnings(&format!(r#","file_name":"{template}""#)), count, "{template}");
    }
    let no_day = r#","file_name":"{terminalId}-{receiptId}.dat","folder":"out""#;
    assert_eq!(warnings(no_day), 1);
    assert_eq!(warnings(&no_day.replace("-", "-{published:yyDDD}-")), 0);
    assert_eq!(warnings(&no_day.replace("out", "ddMM")), 1);
}
