//! The members of a receipt.

use rust_decimal::Decimal;

use super::amount::TOTAL;
use super::declaration::Declaration;
use super::finding::Findings;
use super::id::is_id;
use super::line::read_items;
use super::member::{require, text, without_nulls};
use super::{Limits, Receipt, Stamp};
use crate::json::Value;
use crate::problem::Place;

const REQUIRED: [&str; 6] = ["receiptId", "terminalId", "departmentCode", "items", "total", "timestamp"];

/// Reads a normalised tree as a receipt, and puts known members into their canonical form. None
/// when something that makes a receipt is missing or unreadable; then there is a problem that says
/// so.
pub(super) fn read(tree: &mut Value, declaration: &Declaration, limits: &Limits, f: &mut Findings) -> Option<Receipt> {
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
            "receiptId" => receipt_id = id(value, &here, f),
            "terminalId" => terminal_id = id(value, &here, f),
            "departmentCode" => department_code = id(value, &here, f),
            "series" => series = id(value, &here, f),
            "items" => items = read_items(value, &here, declaration, limits, f),
            "total" => total = TOTAL.read(value, &here, declaration, f),
            "timestamp" => timestamp = stamp(value, &here, f),
            _ => f.flag("EXTRA_FIELDS"),
        }
    }
    require(members, &REQUIRED, &root, f);
    expect(&terminal_id, &declaration.terminal, "WRONG_TERMINAL", "terminalId", f);
    expect(&department_code, &declaration.department, "WRONG_DEPARTMENT", "departmentCode", f);
    let (items, total, (timestamp_text, timestamp)) = (items?, total?, timestamp?);
    let lines_total: Decimal = items.iter().map(|line| line.total).sum();
    if !TOTAL.holds(lines_total) || !TOTAL.holds(total - lines_total) {
        return f.refuse("NUMBER_RANGE", &root.key("items"), "the lines come to too large an amount");
    }
    Some(Receipt {
        terminal_id: terminal_id?,
        department_code: department_code?,
        receipt_id: receipt_id?,
        series: series.unwrap_or_default(),
        timestamp_text,
        timestamp,
        items,
        total,
        lines_total,
        total_difference: total - lines_total,
    })
}

fn id(value: &Value, place: &Place<'_>, f: &mut Findings) -> Option<String> {
    let id = text(value, place, f)?;
    match is_id(&id) {
        true => Some(id),
        false => f.refuse("BAD_ID", place, "an identifier is 1 to 32 of A-Z, a-z, 0-9, point, underscore and hyphen"),
    }
}

fn stamp(value: &Value, place: &Place<'_>, f: &mut Findings) -> Option<(String, Stamp)> {
    let text = text(value, place, f)?;
    match Stamp::read(&text) {
        Some(stamp) => Some((text, stamp)),
        None => f.refuse("TIMESTAMP", place, "this must be a date and time such as 2026-06-30T22:15:00Z"),
    }
}

fn expect(found: &Option<String>, expected: &Option<String>, code: &'static str, key: &str, f: &mut Findings) {
    if found.as_ref().zip(expected.as_ref()).is_some_and(|(found, expected)| found != expected) {
        f.problem(code, &Place::Root.key(key), "this is not what is registered for the terminal");
    }
}
