//! What an entity would be without what a node wrote from a number on: its machine was stolen, and
//! whoever has it wrote what he liked.
//!
//! What such an operation says of itself is not believed. It may name what its writer never saw, so a
//! value comes back only if no operation of somebody else has replaced it, and none comes back beside what
//! others wrote and it did not replace. What it names and was never an operation on the entity is a lie.

use std::collections::{BTreeMap, BTreeSet};

use super::{EXISTS, Head, Operation, Version};

/// The operations of a node from a number on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenSince {
    /// The node.
    pub node_id: i32,
    /// The first of them.
    pub seq: i64,
}

impl WrittenSince {
    /// Whether an operation is one of them.
    pub fn covers(self, version: Version) -> bool {
        version.node_id == self.node_id && version.seq >= self.seq
    }
}

/// What stands of a register in place of what is taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum Before {
    /// Values of others or of before, by version; several if they were concurrent.
    Heads(Vec<Head>),
    /// What others wrote and it did not replace. It says that it replaced more, which may be older.
    Beside(Vec<Head>),
    /// Nobody had written it.
    Nothing,
    /// It has left the journal.
    Unknown,
}

/// The operations on one entity that are here, and which of them are taken back.
#[derive(Debug)]
pub struct Undo<'o> {
    taken_back: WrittenSince,
    journal: BTreeMap<Version, &'o Operation>,
    /// What operations name that was never one on the entity.
    lies: &'o BTreeSet<Version>,
    /// What the others name, by register.
    named: BTreeMap<&'o str, BTreeSet<Version>>,
}

impl<'o> Undo<'o> {
    /// Of these operations. `lies` are versions that they name and that are no operations on the entity.
    pub fn of(operations: &'o [Operation], taken_back: WrittenSince, lies: &'o BTreeSet<Version>) -> Self {
        let mut named: BTreeMap<&str, BTreeSet<Version>> = BTreeMap::new();
        for operation in operations.iter().filter(|operation| !taken_back.covers(operation.version)) {
            for (register, versions) in &operation.base {
                named.entry(register).or_default().extend(versions);
            }
        }
        let journal = operations.iter().map(|operation| (operation.version, operation)).collect();
        Self { taken_back, journal, lies, named }
    }

    /// What stands in place of those heads of a register that are taken back.
    pub fn before(&self, register: &str, heads: &[Head]) -> Before {
        let (its, others): (Vec<&Head>, Vec<&Head>) =
            heads.iter().partition(|head| self.taken_back.covers(head.version));
        let (mut left, mut passed): (Vec<_>, _) = (its.iter().map(|head| head.version).collect(), BTreeSet::new());
        let (mut replaced, mut is_lost) = (BTreeMap::<Version, Head>::new(), false);
        while let Some(version) = left.pop() {
            if !passed.insert(version) {
                continue;
            }
            match self.journal.get(&version) {
                None => is_lost = true,
                Some(operation) if self.taken_back.covers(version) => left.extend(self.names(operation, register)),
                Some(operation) => replaced.extend(Head::of(operation, register).map(|head| (version, head))),
            }
        }
        let is_named = |version: &Version| self.named.get(register).is_some_and(|named| named.contains(version));
        let was_named = !replaced.is_empty();
        replaced.retain(|version, _| !is_named(version) && others.iter().all(|head| head.version != *version));
        let others: Vec<Head> = others.into_iter().cloned().collect();
        match (others.is_empty(), replaced.is_empty()) {
            (false, true) if !is_lost => Before::Heads(others),
            (false, _) => Before::Beside(others),
            // What had replaced these has left the journal: they are older than what it replaced.
            (true, _) if is_lost => Before::Unknown,
            (true, true) if was_named => Before::Unknown,
            (true, true) => Before::Nothing,
            (true, false) => Before::Heads(replaced.into_values().collect()),
        }
    }

    /// Whether nobody else made the entity. `existence` are the heads that say whether it is there.
    pub fn is_made(&self, existence: &[Head]) -> bool {
        let writes = || self.journal.values().filter(|operation| operation.patch.contains_key(EXISTS));
        let is_here = |version: Version| self.journal.contains_key(&version);
        let mut makers = writes().filter(|operation| self.names(operation, EXISTS).next().is_none()).peekable();
        makers.peek().is_some()
            && makers.all(|operation| self.taken_back.covers(operation.version))
            // Who was there before them is not forgotten.
            && existence.iter().all(|head| is_here(head.version))
            && writes().flat_map(|operation| self.names(operation, EXISTS)).all(is_here)
    }

    /// What an operation names of a register, but for lies.
    fn names(&self, operation: &'o Operation, register: &str) -> impl Iterator<Item = Version> + use<'_, 'o> {
        operation.seen(register).iter().copied().filter(|version| !self.lies.contains(version))
    }

    /// The values of a register that the writer of an operation says it saw, as far as they are here.
    pub fn seen(&self, register: &str, version: Version) -> Vec<Head> {
        let seen = self.journal.get(&version).map(|operation| operation.seen(register));
        let heads = seen.into_iter().flatten().filter_map(|version| Head::of(self.journal.get(version)?, register));
        heads.collect()
    }
}
