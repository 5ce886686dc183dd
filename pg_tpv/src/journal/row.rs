//! From the heads of a thing to its row, and to the list of conflicts.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::spi::{quote_identifier, quote_qualified_identifier};
use tpv_core::json::Value;
use tpv_core::merge::{ALIAS, Choice, Entity, Head, Merged, Operation, Rule};

use super::custom;
use super::tracked::{ColumnValue, TOMBSTONE, Tracked};
use super::without_capture::without_capture;
use crate::postgres::{DataFault, JsonbText, sql};

/// Locks the row of a thing; whether it is there.
pub fn lock_row(tracked: &Tracked, key: &str) -> bool {
    let text = format!(
        "select from {} where {} = $1::{} for update",
        quoted_name(tracked),
        quote_identifier(&tracked.key_column),
        tracked.key_type
    );
    sql::execute_text(&text, &[key.into()]) > 0
}

/// What was written, and what could not be.
#[derive(Debug, Default)]
pub struct Unwritten(BTreeMap<String, DataFault>);

impl Unwritten {
    /// Whether all that an operation wrote is written as it ought to be.
    ///
    /// # Errors
    /// A column, a rule or a function that this node does not have.
    pub fn complete_for(self, operation: &Operation) -> Result<(), DataFault> {
        let mut faults = self.0.into_iter().filter(|(register, _)| operation.patch.contains_key(register));
        faults.next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    /// The fault of one register.
    pub fn fault(mut self, register: &str) -> Option<DataFault> {
        self.0.remove(register)
    }

    /// Whether all of the thing is written as it ought to be.
    ///
    /// # Errors
    /// As for one operation.
    pub fn complete(self) -> Result<(), DataFault> {
        self.0.into_values().next().map_or(Ok(()), Err)
    }
}

/// Writes what follows from the heads: the columns of the row that the given registers stand for, all of them when the
/// row is new, and the conflicts about them. A column that this node does not have is left out, and reported.
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
    // Whoever made the row held its heads until a moment ago, so that it may be here by now.
    let is_new = is_new && !lock_row(tracked, key);
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
        let (known, complete) = tracked.columns_of(register, &choice.value);
        columns.extend(known);
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
    if tracked.columns.iter().any(|column| column == TOMBSTONE) {
        columns.push((TOMBSTONE.to_owned(), Some(Value::Bool(!merged.exists()))));
    }
    without_capture(|| write_row(tracked, key, columns, is_new));
    Ok(unwritten)
}

/// The registers to be written. Who learns whose a thing is chooses anew where that decides.
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

/// Asks the SQL function of a rule. While it can not be asked, the last writer wins.
///
/// # Errors
/// Why it can not be asked.
pub fn evaluate(choice: &mut Choice, heads: &[Head]) -> Result<(), DataFault> {
    if let Some(function) = choice.evaluate.take() {
        *choice = Choice::of(heads, custom::evaluate(&function, heads)?);
    }
    Ok(())
}

/// Shows a value that a person chose; the operation that says so follows at the end of the transaction.
pub fn show(tracked: &Tracked, key: &str, register: &str, value: &Value) {
    let (columns, _) = tracked.columns_of(register, value);
    without_capture(|| write_row(tracked, key, columns, false));
}

fn write_row(tracked: &Tracked, key: &str, columns: Vec<ColumnValue>, new: bool) {
    if columns.is_empty() && !new {
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
    if new {
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

/// Its name, quoted.
pub fn quoted_name(tracked: &Tracked) -> String {
    let (schema, name) = tracked.table_name.split_once('.').unwrap_or(("public", &tracked.table_name));
    quote_qualified_identifier(schema, name)
}

const CLEAR: &str = "delete from sync.sibling where table_name = $1 and key = $2 and column_name = any ($3)";

/// Conflicts about these registers are unwritten.
pub fn clear_siblings<'r>(table_name: &str, key: &str, registers: impl Iterator<Item = &'r String>) {
    let registers: Vec<&str> = registers.map(String::as_str).collect();
    sql::execute(CLEAR, &[table_name.into(), key.into(), registers.into()]);
}

const RECORD: &str = r"
    insert into sync.sibling (table_name, key, column_name, node_id, seq, hlc, value, chosen, review)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

fn record_siblings(tracked: &Tracked, key: &str, entity: &Entity, merged: &Merged, registers: &BTreeSet<String>) {
    clear_siblings(&tracked.table_name, key, registers.iter());
    for register in registers {
        let heads = entity.heads(register);
        let choice = if register == ALIAS { merged.alias.as_ref() } else { merged.columns.get(register) };
        let Some(choice) = choice.filter(|choice| heads.len() > 1 && is_conflict(choice)) else { continue };
        for head in heads {
            record(tracked, key, register, head, choice);
        }
    }
}

/// Two who wrote the same agree.
fn is_conflict(choice: &Choice) -> bool {
    !choice.losers.is_empty() || choice.needs_review
}

fn record(tracked: &Tracked, key: &str, register: &str, head: &Head, choice: &Choice) {
    let args = [
        tracked.table_name.as_str().into(),
        key.into(),
        register.into(),
        head.version.node_id.into(),
        head.version.seq.into(),
        head.hlc.into(),
        JsonbText::from(head.value.clone()).into(),
        choice.winners.contains(&head.version).into(),
        choice.needs_review.into(),
    ];
    sql::execute(RECORD, &args);
}
