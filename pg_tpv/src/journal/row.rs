//! Writes the row of an entity from its heads.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::datum::DatumWithOid;
use pgrx::spi::{quote_identifier, quote_qualified_identifier};
use tpv_core::json::Value;
use tpv_core::merge::{ALIAS, Choice, Element, Entity, Head, Merged, Operation, Rule, set_of};

use uuid::Uuid;

use super::custom;
use super::sibling::record_siblings;
use super::tracked::{ColumnValue, TOMBSTONE, Tracked};
use super::without_capture::without_capture;
use crate::postgres::{DataFault, JsonbText, sql};

/// Locks the row of an entity, and says whether it is there.
pub fn lock_row(tracked: &Tracked, key: &str) -> bool {
    let text = format!(
        "select from {} where {} = $1::{} for update",
        quoted_name(tracked),
        quote_identifier(&tracked.key_column),
        tracked.key_type
    );
    sql::execute_text(&text, &[key.into()]) > 0
}

/// The registers that could not be written as they should be, and why.
#[derive(Debug, Default)]
pub struct Unwritten(BTreeMap<String, DataFault>);

impl Unwritten {
    /// Whether all registers of an operation are written.
    ///
    /// # Errors
    /// A column, a rule or a function that this node does not have.
    pub fn check_operation(self, operation: &Operation) -> Result<(), DataFault> {
        let mut faults = self.0.into_iter().filter(|(register, _)| operation.patch.contains_key(register));
        faults.next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    /// The fault of one register.
    pub fn fault(mut self, register: &str) -> Option<DataFault> {
        self.0.remove(register)
    }

    /// Whether all registers are written.
    ///
    /// # Errors
    /// As for one operation.
    pub fn check_all(self) -> Result<(), DataFault> {
        self.0.into_values().next().map_or(Ok(()), Err)
    }
}

/// Chooses among the heads of the given registers, of all registers when the row is new; writes the
/// columns that they stand for, and lists the conflicts about them. A column that this node does
/// not have is left out and reported. Nothing is written while the operation that creates the
/// entity has not arrived.
///
/// # Errors
/// What the table refuses.
pub fn write<'r>(
    tracked: &Tracked,
    key: &str,
    entity: &Entity,
    registers: impl Iterator<Item = &'r String> + Clone,
    is_new: bool,
) -> Result<Unwritten, DataFault> {
    // Another transaction may have inserted the row while we waited for its heads: look again.
    let is_new = is_new && !lock_row(tracked, key);
    if entity.is_erased() {
        if !entity.waits() {
            write_blank(tracked, key, entity, is_new);
        }
        return Ok(Unwritten::default());
    }
    let wanted = wanted(tracked, entity, registers, is_new);
    let mut merged = tracked.resolve(entity);
    let mut unwritten = Unwritten::default();
    for (register, choice) in &mut merged.columns {
        if wanted.contains(register)
            && let Err(fault) = evaluate(choice, entity.heads(register))
        {
            unwritten.0.insert(register.clone(), fault);
        }
    }
    record_siblings(tracked, key, entity, &merged, &wanted);
    let mut columns: Vec<ColumnValue> = Vec::new();
    let alias = merged.alias.iter().map(|choice| (ALIAS, choice));
    for (register, choice) in merged.columns.iter().map(|(name, choice)| (name.as_str(), choice)).chain(alias) {
        if !wanted.contains(register) {
            continue;
        }
        let (known, complete) = match tracked.element(register) {
            Some(element) => (set_of_element(&merged, element), true),
            None => tracked.columns_of(register, &choice.value),
        };
        for column in known {
            if columns.iter().all(|(name, _)| *name != column.0) {
                columns.push(column);
            }
        }
        if !complete {
            let fault = DataFault::new("UNKNOWN_COLUMN", "this node's table has no such column, or not yet");
            unwritten.0.insert(register.to_owned(), fault);
        } else if let Err(fault) = custom::check_policy_row(tracked, register, &choice.value) {
            unwritten.0.insert(register.to_owned(), fault);
        }
    }
    if merged.waits() {
        return Ok(unwritten);
    }
    if is_new {
        // A set without elements has no register.
        for (column, rule) in &tracked.sets {
            let is_written = columns.iter().any(|(name, _)| name == column);
            if !is_written && tracked.columns.contains(column) {
                columns.push((column.clone(), Some(set_of(merged.elements(column, *rule)))));
            }
        }
    }
    if tracked.columns.iter().any(|column| column == TOMBSTONE) {
        columns.push((TOMBSTONE.to_owned(), Some(Value::Bool(!merged.exists()))));
    }
    without_capture(|| write_row(tracked, key, columns, is_new));
    Ok(unwritten)
}

/// The set that an element belongs to, as it is now.
fn set_of_element(merged: &Merged, element: Element<'_>) -> Vec<ColumnValue> {
    let elements = merged.elements(element.column, element.rule);
    vec![(element.column.to_owned(), Some(set_of(elements)))]
}

/// Writes the row of an entity of which nothing is kept: its key, what it is an alias of, and that
/// it is deleted.
pub fn write_blank(tracked: &Tracked, key: &str, entity: &Entity, is_new: bool) {
    let table = quoted_name(tracked);
    let key_column = quote_identifier(&tracked.key_column);
    // What a peer wrote there is any text. This row is written outside a subtransaction.
    let alias =
        tracked.resolve(entity).became().and_then(|alias| Uuid::try_parse(alias).ok()).map(|alias| alias.to_string());
    let mut sets: Vec<(String, String)> =
        tracked.blank_columns().map(|(column, blank)| (quote_identifier(column), blank.to_owned())).collect();
    if tracked.columns.iter().any(|column| column == TOMBSTONE) {
        sets.push((TOMBSTONE.to_owned(), "true".to_owned()));
    }
    let mut args: Vec<DatumWithOid<'_>> = vec![key.into()];
    if tracked.has_aliases {
        sets.push(("alias_of".to_owned(), "$2::uuid".to_owned()));
        args.push(alias.as_deref().into());
    }
    let text = if is_new {
        let (names, values): (Vec<_>, Vec<_>) = sets.into_iter().unzip();
        let (names, values) = (names.join(", "), values.join(", "));
        format!("insert into {table} ({key_column}, {names}) values ($1::{}, {values})", tracked.key_type)
    } else {
        let sets: Vec<_> = sets.into_iter().map(|(column, value)| format!("{column} = {value}")).collect();
        format!("update {table} set {} where {key_column} = $1::{}", sets.join(", "), tracked.key_type)
    };
    without_capture(|| sql::execute_text(&text, &args));
}

/// Takes a row off of which nothing is left. It stays as a deleted one, since rows are never removed.
pub fn write_gone(tracked: &Tracked, key: &str) {
    if tracked.columns.iter().any(|column| column == TOMBSTONE) && lock_row(tracked, key) {
        without_capture(|| write_row(tracked, key, vec![(TOMBSTONE.to_owned(), Some(Value::Bool(true)))], false));
    }
}

/// The registers to be written. A new owner makes every `owner_wins` register choose again.
fn wanted<'r>(
    tracked: &Tracked,
    entity: &Entity,
    registers: impl Iterator<Item = &'r String> + Clone,
    is_new: bool,
) -> BTreeSet<String> {
    let owner = tracked.owner_column.as_ref().filter(|owner| registers.clone().any(|register| register == *owner));
    let all = entity.0.keys().filter(|name| is_new || (owner.is_some() && *tracked.rules.of(name) == Rule::OwnerWins));
    registers.cloned().chain(all.cloned()).collect()
}

/// Calls the SQL function of a rule, if the rule has one. While it cannot be called, the last
/// writer wins.
///
/// # Errors
/// Why it cannot be called.
pub fn evaluate(choice: &mut Choice, heads: &[Head]) -> Result<(), DataFault> {
    if let Some(function) = choice.evaluate.take() {
        *choice = Choice::of(heads, custom::evaluate(&function, heads)?);
    }
    Ok(())
}

/// Writes a value that a person chose. The operation that records it follows at the end of the
/// transaction.
pub fn show_chosen(tracked: &Tracked, key: &str, register: &str, value: &Value) {
    if let Some(element) = tracked.element(register) {
        return show_element(tracked, key, element, *value == Value::Bool(true));
    }
    let (columns, _) = tracked.columns_of(register, value);
    without_capture(|| write_row(tracked, key, columns, false));
}

/// Beside the set as the row shows it, which may have been changed in this transaction.
fn show_element(tracked: &Tracked, key: &str, element: Element<'_>, is_there: bool) {
    let (column, table) = (quote_identifier(element.column), quoted_name(tracked));
    let text = format!(
        "update {table} set {column} = (select coalesce(jsonb_agg(e order by e collate \"C\"), '[]') from ( \
           select e from jsonb_array_elements_text({column}) e where e <> $2 union select $2 where $3) s) \
         where {} = $1::{}",
        quote_identifier(&tracked.key_column),
        tracked.key_type
    );
    without_capture(|| sql::execute_text(&text, &[key.into(), element.name.into(), is_there.into()]));
}

fn write_row(tracked: &Tracked, key: &str, columns: Vec<ColumnValue>, is_new: bool) {
    if columns.is_empty() && !is_new {
        return;
    }
    let table = quoted_name(tracked);
    let key_column = quote_identifier(&tracked.key_column);
    let (mut names, mut defaults, mut image) = (Vec::new(), Vec::new(), Vec::new());
    for (column, value) in columns {
        match value {
            None => defaults.push(format!("{} = default", quote_identifier(&column))),
            Some(value) => {
                names.push(quote_identifier(&column));
                image.push((column, value));
            }
        }
    }
    image.push((tracked.key_column.clone(), Value::String(key.to_owned())));
    let image = JsonbText::from(Value::Object(image));
    if is_new {
        names.push(key_column);
        let names = names.join(", ");
        let text =
            format!("insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, $1)");
        sql::execute_text(&text, &[image.into()]);
        return;
    }
    let mut sets = defaults;
    if !names.is_empty() {
        let names = names.join(", ");
        sets.push(format!("({names}) = (select {names} from jsonb_populate_record(null::{table}, $1::jsonb))"));
    }
    let text = format!("update {table} set {} where {key_column} = $2::{}", sets.join(", "), tracked.key_type);
    sql::execute_text(&text, &[image.into(), key.into()]);
}

/// The name of the table, quoted.
pub fn quoted_name(tracked: &Tracked) -> String {
    let (schema, name) = tracked.table_name.split_once('.').unwrap_or(("public", &tracked.table_name));
    quote_qualified_identifier(schema, name)
}
