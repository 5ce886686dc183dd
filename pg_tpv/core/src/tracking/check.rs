//! All that is wrong with a table and its rules, at once.

use super::fault::Fault;
use super::rules::Rules;
use super::table::{Column, Table};

/// The columns that tracking itself gives a table.
const TOMBSTONE: &str = "deleted";
const ALIAS: &str = "alias_of";

/// Types whose values are the same at every node when they look the same.
const COMPARABLE: [&str; 6] = ["text", "character varying", "character", "integer", "bigint", "uuid"];

/// Why a table cannot be tracked by these rules; empty when it can. `None` is a table that is not
/// there.
pub fn check(table: Option<&Table>, rules: &Rules) -> Vec<Fault> {
    let Some(table) = table else {
        let hint = "Give it with its schema, such as catalog.product.";
        return vec![Fault::new("NO_TABLE", "there is no table of that name", hint)];
    };
    let mut faults = Vec::new();
    if !matches!(rules.writer.as_str(), "any" | "central") {
        let hint = "With any every node may write it; with central a store that has joined may not.";
        faults.push(Fault::new("WRITER", "writer must be any or central", hint));
    }
    faults.extend(place(table));
    if !table.ordinary {
        let hint = "A view cannot, nor can a table that has partitions, is temporary or is unlogged.";
        faults.push(Fault::new("NOT_ORDINARY", "only an ordinary table can be tracked", hint));
        // Of something else the columns say nothing.
        return faults;
    }
    faults.extend(columns(table, rules));
    faults.extend(groups(table, rules));
    faults.extend(owner_column(table, rules));
    faults.extend(duplicates(table, rules));
    faults.extend(sets(table, rules));
    if rules.only_stricter.iter().any(|(_, is_scale)| !is_scale) {
        let hint = "Give it as only_stricter => '{\"column\": [\"strictest\", \"loosest\"]}'.";
        let what = "what only grows stricter has a scale, an array from the strictest value";
        faults.push(Fault::new("SCALE", what, hint));
    }
    if rules.writer == "any" {
        faults.extend(constraints(table, rules));
    }
    faults
}

/// Where it is, and whose.
fn place(table: &Table) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !table.name.split_once('.').is_some_and(|(schema, name)| is_plain(schema) && is_plain(name)) {
        let hint = "Rename it. Operations name it, the same at every node.";
        faults.push(Fault::new("NAME", "the names of a tracked table and its schema are of a-z, 0-9 and _", hint));
    }
    let ours = matches!(table.schema.as_str(), "wire" | "tpv" | "sync") && table.name != "sync.policy";
    if ours {
        let hint = "Tracking itself works with the tables of that schema.";
        faults.push(Fault::new("SCHEMA", format!("a table of schema {} cannot be tracked", table.schema), hint));
    }
    if table.owner != "tpv_owner" {
        let hint = format!("Change its owner: alter table {} owner to tpv_owner.", table.name);
        faults.push(Fault::new("OWNER", "a tracked table belongs to tpv_owner", hint));
    }
    faults
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

/// The key, the columns that tracking needs, and those that the rules name.
fn columns(table: &Table, rules: &Rules) -> Vec<Fault> {
    let mut faults = Vec::new();
    if table.key.is_none() {
        let hint = "A uuid is generated where the row is made, and no other node generates the same.";
        faults.push(Fault::new("KEY", "a tracked table has a primary key of one uuid column", hint));
    }
    let is_reserved = |column: &&Column| match column.name.as_str() {
        TOMBSTONE => column.kind != "boolean",
        ALIAS => column.kind != "uuid" || rules.duplicates.is_empty(),
        name => is_of_journal(name),
    };
    let reserved: Vec<_> = table.columns.iter().filter(is_reserved).map(|column| &column.name).collect();
    if !reserved.is_empty() {
        let hint = "A column deleted is a boolean, and alias_of a uuid where there are duplicates. The journal uses names with / and +, and those that begin with @.";
        faults.push(Fault::new("RESERVED_NAME", "a column name is reserved", hint).about(&reserved));
    }
    // The key is made where the row is, and its operation says it.
    let is_made_here = |column: &&Column| !column.constant && table.key.as_deref() != Some(column.name.as_str());
    let made_here: Vec<_> = table.columns.iter().filter(is_made_here).map(|column| &column.name).collect();
    if !made_here.is_empty() {
        let what = "the default of a column must be a constant";
        let hint = "Rows that were there before, or come from a node without the column, would get another value at each \
                    node. Drop the default, and write the value where the row is made.";
        faults.push(Fault::new("NOT_CONSTANT", what, hint).about(&made_here));
    }
    let unknown: Vec<_> = named(rules)
        .filter(|(column, _)| !may_be_named(table, column))
        .map(|(column, place)| format!("{column} of {place}"))
        .collect();
    if !unknown.is_empty() {
        let what = "the table has no such column, or its name is reserved";
        let hint = "No rule names the key, deleted or alias_of.";
        faults.push(Fault::new("UNKNOWN_COLUMN", what, hint).about(&unknown));
    }
    faults
}

/// Each column that the rules name, and where.
fn named(rules: &Rules) -> impl Iterator<Item = (&str, String)> {
    let strict = rules.only_stricter.iter().map(|(column, _)| (column.as_str(), "only_stricter".to_owned()));
    let owner = rules.owner_column.iter().map(|column| (column.as_str(), "owner_column".to_owned()));
    let sets = rules.sets.iter().map(|(column, _)| (column.as_str(), "sets".to_owned()));
    listed("group", &rules.groups).chain(listed("duplicates", &rules.duplicates)).chain(strict).chain(owner).chain(sets)
}

fn listed<'r>(place: &'static str, lists: &'r [(String, Vec<String>)]) -> impl Iterator<Item = (&'r str, String)> {
    lists
        .iter()
        .flat_map(move |(name, columns)| columns.iter().map(move |column| (column.as_str(), format!("{place} {name}"))))
}

fn may_be_named(table: &Table, column: &str) -> bool {
    table.column(column).is_some() && table.key.as_deref() != Some(column) && !matches!(column, TOMBSTONE | ALIAS)
}

fn groups(table: &Table, rules: &Rules) -> Vec<Fault> {
    let mut faults = Vec::new();
    let members: Vec<&String> = rules.groups.iter().flat_map(|(_, columns)| columns).collect();
    let mut twice: Vec<_> = members.iter().filter(|one| members.iter().filter(|it| it == one).count() > 1).collect();
    twice.sort();
    twice.dedup();
    if !twice.is_empty() {
        let hint = "A group is one value. Two of them would each have a value of that column.";
        faults.push(Fault::new("TWO_GROUPS", "a column belongs to one group", hint).about(&twice));
    }
    let misnamed = |name: &&String| name.is_empty() || is_of_journal(name) || table.column(name).is_some();
    let misnamed: Vec<_> = rules.groups.iter().map(|(name, _)| name).filter(misnamed).collect();
    if !misnamed.is_empty() {
        let hint = "Operations name groups and columns in one place.";
        faults.push(
            Fault::new("GROUP_NAME", "a group has a name of its own, not that of a column", hint).about(&misnamed),
        );
    }
    let is_alone = |column: &&&String| {
        rules.owner_column.as_ref() == Some(column) || rules.is_strict(column) || rules.is_set(column)
    };
    let alone: Vec<_> = members.iter().filter(is_alone).collect();
    if !alone.is_empty() {
        let hint = "These columns have rules of their own.";
        faults.push(
            Fault::new("NOT_IN_GROUP", "an owner, a set, and what only grows stricter, is in no group", hint)
                .about(&alone),
        );
    }
    faults
}

fn owner_column(table: &Table, rules: &Rules) -> Option<Fault> {
    let column = table.column(rules.owner_column.as_deref()?)?;
    (column.kind != "integer" || column.not_null || column.has_default).then(|| {
        let what = "the column of an owner is an integer that may be null and has no default";
        let hint = "Where it is not given, the node that makes the row becomes its owner.";
        Fault::new("OWNER_COLUMN", what, hint).about(&[&column.name])
    })
}

/// Registers of elements are named with a slash or a plus, reserved ones with an @.
fn is_of_journal(name: &str) -> bool {
    name.starts_with('@') || name.contains(['/', '+'])
}

/// A set has one form, so that it looks the same at every node.
fn sets(table: &Table, rules: &Rules) -> Option<Fault> {
    let is_sound = |column: &&Column| {
        column.kind == "jsonb" && column.not_null && column.has_default && !rules.is_strict(&column.name)
    };
    let columns = rules.sets.iter().filter_map(|(name, _)| table.column(name));
    let other: Vec<_> = columns.filter(|column| !is_sound(column)).map(|column| &column.name).collect();
    (!other.is_empty()).then(|| {
        let hint = "Declare it as jsonb not null default '[]', without a scale. It holds an array of texts.";
        Fault::new("SET_COLUMN", "a set is a column of type jsonb that is not null and has a default", hint)
            .about(&other)
    })
}

fn duplicates(table: &Table, rules: &Rules) -> Option<Fault> {
    let columns = rules.duplicates.iter().flat_map(|(_, columns)| columns).filter_map(|name| table.column(name));
    let other: Vec<_> = columns
        .filter(|column| !COMPARABLE.contains(&column.kind.as_str()))
        .map(|column| format!("{} {}", column.name, column.kind))
        .collect();
    (!other.is_empty()).then(|| {
        let hint = "Values of other types can be equal and look different.";
        Fault::new("DUPLICATE_TYPE", "columns of duplicates are text, integer or uuid", hint).about(&other)
    })
}

/// Constraints that two rows could break together, each of which was right where it was written.
fn constraints(table: &Table, rules: &Rules) -> Vec<Fault> {
    // Two columns of one CHECK, written at two nodes, could together break it.
    let is_one_group =
        |columns: &[String]| rules.groups.iter().any(|(_, group)| columns.iter().all(|column| group.contains(column)));
    let split = table.checks.iter().filter(|check| check.columns.len() > 1 && !is_one_group(&check.columns));
    let mut faults: Vec<_> = split
        .map(|check| {
            let hint = "Give it as groups => '{\"name\": [\"column\", \"column\"]}'.";
            let what = format!("the columns of CHECK {} must be one group", check.name);
            Fault::new("SPLIT_CHECK", what, hint).about(&check.columns)
        })
        .collect();
    if !table.other_keys.is_empty() {
        let what = "a table that every node may write has no UNIQUE, EXCLUDE or FOREIGN KEY beside its key";
        let hint = "Two nodes could each be right and never agree. With duplicates => '{\"name\": [\"column\"]}' the same values are \
                    refused where they are seen, and sync.duplicate shows the others.";
        faults.push(Fault::new("OTHER_KEY", what, hint).about(&table.other_keys));
    }
    faults
}
