//! The state of a thing that came as such, and not as operations.

use std::collections::{BTreeMap, BTreeSet};

use tpv_core::json::Value;
use tpv_core::merge::{Operation, Vector, Version, unite as united};

use super::entity::Tracked;
use super::take_in::{journal_of, misfit};
use super::{settle, state};
use crate::attempt::attempt;
use crate::take_in::quarantine_thing;

/// The tables that a load is about, each looked up once.
#[derive(Debug, Default)]
pub struct Tables(BTreeMap<String, Option<Tracked>>);

/// What came of one thing.
#[derive(Clone, Copy, Debug)]
pub struct Came<'c> {
    /// Its table.
    pub entity: &'c str,
    /// Its key.
    pub key: &'c str,
    /// Its heads at the sender.
    pub heads: &'c Value,
    /// Which operations are part of what is here.
    pub horizon: &'c Vector,
    /// Which operations are part of what came.
    pub vector: &'c Vector,
}

/// Puts it together with what is here, and writes the row.
pub fn unite(tables: &mut Tables, came: &Came<'_>) {
    let Came { entity, key, .. } = *came;
    let tracked = tables.0.entry(entity.to_owned()).or_insert_with(|| Tracked::find(entity)).as_ref();
    if let Some(tracked) = tracked {
        settle::lock_row(tracked, key);
    }
    let here = state::lock(entity, key);
    let there = state::from_value(came.heads);
    // Who has no head of a thing has no operation on it either.
    let journal: Vec<Operation> = if here.0.is_empty() { Vec::new() } else { journal_of(entity, key) };
    let known: BTreeSet<Version> = journal.iter().map(|operation| operation.version).collect();
    let here_knows = |version: Version| known.contains(&version) || came.horizon.covers(version);
    let whole = united(&here, &there, here_knows, |version| came.vector.covers(version), &journal);
    if whole != here {
        state::store(entity, key, &whole);
    }
    let settled = match tracked {
        Some(tracked) => attempt(|| settle::settle(tracked, key, &whole, whole.0.keys())),
        None => Err(misfit("UNKNOWN_ENTITY", "this node does not share that table, or not yet")),
    };
    if let Err(fault) = settled {
        // It waits under the name of the last operation that made it what it is.
        let last = whole.0.values().flatten().map(|head| head.version).max();
        if let Some(last) = last {
            quarantine_thing(last, entity, key, &fault);
        }
    }
}
