//! `tpv.gtin_…` and `tpv.barcode_decode`: what the number of a barcode means.

use pgrx::prelude::*;
use tpv_core::barcode::{self, BarcodeRule};

use crate::postgres::{JsonbText, Refusal};

/// The GS1 check digit that belongs behind these digits; null when they are none.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn gtin_check_digit(digits: &str) -> Option<String> {
    barcode::gtin_check_digit(digits).map(String::from)
}

/// The canonical 14 digits of a GTIN-8, 12, 13 or 14; null when `code` is none or its check digit
/// is wrong.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn gtin14(code: &str) -> Option<String> {
    barcode::gtin14(code)
}

/// What a number means under in-store rules, an array such as `[{"name", "prefix", "length",
/// "item": {"start", "length"}, "value": {…}, "kind", "decimals", …}]`: an object with `code`,
/// `kind`, `gtin14`, `check_digit_ok`, and of `rule`, `value_kind`, `item`, `value`,
/// `inner_check_ok` those that a rule gave.
///
/// # Errors
/// `22023` for rules that cannot be used, their faults in the detail.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn barcode_decode(code: &str, rules: JsonbText) -> JsonbText {
    decode(code, &rules).unwrap_or_else(|refusal| refusal.raise())
}

fn decode(code: &str, rules: &JsonbText) -> Result<JsonbText, Refusal> {
    Ok(barcode::decode(code, &parsed_rules(rules)?).to_json().into())
}

/// # Errors
/// `22023` for rules that cannot be used, their faults in the detail.
pub fn parsed_rules(rules: &JsonbText) -> Result<Vec<BarcodeRule>, Refusal> {
    BarcodeRule::list_from_json(&rules.read_as("the barcode rules")?)
        .map_err(|faults| Refusal::faulty("the barcode rules cannot be used", &faults))
}

extension_sql!(
    r#"
comment on function gtin_check_digit(text) is
    'The GS1 check digit that belongs behind these digits; null when the text is not all digits.';
comment on function gtin14(text) is
    'The canonical 14 digits of a GTIN-8, 12, 13 or 14; null when it is none or its check digit is wrong.';
comment on function barcode_decode(text, jsonb) is
    'What a barcode or in-store number means under an array of rules. Raises 22023 for rules that cannot be used.';
"#,
    name = "barcode_comments",
    requires = [gtin_check_digit, gtin14, barcode_decode]
);
