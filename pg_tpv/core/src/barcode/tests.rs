use proptest::prelude::*;

use super::check::{price4_check_digit, price5_check_digit};
use super::*;
use crate::json;

fn rules(text: &str) -> Vec<BarcodeRule> {
    BarcodeRule::list_from_json(&json::read(text, 8).unwrap()).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let problems = BarcodeRule::list_from_json(&json::read(text, 8).unwrap()).unwrap_err();
    assert!(problems.iter().all(|problem| problem.code == "BARCODE_RULE"));
    problems.into_iter().map(|problem| problem.pointer).collect()
}

const SCALE: &str = r#"[
  {"name": "scale price", "prefix": "21", "length": 13, "item": {"start": 3, "length": 5},
   "value": {"start": 8, "length": 5}, "kind": "price", "decimals": 2}]"#;

#[test]
fn check_digits_are_those_of_gs1() {
    for (body, digit) in [
        ("950110153100", '0'),
        ("9501234", '6'),
        ("400638133393", '1'),
        ("843600683605", '3'),
        ("211234501500", '2'),
        ("0", '0'),
    ] {
        assert_eq!(gtin_check_digit(body), Some(digit), "{body}");
    }
    for not_digits in ["", "12a4", "١٢٣", " 123", "-1"] {
        assert_eq!(gtin_check_digit(not_digits), None, "{not_digits}");
    }
}

#[test]
fn a_gtin_has_fourteen_digits_whatever_its_written_length() {
    assert_eq!(gtin14("95012346").as_deref(), Some("00000095012346"));
    assert_eq!(gtin14("036000291452").as_deref(), Some("00036000291452"));
    assert_eq!(gtin14("4006381333931").as_deref(), Some("04006381333931"));
    assert_eq!(gtin14("10614141543219").as_deref(), Some("10614141543219"));
    for no_gtin in ["4006381333932", "400638133393", "123456", "", "400638133393l", "004006381333931", "４006381333931"]
    {
        assert_eq!(gtin14(no_gtin), None, "{no_gtin}");
    }
}

#[test]
fn price_verifier_digits_are_those_of_gs1() {
    assert_eq!(price4_check_digit("2875"), Some('9'));
    assert_eq!(price5_check_digit("14685"), Some('6'));
    assert_eq!(price4_check_digit("287"), None);
    assert_eq!(price5_check_digit("1468x"), None);
}

#[test]
fn four_to_six_digits_are_a_plu() {
    for (text, plu) in
        [("4011", true), ("94011", true), ("123456", true), ("123", false), ("1234567", false), ("40a1", false)]
    {
        assert_eq!(is_plu(text), plu, "{text}");
    }
}

#[test]
fn a_number_is_of_the_kind_its_digits_say() {
    for (code, kind, ok) in [
        ("4006381333931", NumberKind::Gtin, Some(true)),
        ("4006381333930", NumberKind::Unknown, Some(false)),
        ("2112345015002", NumberKind::Restricted, Some(true)),
        ("95012346", NumberKind::Gtin, Some(true)),
        ("20000004", NumberKind::Restricted, Some(true)),
        ("4011", NumberKind::Plu, None),
        ("1234567", NumberKind::Unknown, None),
        ("", NumberKind::Unknown, None),
        ("ABC", NumberKind::Unknown, None),
    ] {
        let decoded = decode(code, &[]);
        assert_eq!((decoded.kind, decoded.check_digit_ok), (kind, ok), "{code}");
    }
}

#[test]
fn a_rule_reads_item_and_value() {
    let decoded = decode("2112345015002", &rules(SCALE));
    assert_eq!(
        decoded.to_json().to_canonical(),
        r#"{"check_digit_ok":true,"code":"2112345015002","gtin14":"02112345015002","item":"12345","kind":"restricted","rule":"scale price","value":15.00,"value_kind":"price"}"#
    );
    assert_eq!(
        decode("4011", &rules(SCALE)).to_json().to_canonical(),
        r#"{"check_digit_ok":null,"code":"4011","gtin14":null,"kind":"plu"}"#
    );
}

#[test]
fn a_rule_is_anchored_on_prefix_and_length_and_needs_the_outer_check_digit() {
    for code in ["2112345015003", "2212345015009", "4006381333931", "21123454"] {
        assert_eq!(decode(code, &rules(SCALE)).reading, None, "{code}");
    }
}

#[test]
fn the_lowest_priority_goes_first_and_then_the_order_given() {
    let list = rules(
        r#"[{"name": "c", "prefix": "2", "length": 13, "kind": "ticket", "priority": 5},
            {"name": "a", "prefix": "2", "length": 13, "kind": "ticket", "priority": 1},
            {"name": "b", "prefix": "21", "length": 13, "kind": "ticket", "priority": 1}]"#,
    );
    assert_eq!(decode("2112345015002", &list).reading.unwrap().rule, "a");
}

#[test]
fn a_rule_holds_only_in_its_store_department_and_days() {
    let list = rules(
        r#"[{"name": "x", "prefix": "2", "length": 13, "kind": "ticket", "store": "S01", "department": "04",
             "valid_from": "2026-01-01", "valid_to": "2026-01-31"}]"#,
    );
    let day = |text: &str| text.parse().ok();
    for (scope, holds) in [
        (Scope::default(), true),
        (Scope { store: Some("S01"), department: Some("04"), on: day("2026-01-31") }, true),
        (Scope { store: Some("S02"), ..Scope::default() }, false),
        (Scope { department: Some("05"), ..Scope::default() }, false),
        (Scope { on: day("2025-12-31"), ..Scope::default() }, false),
        (Scope { on: day("2026-02-01"), ..Scope::default() }, false),
    ] {
        assert_eq!(decode_in("2112345015002", &list, scope).reading.is_some(), holds, "{scope:?}");
    }
}

#[test]
fn an_inner_check_digit_guards_its_price() {
    let list = rules(
        r#"[{"name": "p5", "prefix": "22", "length": 13, "item": {"start": 3, "length": 4}, "kind": "price",
             "value": {"start": 8, "length": 5}, "decimals": 2, "inner_check": "price5"},
            {"name": "p4", "prefix": "23", "length": 13, "kind": "price", "value": {"start": 9, "length": 4},
             "inner_check": "price4", "inner_check_position": 8}]"#,
    );
    let with_check = |body: &str| format!("{body}{}", gtin_check_digit(body).unwrap());
    let read = |body: &str| decode(&with_check(body), &list).reading.unwrap();
    assert_eq!(read("221234614685").value.unwrap().to_string(), "146.85");
    assert_eq!(read("231234592875").value.unwrap().to_string(), "2875");
    let misread = read("221234714685");
    assert_eq!((misread.value, misread.inner_check_ok), (None, Some(false)));
}

#[test]
fn a_faulty_rule_is_refused_with_the_place_of_each_fault() {
    assert_eq!(faults("{}"), [""]);
    assert_eq!(faults("[1]"), ["/0", "/0/prefix", "/0/length", "/0/kind"]);
    assert_eq!(
        faults(r#"[{"prefix": "2x", "length": 99, "kind": "money", "colour": 1}]"#),
        ["/0/prefix", "/0/length", "/0/kind", "/0/colour"]
    );
    assert_eq!(
        faults(
            r#"[{"prefix": "21", "length": 13, "kind": "price", "item": {"start": 0, "length": 2},
                    "value": {"start": 10, "length": 5}, "valid_from": "2026-02-30"}]"#
        ),
        ["/0/item/start", "/0/valid_from", "/0/value"]
    );
    assert_eq!(faults(r#"[{"prefix": "21", "length": 13, "kind": "price"}]"#), ["/0/value"]);
    assert_eq!(
        faults(
            r#"[{"prefix": "21", "length": 13, "kind": "price", "value": {"start": 8, "length": 5}, "inner_check": "price4"}]"#
        ),
        ["/0/inner_check"]
    );
}

proptest! {
    #[test]
    fn every_single_wrong_digit_is_detected(body in "[0-9]{7}|[0-9]{11,13}", at in any::<prop::sample::Index>(), by in 1..10_u8) {
        let right = format!("{body}{}", gtin_check_digit(&body).unwrap());
        prop_assert!(gtin14(&right).is_some());
        let mut wrong = right.into_bytes();
        let at = at.index(wrong.len());
        wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
        prop_assert_eq!(gtin14(std::str::from_utf8(&wrong).unwrap()), None);
    }

    #[test]
    fn every_single_wrong_digit_of_a_price_is_detected(price in "[0-9]{4,5}", at in any::<prop::sample::Index>(), by in 1..10_u8) {
        let check = |price: &str| if price.len() == 4 { price4_check_digit(price) } else { price5_check_digit(price) };
        let mut wrong = price.clone().into_bytes();
        let at = at.index(wrong.len());
        wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
        prop_assert_ne!(check(&price), check(std::str::from_utf8(&wrong).unwrap()));
    }

    #[test]
    fn no_text_makes_it_panic(code in any::<String>()) {
        let decoded = decode(&code, &rules(SCALE));
        prop_assert_eq!(decoded.gtin14, gtin14(&code));
    }
}
