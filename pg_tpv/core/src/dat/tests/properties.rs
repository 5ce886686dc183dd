use chrono::NaiveDate;
use proptest::prelude::*;

use super::super::{check, folder_and_name, trigger_name};
use super::*;

const ENCODINGS: [&str; 5] = ["utf-8", "windows-1252", "iso-8859-15", "cp850", "cp858"];

/// A profile of fields that between them use every option, and the length of its line.
fn profiles() -> impl Strategy<Value = (String, usize)> {
    let names =
        prop::sample::select(vec!["barcode", "description", "price", "quantity", "departmentCode", "lineTotal"]);
    let text = (names.clone(), 1..40_usize, prop::sample::select(vec!["left", "right"]), any::<bool>()).prop_map(
        |(name, length, align, cut)| {
            let overflow = if cut { r#","overflow":"truncate""# } else { "" };
            (format!(r#"{{"name":"{name}","length":{length},"align":"{align}"{overflow}}}"#), length)
        },
    );
    let sign = prop::sample::select(vec!["forbid", "leading", "trailing", "leading_flag", "overpunch"]);
    let kind = prop::sample::select(vec!["price", "quantity", "integer"]);
    let source = prop::sample::select(vec!["price", "quantity", "lineTotal", "sum(lineTotal)", "lineCount"]);
    let number = (source, kind, sign, 2..14_usize, any::<bool>()).prop_map(|(name, kind, sign, length, zeros)| {
        let pad = if zeros { r#","align":"right","pad":"0""# } else { "" };
        (format!(r#"{{"name":"{name}","type":"{kind}","length":{length},"sign":"{sign}"{pad}}}"#), length)
    });
    let date = Just((r#"{"name":"timestamp","format":"yyyyMMdd","length":9}"#.to_owned(), 9));
    let case = (prop::sample::select(vec!["upper", "lower"]), 1..40_usize).prop_map(|(case, length)| {
        (format!(r#"{{"name":"description","length":{length},"case":"{case}","missing":"blank"}}"#), length)
    });
    let field = prop_oneof![4 => text, 3 => number, 1 => date, 2 => case];
    let file = (prop::collection::vec(field, 1..8), prop::sample::select(ENCODINGS.to_vec()), any::<bool>());
    file.prop_map(|(fields, encoding, on)| {
        let length = fields.iter().map(|(_, length)| length).sum();
        let fields: Vec<_> = fields.into_iter().map(|(field, _)| field).collect();
        (format!(r#"{{"encoding":"{encoding}","transliterate":{on},"fields":[{}]}}"#, fields.join(",")), length)
    })
}

fn object(pairs: Vec<(&str, Value)>) -> Value {
    Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn receipts() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["\\PC{0,30}", any::<String>(), "[A-Za-z0-9 ]{0,30}"].prop_map(Value::String);
    let number = prop_oneof!["[0-9]{1,4}(\\.[0-9]{1,3})?", "-?[1-9][0-9]{0,2}"].prop_map(Value::Number);
    let line = ("[0-9]{8,14}", text, number.clone(), number).prop_map(|(barcode, description, price, quantity)| {
        object(vec![
            ("barcode", Value::String(barcode)),
            ("description", description),
            ("price", price),
            ("quantity", quantity),
        ])
    });
    prop::collection::vec(line, 1..6).prop_map(|lines| {
        object(vec![
            ("departmentCode", Value::String("04".to_owned())),
            ("items", Value::Array(lines)),
            ("timestamp", Value::String("2026-06-30T22:15:00Z".to_owned())),
        ])
    })
}

/// Any JSON; its keys and texts are often those that profiles and receipts know.
fn anything() -> impl Strategy<Value = Value> {
    let words = vec![
        "fields",
        "line",
        "header",
        "total",
        "name",
        "source",
        "type",
        "length",
        "pad",
        "align",
        "format",
        "sign",
        "price",
        "date",
        "counter",
        "constant",
        "value",
        "items",
        "timestamp",
        "receiptId",
        "departmentCode",
        "right",
        "trailing",
        "file_name",
        "folder",
        "trigger_file",
        "{receiptId}",
        "{timestamp:dd}",
        "ddMMyy",
        "transliterate",
        "encoding",
        "sum(price)",
        "lineTotal",
        "decimals",
        "missing",
        "zero",
        "cp850",
        "quantity",
        "businessDate",
        "2026-01-01",
    ];
    let word = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![(0..20_u8).prop_map(|n| n.to_string()), "-?[0-9.eE+-]{0,40}", any::<String>()]
            .prop_map(Value::Number),
        word.clone().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..8).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn every_record_has_the_sum_of_its_lengths_and_no_control_byte(
        (text, length) in profiles(), receipt in receipts(),
    ) {
        let profile = profile(&text);
        match render(&profile, &receipt) {
            Ok(made) => {
                let lines = receipt.get("items").and_then(Value::as_array).unwrap().len();
                prop_assert_eq!(made.bytes.len(), lines * length + (lines - 1) * 2);
                for record in made.bytes.chunks(length + 2) {
                    let (record, end) = record.split_at(length);
                    prop_assert!(end.is_empty() || end == b"\r\n");
                    prop_assert!(!record.iter().any(u8::is_ascii_control));
                    if text.contains("utf-8") {
                        prop_assert!(std::str::from_utf8(record).is_ok());
                    }
                }
                prop_assert_eq!(render(&profile, &receipt).unwrap(), made);
            }
            Err(error) => {
                prop_assert!(error.pointer.starts_with('/'));
                prop_assert_eq!(render(&profile, &receipt).unwrap_err(), error);
            }
        }
    }

    #[test]
    fn no_profile_and_no_receipt_causes_a_panic(json in anything(), receipt in anything()) {
        let day = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        let problems = check(&json);
        match Profile::from_json(&json) {
            Ok(profile) => {
                let _ = render(&profile, &receipt);
                let _ = folder_and_name(&profile, &receipt, day);
                let _ = trigger_name(&profile, "a.dat");
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| problems.contains(fault)));
            }
        }
        let legacy = profile(Profile::legacy_json());
        let _ = render(&legacy, &receipt);
        let _ = folder_and_name(&legacy, &receipt, day);
    }

    #[test]
    fn a_field_of_any_json_never_panics(
        field in prop::collection::vec((prop::sample::select(vec![
            "name", "source", "type", "length", "align", "pad", "format", "decimals", "sign", "sign_positive",
            "sign_negative", "overflow", "missing", "case", "value",
        ]), anything()), 0..10),
        value in anything(),
    ) {
        let mut field: Vec<_> = field.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        field.push(("length".to_owned(), Value::Number("5".to_owned())));
        field.push(("name".to_owned(), Value::String("x".to_owned())));
        // Of two keys the reader of profiles reports a fault; here the later one wins, so that more
        // profiles are whole.
        field.reverse();
        field.sort_by(|a, b| a.0.cmp(&b.0));
        field.dedup_by(|a, b| a.0 == b.0);
        let fields = Value::Array(vec![Value::Object(field)]);
        if let Ok(profile) = Profile::from_json(&object(vec![("fields", fields)])) {
            let line = object(vec![("x", value)]);
            if let Ok(made) = render(&profile, &object(vec![("items", Value::Array(vec![line]))])) {
                prop_assert_eq!(made.bytes.len(), 5);
            }
        }
    }

    #[test]
    fn a_name_is_one_safe_component(id in any::<String>(), department in "[A-Za-z0-9./\\\\-]{0,5}") {
        let receipt = object(vec![("receiptId", Value::String(id)), ("departmentCode", Value::String(department))]);
        let day = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        if let Ok((folder, name)) = folder_and_name(&profile(Profile::legacy_json()), &receipt, day) {
            prop_assert_eq!(folder, "20260702");
            prop_assert!(name.len() <= 120 && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        }
    }
}
