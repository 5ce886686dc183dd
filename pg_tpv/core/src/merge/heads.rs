use std::collections::{BTreeMap, BTreeSet};

use super::{EXISTS, Operation, Version};
use crate::json::Value;

/// A value of a register that nobody has replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The operation that wrote it.
    pub version: Version,
    /// When.
    pub hlc: i64,
    /// What.
    pub value: Value,
}

impl Head {
    /// What `operation` writes into `register`.
    pub fn of(operation: &Operation, register: &str) -> Option<Self> {
        let value = operation.patch.get(register)?.clone();
        Some(Self { version: operation.version, hlc: operation.hlc, value })
    }

    /// The place in time, made total.
    pub(super) fn age(&self) -> (i64, Version) {
        (self.hlc, self.version)
    }
}

/// The heads of a register, by version: the operations that write it and that no other of them names. Order and
/// repetition change nothing, and one that was named before it arrived is none from the start.
pub fn heads<'o>(operations: impl IntoIterator<Item = &'o Operation>, register: &str) -> Vec<Head> {
    let mut written = BTreeMap::new();
    let mut named = BTreeSet::<Version>::new();
    for operation in operations.into_iter().filter(|operation| operation.patch.contains_key(register)) {
        written.insert(operation.version, operation);
        named.extend(operation.seen(register).iter().filter(|version| **version != operation.version));
    }
    let unnamed = written.into_values().filter(|operation| !named.contains(&operation.version));
    unnamed.filter_map(|operation| Head::of(operation, register)).collect()
}

/// The heads after `operation`, where they follow from the heads alone; otherwise `None`, and [`heads`] has to look at
/// the journal.
///
/// They follow when the writer had seen all heads: it is then the only one. Nothing that is here already can name it: what
/// does so ends in a head, that head was seen by the writer, and so the writer would have seen what came of its own
/// operation. In any other case something here may name it.
pub fn advance(heads: &[Head], operation: &Operation, register: &str) -> Option<Vec<Head>> {
    let Some(head) = Head::of(operation, register) else { return Some(heads.to_vec()) };
    if heads.iter().any(|known| known.version == operation.version) {
        return Some(heads.to_vec());
    }
    let seen = operation.seen(register);
    heads.iter().all(|known| seen.contains(&known.version)).then(|| vec![head])
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a head of a register at least.
    Head,
    /// Everything it wrote was replaced by someone who saw it.
    Superseded,
    /// The create of its entity has not arrived; it counts when that comes.
    Waiting,
}

/// What became of each operation on one entity: none is ever without an answer.
pub fn fates<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> BTreeMap<Version, Fate> {
    let operations: Vec<_> = operations.into_iter().collect();
    let registers: BTreeSet<_> = operations.iter().flat_map(|operation| operation.patch.keys()).collect();
    let waiting = registers.iter().all(|register| *register != EXISTS);
    let heads: BTreeSet<_> = registers
        .into_iter()
        .flat_map(|register| heads(operations.iter().copied(), register))
        .map(|h| h.version)
        .collect();
    let fate = |version| match heads.contains(version) {
        _ if waiting => Fate::Waiting,
        true => Fate::Head,
        false => Fate::Superseded,
    };
    operations.iter().map(|operation| (operation.version, fate(&operation.version))).collect()
}
