//! A node as the extension is one: a journal, the heads of each entity, a clock.

use std::collections::{BTreeMap, BTreeSet};

use tpv_core::clock::Clock;
use tpv_core::merge::{
    Draft, Entity, Knowledge, Operation, Patch, Vector, Version, blank_texts, is_same_operation, may_leave,
};

pub type Key = &'static str;

/// What it decides alone, replaced by nobody else.
pub const CENTRALS: Key = "b";
pub const CENTRAL: i32 = 0;

/// The operation, reduced to what its node may change.
pub fn entitled(key: Key, operation: &Operation) -> Operation {
    if key == CENTRALS { operation.clone().subject_to(CENTRAL) } else { operation.clone() }
}

const NOW_MS: i64 = 1_790_000_000_000;
const YEAR_2099_MS: i64 = 4_070_908_800_000;
const MAX_SKEW_MS: i64 = 60_000;

#[derive(Clone, Debug)]
pub struct Node {
    pub id: i32,
    pub journal: BTreeMap<Key, Vec<Operation>>,
    /// Patch and base of each operation of the journal, as they are stored.
    pub stored: BTreeMap<Version, (String, String)>,
    pub entities: BTreeMap<Key, Entity>,
    pub has: BTreeSet<Version>,
    /// Operations that it received inside a snapshot, or that left its journal.
    pub in_snapshot: BTreeSet<Version>,
    /// A snapshot that is not complete: which operations it covers, and the entities that it has
    /// brought.
    pub incoming: Option<(Knowledge, BTreeSet<Key>)>,
    /// Versions that operations here name, and that are not here.
    pub awaited: BTreeSet<Version>,
    seq: i64,
    clock: Clock,
    wall_ms: i64,
}

impl Node {
    pub fn new(id: i32) -> Self {
        Self {
            id,
            journal: BTreeMap::new(),
            stored: BTreeMap::new(),
            entities: BTreeMap::new(),
            has: BTreeSet::new(),
            in_snapshot: BTreeSet::new(),
            incoming: None,
            awaited: BTreeSet::new(),
            seq: 0,
            clock: Clock::recover(0, NOW_MS),
            wall_ms: NOW_MS,
        }
    }

    /// Right, wrong by a little, or in 2099; and a clock that is set right again follows.
    pub fn set_wall_clock(&mut self, choice: u32) {
        self.wall_ms = match choice % 4 {
            0 => YEAR_2099_MS,
            1 => NOW_MS,
            other => NOW_MS + i64::from(choice % 5 * other) * 7 - 20,
        };
        if choice.is_multiple_of(3) {
            let _ = self.clock.step_back(self.wall_ms);
        }
    }

    /// Begins with the heads of another node, and with none of its operations.
    pub fn begin_as(&mut self, from: &Self) {
        self.entities = from.entities.clone();
        self.has = from.has.clone();
        self.in_snapshot = from.has.clone();
    }

    pub fn entity(&self, key: Key) -> Entity {
        self.entities.get(key).cloned().unwrap_or_default()
    }

    /// Writes as an application does, with knowledge of all that is here.
    pub fn write(&mut self, key: Key, patch: Patch) -> Operation {
        let draft = Draft::write(&self.entity(key), patch);
        self.stamp(key, draft)
    }

    pub fn stamp(&mut self, key: Key, draft: Draft) -> Operation {
        self.seq += 1;
        self.wall_ms += 1;
        let operation = draft.stamped(Version { node_id: self.id, seq: self.seq }, self.clock.tick(self.wall_ms).hlc);
        // What is written reads back as it was.
        let (patch, base) = (operation.patch_text(), operation.base_text());
        let read = Operation::from_text(operation.version, operation.hlc, &patch, &base).unwrap();
        assert_eq!(read, operation);
        let blank = blank_texts(&patch, &base);
        let left = Operation::from_text(operation.version, operation.hlc, &blank.0, &blank.1).unwrap();
        assert_eq!(left, operation.blanked());
        self.receive(key, &operation);
        operation
    }

    /// Receives an operation, and repeats of it too, unless they were part of a snapshot.
    pub fn receive(&mut self, key: Key, operation: &Operation) {
        self.receive_as(key, operation, (operation.patch_text(), operation.base_text()));
    }

    /// Receives it as another node has stored it: perhaps without its values.
    pub fn receive_as(&mut self, key: Key, operation: &Operation, texts: (String, String)) {
        let _ = self.clock.observe(operation.hlc, self.wall_ms, MAX_SKEW_MS);
        if self.in_snapshot.contains(&operation.version) {
            return;
        }
        let read = Operation::from_text(operation.version, operation.hlc, &texts.0, &texts.1).unwrap();
        let operation = &entitled(key, &read);
        let journal = self.journal.entry(key).or_default();
        let is_repeat = !self.has.insert(operation.version);
        if is_repeat {
            let (patch, base) = &self.stored[&operation.version];
            assert!(is_same_operation((patch, base), (&texts.0, &texts.1)), "a repeat is taken for another operation");
            if !self.in_snapshot.is_empty() {
                // The trigger drops every repeat. Where the journal is whole it is looked at all
                // the same, since that must change nothing; what named it may have left a pruned
                // one.
                return;
            }
        } else {
            journal.push(operation.clone());
            self.stored.insert(operation.version, texts);
        }
        let entity = self.entities.entry(key).or_default();
        let is_here = |version: Version| {
            self.has.contains(&version) || entity.0.values().flatten().any(|head| head.version == version)
        };
        self.awaited.extend(operation.names().filter(|version| !is_here(*version)));
        // A repeat that is looked at all the same has to be looked at in full.
        let may_be_named = is_repeat || self.awaited.contains(&operation.version);
        let is_covered =
            self.incoming.iter().any(|(knows, brought)| brought.contains(key) && knows.covers(operation.version));
        let names = |register: &str| {
            may_be_named && journal.iter().any(|other| other.seen(register).contains(&operation.version))
        };
        entity.advance(operation, |register| is_covered || names(register));
        if self.in_snapshot.is_empty() && self.incoming.is_none() {
            assert_eq!(*entity, Entity::of(journal.iter()), "the heads are not those of the journal");
        }
        self.blank(key);
    }

    /// Takes the values out of the journal of an erased entity.
    pub fn blank(&mut self, key: Key) {
        if !self.entity(key).is_erased() {
            return;
        }
        for operation in self.journal.entry(key).or_default() {
            *operation = operation.blanked();
            let texts = self.stored.get_mut(&operation.version).unwrap();
            *texts = blank_texts(&texts.0, &texts.1);
        }
    }

    /// For each node, up to which number its operations are here.
    pub fn contiguous(&self) -> Vector {
        let mut known = Vector::default();
        for Version { node_id, seq } in self.has.iter().copied() {
            let last = known.0.entry(node_id).or_insert(0);
            *last += i64::from(seq == *last + 1);
        }
        known
    }

    /// Lets go of what may leave its journal, given what its peers have too.
    pub fn prune(&mut self, peers: &Vector) {
        let known = self.contiguous().common(peers);
        for (key, operations) in &mut self.journal {
            let entity = self.entities.get(key).cloned().unwrap_or_default();
            operations.retain(|operation| {
                let leaves = may_leave(operation, &entity, &known, |_| false);
                if leaves {
                    self.stored.remove(&operation.version);
                    self.in_snapshot.insert(operation.version);
                }
                !leaves
            });
        }
    }
}
