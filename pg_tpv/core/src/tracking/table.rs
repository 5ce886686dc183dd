//! A table as the catalog describes it.

use crate::json::Value;

/// What the check has to know of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// With its schema, quoted where it needs quotes: `party.customer`.
    pub name: String,
    /// `party`
    pub schema: String,
    /// Whether it is a table that holds rows, and keeps them: no view, no partitions, not
    /// temporary, not unlogged.
    pub ordinary: bool,
    /// The role that owns it.
    pub owner: String,
    /// The column of its primary key, if that is one column of type uuid.
    pub key: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its CHECK constraints over several columns.
    pub checks: Vec<Check>,
    /// The names of its UNIQUE, EXCLUDE and FOREIGN KEY constraints and unique indexes, but for the
    /// primary key.
    pub other_keys: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As it is written in the catalog, without quotes.
    pub name: String,
    /// `character varying`, without a length.
    pub kind: String,
    /// Whether null is refused.
    pub not_null: bool,
    /// Whether it has a default.
    pub has_default: bool,
    /// Whether that is the same at every node and at all times.
    pub constant: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The columns that it names.
    pub columns: Vec<String>,
}

impl Table {
    /// Reads what `sync.describe_table` answers; none when it is something else.
    pub fn from_json(json: &Value) -> Option<Self> {
        let columns = json.get("columns")?.as_array()?.iter().map(Column::from_json);
        let checks = json.get("checks")?.as_array()?.iter().map(Check::from_json);
        Some(Self {
            name: text(json, "name")?,
            schema: text(json, "schema")?,
            ordinary: json.get("ordinary")?.as_bool()?,
            owner: text(json, "owner")?,
            key: text(json, "key"),
            columns: columns.collect::<Option<_>>()?,
            checks: checks.collect::<Option<_>>()?,
            other_keys: texts(json.get("other_keys")?)?,
        })
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    fn from_json(json: &Value) -> Option<Self> {
        Some(Self {
            name: text(json, "name")?,
            kind: text(json, "type")?,
            not_null: json.get("not_null")?.as_bool()?,
            has_default: json.get("has_default")?.as_bool()?,
            constant: json.get("constant")?.as_bool()?,
        })
    }
}

impl Check {
    fn from_json(json: &Value) -> Option<Self> {
        Some(Self { name: text(json, "name")?, columns: texts(json.get("columns")?)? })
    }
}

fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

fn texts(json: &Value) -> Option<Vec<String>> {
    json.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
