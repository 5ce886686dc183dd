//! What central takes of a store's snapshot, when somebody has asked for it after central was
//! restored: what the store decided itself, and what central has forgotten. Nothing that a third
//! node decided: that comes from that node.

use super::states::merge_registers;
use super::{Claim, Decider, Entity, Joined, Knowledge, Operation, Patch, Verdict, Version, is_own_row};

/// No node gives a number beyond this one, so that sums of numbers stay within `bigint`.
pub const MOST_NUMBER: i64 = 1_000_000_000_000_000;

/// What is asked of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The store.
    pub peer: i32,
    /// Central itself.
    pub this_node: i32,
    /// What it still has: its own operations up to here.
    pub after: i64,
    /// What it has forgotten, at most: its own operations up to here.
    pub up_to: i64,
}

/// Of which table, and what the store may say there.
#[derive(Clone, Copy, Debug)]
pub struct Of<'t> {
    /// Who decides about the table.
    pub decider: Decider,
    /// Its column with the number of the node that a row belongs to.
    pub own_column: Option<&'t str>,
    /// When the store joined.
    pub joined: Joined,
}

impl Limits {
    /// What the snapshot covers, as far as it is believed.
    ///
    /// # Errors
    /// A number of the store that no node has given.
    pub fn knowledge(&self, told: &Knowledge) -> Result<Knowledge, &'static str> {
        let mut taken = Knowledge::default();
        for (&node, &seq) in &told.vector.0 {
            if node == self.peer {
                if !(0..=MOST_NUMBER).contains(&seq) {
                    return Err("a number is beyond all that a node gives");
                }
                taken.vector.0.insert(node, seq);
            } else if node == self.this_node {
                taken.vector.0.insert(node, seq.min(self.up_to));
            }
        }
        let own = |(node, from, to): &(i32, i64, i64)| {
            (*node == self.this_node && *from <= self.up_to).then(|| (*node, *from, (*to).min(self.up_to)))
        };
        taken.beyond.extend(told.beyond.iter().filter_map(own));
        taken.without.clone_from(&told.without);
        Ok(taken)
    }

    fn is_forgotten(&self, version: Version) -> bool {
        version.node_id == self.this_node && version.seq > self.after && version.seq <= self.up_to
    }

    /// Merges what the store has of an entity, as far as it is believed, with what is `here`. A
    /// value of the store replaces what an operation of the store could have replaced, whoever wrote
    /// that; without one it withdraws only its own. `told` is what the snapshot covers, as it says.
    pub fn merge(
        &self,
        here: &Entity,
        there: &Entity,
        of: Of<'_>,
        here_knows: impl Fn(Version) -> bool,
        told: &Knowledge,
        journal: &[Operation],
    ) -> Entity {
        let all = there;
        let there = self.believed(here, all, of);
        let replaces = |register: &str, version: Version| {
            let by_store = there.heads(register).iter().any(|head| head.version.node_id == self.peer);
            let by_central = there.heads(register).iter().any(|head| self.is_forgotten(head.version));
            version.node_id == self.peer || by_central || (by_store && of.decider == Decider::Anybody)
        };
        let there_knows = |register: &str, version: Version| {
            let is_later = version.node_id == self.this_node && version.seq > self.up_to;
            // What the store still has was replaced by nobody there, whoever wrote it.
            let stands = all.heads(register).iter().any(|head| head.version == version);
            told.covers(version) && !is_later && !stands && replaces(register, version)
        };
        let mut whole = merge_registers(here, &there, here_knows, there_knows, journal);
        if !whole.is_erased() {
            for (register, heads) in &here.0 {
                // Nobody leaves a register without a value.
                whole.0.entry(register.clone()).or_insert_with(|| heads.clone());
            }
        }
        whole
    }

    /// The heads of a snapshot that are believed.
    pub fn believed(&self, here: &Entity, there: &Entity, of: Of<'_>) -> Entity {
        let is_own = |entity: &Entity, column| is_own_row(column, self.peer, &Patch::new(), entity);
        let is_own_row =
            of.own_column.is_some_and(|column| is_own(there, column) && (here.0.is_empty() || is_own(here, column)));
        let is_believed = |version: Version| {
            let claim = Claim { is_centrals: false, is_own_row, seq: version.seq, joined: of.joined };
            self.is_forgotten(version)
                || (version.node_id == self.peer && of.decider.believes(claim) == Verdict::Believed)
        };
        let registers = there.0.iter().map(|(register, heads)| {
            (register.clone(), heads.iter().filter(|head| is_believed(head.version)).cloned().collect::<Vec<_>>())
        });
        Entity(registers.filter(|(_, heads)| !heads.is_empty()).collect())
    }
}
