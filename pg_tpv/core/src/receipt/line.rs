//! The lines of a receipt: their members, and what their barcodes and labels say.

use super::amount::{self, QUANTITY, TAX_RATE, TOTAL};
use super::declaration::Declaration;
use super::finding::Findings;
use super::member::{require, text, without_nulls};
use super::total::line_total;
use super::{Limits, Line, Receipt};
use crate::barcode::{Decoded, NumberKind, Scope, ValueKind, decode_in};
use crate::json::Value;
use crate::problem::Place;

const REQUIRED: [&str; 4] = ["barcode", "description", "price", "quantity"];

/// A barcode beyond this is none, and would not fit an index of the database.
pub(super) const LONGEST_BARCODE: usize = 512;

/// Reads `items`. None when they cannot be read as lines at all; a faulty line is left out, with
/// its problem.
pub(super) fn read_items(
    items: &mut Value,
    place: &Place<'_>,
    declaration: &Declaration,
    limits: &Limits,
    f: &mut Findings,
) -> Option<Vec<Line>> {
    let Value::Array(items) = items else {
        return f.refuse("TYPE", place, "this must be an array");
    };
    if items.is_empty() {
        return f.refuse("NO_ITEMS", place, "a receipt has at least one line");
    }
    if items.len() > limits.max_lines {
        return f.refuse("TOO_MANY_LINES", place, format!("a receipt has at most {} lines", limits.max_lines));
    }
    Some(
        items
            .iter_mut()
            .enumerate()
            .filter_map(|(index, item)| read_line(item, &place.index(index), declaration, f))
            .collect(),
    )
}

fn read_line(item: &mut Value, place: &Place<'_>, declaration: &Declaration, f: &mut Findings) -> Option<Line> {
    let Value::Object(members) = item else {
        return f.refuse("TYPE", place, "a line must be an object");
    };
    without_nulls(members, &["taxRate"]);
    let (mut barcode, mut description, mut price, mut quantity, mut tax_rate) = (None, None, None, None, None);
    for (key, value) in members.iter_mut() {
        let here = place.key(key);
        match key.as_str() {
            "barcode" => barcode = read_barcode(value, &here, declaration, f),
            "description" => description = text(value, &here, f),
            "price" => price = amount::price(declaration).read(value, &here, declaration, f),
            "quantity" => quantity = QUANTITY.read(value, &here, declaration, f),
            "taxRate" => tax_rate = TAX_RATE.read(value, &here, declaration, f),
            _ => f.flag("EXTRA_FIELDS"),
        }
    }
    require(members, &REQUIRED, place, f);
    if quantity.is_some_and(|quantity| quantity.is_zero()) {
        f.problem("ZERO_QUANTITY", &place.key("quantity"), "a line has a quantity");
    }
    if tax_rate.is_some_and(|rate| rate.is_sign_negative() || rate > 100.into()) {
        f.problem("NUMBER_RANGE", &place.key("taxRate"), "a tax rate is 0 to 100 percent");
    }
    if price.is_some_and(|price| price.is_zero()) {
        f.flag("ZERO_PRICE");
    }
    let (price, quantity) = (price?, quantity?);
    let total = line_total(price, quantity).filter(|total| TOTAL.holds(*total));
    let total = total.or_else(|| f.refuse("NUMBER_RANGE", place, "this line comes to too large an amount"))?;
    Some(Line { barcode: barcode?, gtin14: None, description: description?, price, quantity, tax_rate, total })
}

fn read_barcode(value: &mut Value, place: &Place<'_>, declaration: &Declaration, f: &mut Findings) -> Option<String> {
    if let Value::Number(digits) = value
        && declaration.numeric_barcode
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        *value = Value::String(std::mem::take(digits));
    }
    let barcode = text(value, place, f)?;
    match barcode.chars().nth(LONGEST_BARCODE) {
        None => Some(barcode),
        Some(_) => f.refuse("TOO_LARGE", place, format!("a barcode has at most {LONGEST_BARCODE} characters")),
    }
}

/// Decodes the barcodes of a receipt that is otherwise read, and flags what is odd about them.
/// Nothing here stops a receipt: the money is right, and the customer is waiting.
pub(super) fn decode_barcodes(receipt: &mut Receipt, declaration: &Declaration, f: &mut Findings) {
    let day = receipt.timestamp.local.date();
    let scope = Scope { store: None, department: Some(&receipt.department_code), on: Some(day) };
    for line in &mut receipt.items {
        let decoded = decode_in(&line.barcode, &declaration.barcode_rules, scope);
        match decoded.kind {
            NumberKind::Gtin | NumberKind::Restricted => {}
            NumberKind::Plu => f.flag("PLU"),
            NumberKind::Unknown if decoded.check_digit_ok == Some(false) => f.flag("CHECK_DIGIT"),
            NumberKind::Unknown => f.flag("BARCODE"),
        }
        flag_label(line, &decoded, f);
        line.gtin14 = decoded.gtin14;
    }
}

/// Compares a scale's label with its line; a returned label has the same digits and a negative
/// line.
fn flag_label(line: &Line, decoded: &Decoded, f: &mut Findings) {
    let Some(reading) = &decoded.reading else { return };
    if reading.inner_check_ok == Some(false) {
        f.flag("CHECK_DIGIT");
    }
    let on_line = match reading.value_kind {
        ValueKind::Price => line.total,
        ValueKind::Weight => line.quantity,
        ValueKind::Count | ValueKind::Ticket => return,
    };
    if reading.value.is_some_and(|value| value != on_line.abs()) {
        f.flag("LABEL_MISMATCH");
    }
}
