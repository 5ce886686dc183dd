//! The list of conflicts, `sync.sibling`: the heads of each register that has more than one, with
//! different values.

use std::collections::BTreeSet;

use tpv_core::merge::{ALIAS, Choice, Entity, Head, Merged};

use super::tracked::Tracked;
use crate::postgres::{JsonbText, sql};

const CLEAR: &str = "delete from sync.sibling where table_name = $1 and key = $2 and column_name = any ($3)";

/// Removes the conflicts about these registers: they are resolved.
pub fn clear_siblings<'r>(table_name: &str, key: &str, registers: impl Iterator<Item = &'r String>) {
    let registers: Vec<&str> = registers.map(String::as_str).collect();
    sql::execute(CLEAR, &[table_name.into(), key.into(), registers.into()]);
}

const RECORD: &str = r"
    insert into sync.sibling (table_name, key, column_name, node_id, seq, hlc, value, chosen, review)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Lists the conflicts about these registers anew.
pub fn record_siblings(tracked: &Tracked, key: &str, entity: &Entity, merged: &Merged, registers: &BTreeSet<String>) {
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

/// Heads with the same value agree.
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
