//! What somebody wants for a table: who writes it, and what belongs together.

use super::fault::Fault;
use crate::json::Value;
use crate::merge::SetRule;

/// The arguments of `sync.track`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `any` or `central`.
    pub writer: String,
    /// Columns that are one value together, by the name of their group.
    pub groups: Vec<(String, Vec<String>)>,
    /// The column with the number of the node that owns a row.
    pub owner_column: Option<String>,
    /// Columns that no two rows share, by a name.
    pub duplicates: Vec<(String, Vec<String>)>,
    /// Columns with a scale, and whether that is one: an array that is not empty.
    pub only_stricter: Vec<(String, bool)>,
    /// Columns that are sets, and how they change: `union` or `grow_only`.
    pub sets: Vec<(String, String)>,
}

impl Rules {
    /// Reads `{"writer", "groups", "owner_column", "duplicates", "only_stricter", "sets"}`, as far
    /// as it can be read, and says what cannot.
    pub fn from_json(json: &Value) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut columns = |key: &'static str, code: &'static str| {
            let read = json.get(key).and_then(Value::as_object).and_then(lists);
            read.unwrap_or_else(|| {
                let hint = format!("Give it as {key} => '{{\"name\": [\"column\", \"column\"]}}'.");
                faults.push(Fault::new(code, format!("{key} is an object of arrays of columns"), hint));
                Vec::new()
            })
        };
        let (groups, duplicates) = (columns("groups", "BAD_GROUPS"), columns("duplicates", "BAD_DUPLICATES"));
        let is_scale = |value: &Value| value.as_array().is_some_and(|steps| !steps.is_empty());
        let only_stricter = json.get("only_stricter").and_then(Value::as_object);
        if only_stricter.is_none() {
            let hint = "Give it as only_stricter => '{\"column\": [\"strictest\", \"loosest\"]}'.";
            faults.push(Fault::new("BAD_SCALE", "only_stricter is an object from columns to their scales", hint));
        }
        let word = |(column, word): &(String, Value)| {
            let word = word.as_str().filter(|word| SetRule::from_word(word).is_some())?;
            Some((column.clone(), word.to_owned()))
        };
        let sets = json.get("sets").and_then(Value::as_object);
        let sets = sets.and_then(|sets| sets.iter().map(word).collect::<Option<Vec<_>>>());
        if sets.is_none() {
            let hint = "Give it as sets => '{\"column\": \"union\"}'. An element of a union may be removed again, one of grow_only not.";
            faults.push(Fault::new("BAD_SETS", "sets is an object from columns to union or grow_only", hint));
        }
        let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let rules = Self {
            writer: text("writer").unwrap_or_default(),
            groups,
            owner_column: text("owner_column"),
            duplicates,
            only_stricter: only_stricter.unwrap_or_default().iter().map(|(c, s)| (c.clone(), is_scale(s))).collect(),
            sets: sets.unwrap_or_default(),
        };
        (rules, faults)
    }

    /// Whether a column only grows stricter.
    pub(super) fn is_strict(&self, column: &str) -> bool {
        self.only_stricter.iter().any(|(name, _)| name == column)
    }

    /// Whether a column is a set.
    pub(super) fn is_set(&self, column: &str) -> bool {
        self.sets.iter().any(|(name, _)| name == column)
    }
}

fn lists(members: &[(String, Value)]) -> Option<Vec<(String, Vec<String>)>> {
    let list = |value: &Value| {
        let columns = value.as_array()?.iter().map(|column| column.as_str().map(str::to_owned));
        columns.collect::<Option<_>>()
    };
    members.iter().map(|(name, value)| Some((name.clone(), list(value)?))).collect()
}
