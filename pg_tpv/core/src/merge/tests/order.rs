use std::cmp::Ordering;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn number(text: &str) -> Value {
    Value::Number(text.into())
}

#[test]
fn values_of_every_kind_stand_in_one_order() {
    let ascending = [
        "null",
        "false",
        "true",
        "-1e400",
        "-10",
        "-9.5",
        "-0.01",
        "0",
        "1e-400",
        "0.01",
        "9.5",
        "10",
        "1e400",
        "\"\"",
        "\"2026-01-31\"",
        "\"2026-02-01\"",
        "\"b\"",
        "\"ñ\"",
        "[]",
        "[1]",
        "{}",
        r#"{"a":1}"#,
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            let expected = if a == &"[]" || b == &"[]" || a == &"{}" || b == &"{}" { None } else { Some(i.cmp(&j)) };
            // Arrays and objects have an order among themselves that says nothing; only their kind
            // counts here.
            if let Some(expected) = expected {
                assert_eq!(compare(&value(a), &value(b)), expected, "{a} {b}");
            }
        }
    }
    assert_eq!(compare(&value("{}"), &value("[]")), Ordering::Greater);
    assert_eq!(compare(&value(r#"{"b":1,"a":2}"#), &value(r#"{"a":2,"b":1}"#)), Ordering::Equal);
}

#[test]
fn numbers_compare_exactly_however_long_and_however_written() {
    let long = "9".repeat(400);
    for (a, b, expected) in [
        ("1.0", "1", Ordering::Equal),
        ("100", "1E2", Ordering::Equal),
        ("-0", "0.00", Ordering::Equal),
        ("0e99", "0", Ordering::Equal),
        ("0.1e1", "1", Ordering::Equal),
        ("9007199254740993.01", "9007199254740993.02", Ordering::Less),
        ("1e99999999999999999999", "1e9999", Ordering::Greater),
        ("-1e99999999999999999999", "-1e9999", Ordering::Less),
        ("1e-99999999999999999999", "0", Ordering::Greater),
        (&long, &format!("{long}.1"), Ordering::Less),
        (&long, &format!("1{}", "0".repeat(400)), Ordering::Less),
    ] {
        assert_eq!(compare(&number(a), &number(b)), expected, "{a} {b}");
        assert_eq!(compare(&number(b), &number(a)), expected.reverse(), "{b} {a}");
    }
}

#[test]
fn text_that_is_no_number_does_not_panic() {
    for text in ["", "-", ".", "NaN", "1e", "e", "--1", "1.2.3"] {
        let _ = compare(&number(text), &number("1"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn numbers_compare_as_decimals_do(
        a in -2000i64..2000, a_scale in 0u32..6, b in -2000i64..2000, b_scale in 0u32..6, zeros in 0usize..3, shift in 0i32..4
    ) {
        let (exact_a, exact_b) = (Decimal::new(a, a_scale), Decimal::new(b, b_scale));
        // The same number with idle zeros, and with an exponent.
        let long = if exact_a.scale() > 0 { format!("{exact_a}{}", "0".repeat(zeros)) } else { exact_a.to_string() };
        let shifted = format!("{}e-{}", b, b_scale as i32 + shift);
        let exact_shifted = exact_b / Decimal::from(10i64.pow(shift as u32));
        prop_assert_eq!(compare(&number(&long), &number(&exact_b.to_string())), exact_a.cmp(&exact_b));
        prop_assert_eq!(compare(&number(&long), &number(&shifted)), exact_a.cmp(&exact_shifted));
    }
}
