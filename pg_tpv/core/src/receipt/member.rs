//! Members of objects: what is common to those of a receipt and of a line.

use super::finding::Findings;
use crate::json::Value;
use crate::problem::Place;

/// A text, as it is in the tree.
pub(super) fn text(value: &Value, place: &Place<'_>, f: &mut Findings) -> Option<String> {
    let text = value.as_str().map(str::to_owned);
    text.or_else(|| f.refuse("TYPE", place, "this must be a text"))
}

/// Drops optional members that are `null`: a terminal that writes `null` and one that leaves the
/// key out mean the same.
pub(super) fn without_nulls(members: &mut Vec<(String, Value)>, optional: &[&str]) {
    members.retain(|(key, value)| !(value.is_null() && optional.contains(&key.as_str())));
}

/// Records which of `required` are missing.
pub(super) fn require(members: &[(String, Value)], required: &[&str], place: &Place<'_>, f: &mut Findings) {
    for key in required.iter().filter(|required| !members.iter().any(|(key, _)| key == *required)) {
        f.problem("MISSING", &place.key(key), "this is missing");
    }
}
