//! From the heads of a thing to its row, and to the list of conflicts.

use std::collections::BTreeSet;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{quote_identifier, quote_qualified_identifier};
use tpv_core::json::Value;
use tpv_core::merge::{Choice, Entity, Head, Merged, Operation};

use super::entity::{TOMBSTONE, Tracked};
use super::take_in::misfit;
use crate::attempt::DataFault;
use crate::jsonb::JsonbText;
use crate::{journal, sql};

/// Locks the row of a thing; whether it is there.
pub fn lock_row(tracked: &Tracked, key: &str) -> bool {
    let sql = format!(
        "select from {} where {} = $1::{} for update",
        table(tracked),
        quote_identifier(&tracked.key_column),
        tracked.key_type
    );
    run(&sql, &[key.into()]) > 0
}

/// What was written, and what could not be.
#[derive(Debug, Default)]
pub struct Settled {
    /// Registers that this node's table has no column for.
    unknown: BTreeSet<String>,
}

impl Settled {
    /// Whether all that an operation wrote is written.
    ///
    /// # Errors
    /// A column that this node does not have.
    pub fn complete_for(&self, operation: &Operation) -> Result<(), DataFault> {
        match self.unknown.iter().any(|register| operation.patch.contains_key(register)) {
            false => Ok(()),
            true => Err(unknown_column()),
        }
    }

    /// Whether all of the thing is written.
    ///
    /// # Errors
    /// A column that this node does not have.
    pub fn complete(&self) -> Result<(), DataFault> {
        if self.unknown.is_empty() { Ok(()) } else { Err(unknown_column()) }
    }
}

fn unknown_column() -> DataFault {
    misfit("UNKNOWN_COLUMN", "this node's table has no such column, or not yet")
}

/// Writes what follows from the heads: the columns of the row that the given registers stand for, all of them when the
/// row is new, and the conflicts about them. A column that this node does not have is left out, and reported.
///
/// # Errors
/// What the table refuses.
pub fn settle<'r>(
    tracked: &Tracked,
    key: &str,
    entity: &Entity,
    registers: impl Iterator<Item = &'r String> + Clone,
    is_new: bool,
) -> Result<Settled, DataFault> {
    let owner = None;
    let merged = entity.settle(&tracked.rules, tracked.context(owner));
    record_siblings(tracked, key, entity, &merged, registers.clone());
    let mut settled = Settled::default();
    let mut columns: Vec<(String, Value)> = Vec::new();
    for (register, choice) in &merged.columns {
        if is_new || registers.clone().any(|wanted| wanted == register) {
            match tracked.columns_of(register, &choice.value) {
                (known, true) => columns.extend(known),
                (known, false) => {
                    columns.extend(known);
                    settled.unknown.insert(register.clone());
                }
            }
        }
    }
    if merged.waits() {
        return Ok(settled);
    }
    if tracked.columns.iter().any(|column| column == TOMBSTONE) {
        columns.push((TOMBSTONE.to_owned(), Value::Bool(!merged.exists())));
    }
    journal::resolving(|| write_row(tracked, key, columns, is_new));
    Ok(settled)
}

fn write_row(tracked: &Tracked, key: &str, columns: Vec<(String, Value)>, new: bool) {
    let table = table(tracked);
    let key_column = quote_identifier(&tracked.key_column);
    let mut names: Vec<String> = columns.iter().map(|(column, _)| quote_identifier(column)).collect();
    let mut image = columns;
    image.push((tracked.key_column.clone(), Value::String(key.to_owned())));
    if names.is_empty() && !new {
        return;
    }
    let image = JsonbText::from(Value::Object(image));
    let sql = if new {
        names.push(key_column);
        let names = names.join(", ");
        format!("insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, $1)")
    } else {
        let names = names.join(", ");
        format!(
            "update {table} set ({names}) = (select {names} from jsonb_populate_record(null::{table}, $1)) \
             where {key_column} = $2::{}",
            tracked.key_type
        )
    };
    let args: Vec<DatumWithOid<'_>> = if new { vec![image.into()] } else { vec![image.into(), key.into()] };
    run(&sql, &args);
}

fn table(tracked: &Tracked) -> String {
    let (schema, name) = tracked.entity.split_once('.').unwrap_or(("public", &tracked.entity));
    quote_qualified_identifier(schema, name)
}

/// A statement whose text depends on the table.
fn run(sql: &str, args: &[DatumWithOid<'_>]) -> usize {
    Spi::connect_mut(|client| client.update(sql, None, args).unwrap_or_else(|error| sql::broken(error)).len())
}

const CLEAR: &str = "delete from sync.sibling where entity = $1 and key = $2 and column_name = any ($3)";

/// Conflicts about these registers are settled.
pub fn clear_siblings<'r>(entity: &str, key: &str, registers: impl Iterator<Item = &'r String>) {
    let registers: Vec<&str> = registers.map(String::as_str).collect();
    sql::execute(CLEAR, &[entity.into(), key.into(), registers.into()]);
}

const RECORD: &str = "insert into sync.sibling (entity, key, column_name, node_id, seq, hlc, value, chosen, review) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

fn record_siblings<'r>(
    tracked: &Tracked,
    key: &str,
    entity: &Entity,
    merged: &Merged,
    registers: impl Iterator<Item = &'r String> + Clone,
) {
    clear_siblings(&tracked.entity, key, registers.clone());
    for register in registers {
        let heads = entity.heads(register);
        let Some(choice) = merged.columns.get(register).filter(|choice| heads.len() > 1 && is_conflict(choice)) else {
            continue;
        };
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
        tracked.entity.as_str().into(),
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
