use std::collections::{BTreeMap, BTreeSet};

use super::{EXISTS, Operation, Version};
use crate::json::Value;

/// A value of a register that nobody has replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The operation that wrote it.
    pub version: Version,
    /// When it was written.
    pub hlc: i64,
    /// What it wrote.
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

/// The heads of a register, by version: the operations that write it and that no other of them
/// names. Order and repetition change nothing, and one that was named before it arrived is none
/// from the start.
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

/// The heads after `operation`: without those that it names, and with itself, unless an operation
/// that is here names it already. Whatever the order, and however often operations come, the result
/// is that of [`heads`]. But it needs none of the earlier operations, so a node may have been given
/// its heads in a snapshot.
///
/// `is_named` answers whether an operation in the journal names this one for this register. It is
/// called only if the writer had not seen all heads here. If it had, no operation here names this
/// one: such an operation, or one that replaced it, would be a head; the writer would have seen
/// that head, and so a consequence of its own operation before writing it. A node that notes the
/// versions which operations name and which it lacks need search its journal only when one of those
/// arrives.
pub fn advance(heads: &[Head], operation: &Operation, register: &str, is_named: impl FnOnce() -> bool) -> Vec<Head> {
    let mut after = heads.to_vec();
    let Some(head) = Head::of(operation, register) else { return after };
    let seen = operation.seen(register);
    after.retain(|known| !seen.contains(&known.version));
    let is_new = after.iter().all(|known| known.version != head.version);
    if is_new && (after.is_empty() || !is_named()) {
        after.push(head);
        after.sort_by_key(|head| head.version);
    }
    after
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a head of a register at least.
    Head,
    /// Everything it wrote was replaced by somebody who saw it.
    Superseded,
    /// The create of its entity has not arrived; it counts when that comes.
    Waiting,
}

/// What became of each operation on one entity: none is ever without an answer.
pub fn fates<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> BTreeMap<Version, Fate> {
    let mut operations: Vec<Operation> = operations.into_iter().cloned().collect();
    if operations.iter().any(Operation::erases) {
        operations.iter_mut().for_each(|operation| *operation = operation.blanked());
    }
    let registers: BTreeSet<_> = operations.iter().flat_map(|operation| operation.patch.keys()).collect();
    let waiting = registers.iter().all(|register| *register != EXISTS);
    let heads: BTreeSet<_> =
        registers.into_iter().flat_map(|register| heads(&operations, register)).map(|h| h.version).collect();
    let fate = |version| match heads.contains(version) {
        _ if waiting => Fate::Waiting,
        true => Fate::Head,
        false => Fate::Superseded,
    };
    operations.iter().map(|operation| (operation.version, fate(&operation.version))).collect()
}
