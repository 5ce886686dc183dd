//! `tpv.item_key` and `tpv.item_digits`: what was sold, by the code of a line.

use chrono::NaiveDate;
use pgrx::datum::Date;
use pgrx::prelude::*;
use tpv_core::barcode::BarcodeRule;
use tpv_core::item;

use super::barcode::parsed_rules;
use crate::postgres::{JsonbText, Refusal, calendar_day};

/// The key of an item: the 14 digits of a GTIN; `R:`, prefix and item digits of a restricted
/// number, by those of `rules` that hold in the department on that day; else
/// `L:<department>:<code>`.
///
/// # Errors
/// `22023` for rules that cannot be used, their faults in the detail; `22008` for a day outside of
/// the calendar.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn item_key(code: &str, department: &str, on_date: Date, rules: JsonbText) -> String {
    let (day, rules) = scope(on_date, &rules).unwrap_or_else(|refusal| refusal.raise());
    item::item_key(code, department, day, &rules)
}

/// The digits that name the item inside a restricted number; null for other codes.
///
/// # Errors
/// As for `item_key`.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn item_digits(code: &str, department: &str, on_date: Date, rules: JsonbText) -> Option<String> {
    let (day, rules) = scope(on_date, &rules).unwrap_or_else(|refusal| refusal.raise());
    item::item_digits(code, department, day, &rules)
}

fn scope(on_date: Date, rules: &JsonbText) -> Result<(NaiveDate, Vec<BarcodeRule>), Refusal> {
    Ok((calendar_day(on_date)?, parsed_rules(rules)?))
}

extension_sql!(
    r#"
comment on function item_key(text, text, date, jsonb) is
    'What was sold, by the code of a line: a GTIN of 14 digits; R: with prefix and item digits of a restricted number; else L:<department>:<code>.';
comment on function item_digits(text, text, date, jsonb) is
    'The digits that name the item inside a restricted number, by the rule that holds; null for other codes.';
"#,
    name = "item_comments",
    requires = [item_key, item_digits]
);
