//! The members of a receipt.

use rust_decimal::Decimal;

use super::amount::TOTAL;
use super::declaration::Declaration;
use super::finding::Findings;
use super::id::{is_id, is_stored_number};
use super::line::read_items;
use super::member::{require, text, without_nulls};
use super::source::Source;
use super::{Limits, Receipt, Stamp};
use crate::json::Value;
use crate::problem::Place;

const REQUIRED: [&str; 6] = ["receiptId", "terminalId", "departmentCode", "items", "total", "timestamp"];

/// Reads a normalised tree as a receipt, and puts known members into their canonical form. None
/// when something that makes a receipt is missing or unreadable; then there is a problem that says
/// so. Beside it the time as it was printed.
pub(super) fn read(
    tree: &mut Value,
    source: Source<'_>,
    limits: &Limits,
    f: &mut Findings,
) -> Option<(Receipt, Stamp)> {
    let declaration = source.declaration();
    let root = Place::Root;
    let Value::Object(members) = tree else {
        return f.refuse("TYPE", &root, "a receipt must be an object");
    };
    without_nulls(members, &["series"]);
    // "" and no series are one identity, so they must be one content too.
    members.retain(|(key, value)| key != "series" || value.as_str() != Some(""));
    let (mut receipt_id, mut terminal_id, mut department_code, mut series) = (None, None, None, None);
    let (mut items, mut total, mut timestamp) = (None, None, None);
    for (key, value) in members.iter_mut() {
        let here = root.key(key);
        match key.as_str() {
            "receiptId" => receipt_id = number(value, &here, source, f),
            "terminalId" => terminal_id = id(value, &here, f),
            "departmentCode" => department_code = id(value, &here, f),
            "series" => series = id(value, &here, f),
            "items" => items = read_items(value, &here, declaration, limits, f),
            "total" => total = TOTAL.read(value, &here, declaration, f),
            "timestamp" => timestamp = stamp(value, &here, declaration, f),
            _ => f.flag("EXTRA_FIELDS"),
        }
    }
    require(members, &REQUIRED, &root, f);
    expect(&terminal_id, &declaration.terminal, "WRONG_TERMINAL", "terminalId", f);
    expect(&department_code, &declaration.department, "WRONG_DEPARTMENT", "departmentCode", f);
    let (items, total, (printed, timestamp)) = (items?, total?, timestamp?);
    let lines_total: Decimal = items.iter().map(|line| line.total).sum();
    if !TOTAL.holds(lines_total) || !TOTAL.holds(total - lines_total) {
        return f.refuse("NUMBER_RANGE", &root.key("items"), "the lines come to too large an amount");
    }
    let receipt = Receipt {
        terminal_id: terminal_id?,
        department_code: department_code?,
        receipt_id: receipt_id?,
        series: series.unwrap_or_default(),
        timestamp_text: timestamp.to_string(),
        timestamp,
        items,
        total,
        lines_total,
        total_difference: total - lines_total,
    };
    Some((receipt, printed))
}

fn id(value: &Value, place: &Place<'_>, f: &mut Findings) -> Option<String> {
    let id = text(value, place, f)?;
    match is_id(&id) {
        true => Some(id),
        false => f.refuse("BAD_ID", place, "an identifier is 1 to 32 of A-Z, a-z, 0-9, point, underscore and hyphen"),
    }
}

/// The number of the receipt, as it is printed.
fn number(value: &Value, place: &Place<'_>, source: Source<'_>, f: &mut Findings) -> Option<String> {
    let number = text(value, place, f)?;
    let right = match source {
        Source::File(declaration) => declaration.id_map.name_of(&number).is_some(),
        Source::Body(_) => is_stored_number(&number),
    };
    let detail = "a receipt's number is 1 to 64 of A-Z, a-z, 0-9, point, underscore and hyphen; blanks and slashes need \
        an id_map of the terminal";
    if right { Some(number) } else { f.refuse("BAD_ID", place, detail) }
}

/// The time as it was printed, and in its one form, which stands in the tree from here on.
fn stamp(value: &mut Value, place: &Place<'_>, declaration: &Declaration, f: &mut Findings) -> Option<(Stamp, Stamp)> {
    let text = text(value, place, f)?;
    match Stamp::read(&text) {
        Some(printed) => {
            let stamp = declaration.in_one_form(printed);
            *value = Value::String(stamp.to_string());
            Some((printed, stamp))
        }
        None => f.refuse("TIMESTAMP", place, "this must be a date and time such as 2026-06-30T22:15:00Z"),
    }
}

fn expect(found: &Option<String>, expected: &Option<String>, code: &'static str, key: &str, f: &mut Findings) {
    if found.as_ref().zip(expected.as_ref()).is_some_and(|(found, expected)| found != expected) {
        f.problem(code, &Place::Root.key(key), "this is not what is registered for the terminal");
    }
}
