//! What was sold, as documents say it: the key of an item. It is a function of the document and of
//! the rules of barcodes, and needs no catalog: an item that nobody knows has a key, too. The
//! product is looked up when somebody reads.

use chrono::NaiveDate;

use crate::barcode::{BarcodeRule, NumberKind, Reading, Scope, decode, reading_in};

/// The key of an item: the 14 digits of a GTIN; for a restricted number `R:`, prefix and item
/// digits by the rule that holds, so that labels of two weights are one item; else
/// `L:<department>:<code>`, which means something in that department only.
pub fn item_key(code: &str, department: &str, on: NaiveDate, rules: &[BarcodeRule]) -> String {
    let inside = reading(code, department, on, rules);
    let inside = inside.and_then(|reading| Some(format!("R:{}{}", reading.prefix, reading.item?)));
    inside.unwrap_or_else(|| {
        // Without a rule nobody can tell an item from its weight in a restricted number.
        let decoded = decode(trimmed(code), &[]);
        let gtin = decoded.gtin14.filter(|_| decoded.kind == NumberKind::Gtin);
        gtin.unwrap_or_else(|| format!("L:{department}:{}", decoded.code))
    })
}

/// The digits that name the item inside a restricted number, by the rule that holds. None for other
/// codes.
pub fn item_digits(code: &str, department: &str, on: NaiveDate, rules: &[BarcodeRule]) -> Option<String> {
    reading(code, department, on, rules)?.item
}

/// The outer check digit is not asked for. A label with a wrong one was sold all the same, the
/// receipt is flagged for it, and each price would else make an item of its own.
fn reading(code: &str, department: &str, on: NaiveDate, rules: &[BarcodeRule]) -> Option<Reading> {
    reading_in(trimmed(code), rules, Scope { department: Some(department), on: Some(on), store: None })
}

/// Blanks around a code are a scanner's.
fn trimmed(code: &str) -> &str {
    code.trim_matches(' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::barcode::gtin_check_digit;
    use crate::json;

    const RULES: &str = r#"[
      {"name": "fish", "prefix": "21", "length": 13, "item": {"start": 3, "length": 4}, "kind": "price",
       "value": {"start": 8, "length": 5}, "decimals": 2, "department": "04", "priority": 1},
      {"name": "price", "prefix": "21", "length": 13, "item": {"start": 3, "length": 5}, "kind": "price",
       "value": {"start": 8, "length": 5}, "decimals": 2, "valid_to": "2026-06-30", "priority": 2},
      {"name": "ticket", "prefix": "29", "length": 13, "kind": "ticket", "priority": 2}]"#;

    fn rules() -> Vec<BarcodeRule> {
        BarcodeRule::list_from_json(&json::read(RULES, 8).unwrap()).unwrap()
    }

    fn key(code: &str, department: &str, on: &str) -> String {
        item_key(code, department, on.parse().unwrap(), &rules())
    }

    #[test]
    fn labels_of_two_weights_are_one_item() {
        assert_eq!(key("2112345015002", "01", "2026-06-30"), "R:2112345");
        // The check digit of the second is wrong.
        assert_eq!(key("2112345007506", "01", "2026-06-30"), "R:2112345");
        assert_eq!(item_digits("2112345007506", "01", "2026-06-30".parse().unwrap(), &rules()).unwrap(), "12345");
    }

    #[test]
    fn the_rule_of_the_department_and_of_the_day_says_what_the_item_is() {
        assert_eq!(key("2112345015002", "04", "2026-06-30"), "R:211234");
        // After its last day nobody knows where the weight begins.
        assert_eq!(key("2112345015002", "01", "2026-07-01"), "L:01:2112345015002");
    }

    #[test]
    fn a_gtin_is_one_item_however_it_is_written() {
        for code in ["4006381333931", "04006381333931", " 4006381333931 "] {
            assert_eq!(key(code, "01", "2026-06-30"), "04006381333931", "{code}");
        }
    }

    /// A number of a rule that says nothing of an item, or that only looks like one of a rule.
    #[test]
    fn any_other_code_is_the_departments() {
        for code in ["128", "0128", "2912345678900", "4006381333930", "20000004", "PAN"] {
            assert_eq!(key(code, "01", "2026-06-30"), format!("L:01:{code}"));
            assert_ne!(key(code, "02", "2026-06-30"), key(code, "01", "2026-06-30"));
            assert_eq!(item_digits(code, "01", "2026-06-30".parse().unwrap(), &rules()), None);
        }
    }

    proptest! {
        #[test]
        fn the_price_in_a_label_is_no_part_of_the_key(item in "[0-9]{5}", one in "[0-9]{5}", other in "[0-9]{5}") {
            let label = |price: &str| {
                let body = format!("21{item}{price}");
                format!("{body}{}", gtin_check_digit(&body).unwrap())
            };
            let of = |price: &str| key(&label(price), "01", "2026-01-01");
            prop_assert_eq!(of(&one), of(&other));
            prop_assert_eq!(of(&one), format!("R:21{item}"));
        }

        #[test]
        fn every_code_has_a_key(code in any::<String>(), department in any::<String>()) {
            prop_assert!(!key(&code, &department, "2026-01-01").is_empty());
        }
    }
}
