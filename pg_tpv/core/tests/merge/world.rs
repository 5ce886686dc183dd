//! Nodes that write at the same time, and a network that delays, repeats and reorders, also against
//! causality.

use std::collections::{BTreeMap, BTreeSet};

use tpv_core::merge::{Draft, Entity, Operation, Patch, Version};

use crate::node::{CENTRAL, CENTRALS, Key, Node};

pub struct World {
    pub nodes: Vec<Node>,
    pub sent: Vec<(Key, Operation)>,
    /// What the writer of each operation had received.
    pub seen: BTreeMap<Version, BTreeSet<Version>>,
    /// What a node was that had received just these.
    states: BTreeMap<BTreeSet<Version>, BTreeMap<Key, Entity>>,
}

impl World {
    pub fn new(nodes: usize) -> Self {
        let nodes = (0..).take(nodes).map(Node::new).collect();
        Self { nodes, sent: Vec::new(), seen: BTreeMap::new(), states: BTreeMap::new() }
    }

    /// Writes, unless the entity was erased here: then a session is refused.
    pub fn write(&mut self, node: usize, key: Key, patch: Patch) {
        if self.nodes[node].entity(key).is_erased() {
            return;
        }
        let saw = self.nodes[node].has.clone();
        let operation = self.nodes[node].write(key, patch);
        self.publish(node, key, operation, saw);
    }

    /// A person resolves a conflict: one of the values on record wins.
    pub fn resolve_conflict(&mut self, node: usize, key: Key, register: &str, choice: usize) {
        let entity = self.nodes[node].entity(key);
        let heads = entity.heads(register);
        let Some(head) = heads.get(choice % heads.len().max(1)) else { return };
        let draft = Draft::resolve_conflict(&entity, register, head.version).unwrap();
        let saw = self.nodes[node].has.clone();
        let operation = self.nodes[node].stamp(key, draft);
        self.publish(node, key, operation, saw);
    }

    /// Erases an entity, unless that was done.
    pub fn erase(&mut self, node: usize, key: Key) {
        let entity = self.nodes[node].entity(key);
        if entity.is_erased() || (key == CENTRALS && self.nodes[node].id != CENTRAL) {
            return;
        }
        let saw = self.nodes[node].has.clone();
        let operation = self.nodes[node].stamp(key, Draft::erase(&entity));
        self.publish(node, key, operation, saw);
    }

    /// Nodes let go of what those have that they still wait for: each digit of `choice` says for
    /// one node whether it prunes, and for which others it waits. A peer that is not waited for
    /// gets what it lacks all the same, from its author or from somebody who has it.
    pub fn prune(&mut self, mut choice: usize) {
        let known: Vec<_> = self.nodes.iter().map(Node::contiguous).collect();
        for node in 0..self.nodes.len() {
            let waits_for = choice % 8;
            choice /= 8;
            if waits_for > 0 {
                let mut peers = known[node].clone();
                for (_, of_peer) in
                    known.iter().enumerate().filter(|(peer, _)| waits_for == 7 || peer % 3 == waits_for % 3)
                {
                    peers = peers.common(of_peer);
                }
                self.nodes[node].prune(&peers);
            }
        }
    }

    fn publish(&mut self, node: usize, key: Key, operation: Operation, saw: BTreeSet<Version>) {
        self.seen.insert(operation.version, saw);
        self.sent.push((key, operation));
        self.remember(node);
    }

    pub fn deliver(&mut self, node: usize, nth: usize) {
        if let Some((key, operation)) = self.sent.get(nth % self.sent.len().max(1)) {
            self.nodes[node].receive(key, operation);
            self.remember(node);
        }
    }

    /// A line comes up: `to` gets all that `from` has, in the order in which it was sent or in the
    /// opposite one; as `from` has stored it.
    pub fn sync(&mut self, from: usize, to: usize, backwards: bool) {
        let mut missing: Vec<usize> = (0..self.sent.len()).collect();
        missing.retain(|nth| self.nodes[from].has.contains(&self.sent[*nth].1.version));
        if backwards {
            missing.reverse();
        }
        for nth in missing {
            let (key, operation) = &self.sent[nth];
            let original = || (operation.patch_text(), operation.base_text());
            let texts = self.nodes[from].stored.get(&operation.version).cloned().unwrap_or_else(original);
            self.nodes[to].receive_as(key, operation, texts);
        }
        self.remember(to);
    }

    /// Another node joins, with the heads that `from` has. What the authors of these operations had
    /// seen is among them: central passes on in the order in which it received.
    pub fn join(&mut self, from: usize) -> usize {
        loop {
            let has = &self.nodes[from].has;
            let causes: BTreeSet<_> =
                has.iter().flat_map(|version| self.seen[version].difference(has)).copied().collect();
            if causes.is_empty() {
                break;
            }
            let missing: Vec<_> =
                (0..self.sent.len()).filter(|nth| causes.contains(&self.sent[*nth].1.version)).collect();
            missing.into_iter().for_each(|nth| self.deliver(from, nth));
        }
        let joined = self.nodes.len();
        let mut node = Node::new(i32::try_from(joined).unwrap());
        node.begin_as(&self.nodes[from]);
        self.nodes.push(node);
        joined
    }

    /// Every node gets all that it lacks, in an order of its own, some of it twice.
    pub fn deliver_all(&mut self, mut seed: u64) {
        for node in 0..self.nodes.len() {
            let mut order: Vec<usize> = (0..self.sent.len()).collect();
            for last in (1..order.len()).rev() {
                order.swap(last, random(&mut seed) % (last + 1));
            }
            for nth in order {
                if random(&mut seed).is_multiple_of(4) || !self.nodes[node].has.contains(&self.sent[nth].1.version) {
                    self.deliver(node, nth);
                }
            }
        }
    }

    /// Whoever has received the same is the same, at any moment and not only in the end.
    fn remember(&mut self, node: usize) {
        let Node { has, entities, .. } = &self.nodes[node];
        match self.states.get(has) {
            Some(state) => assert_eq!(state, entities, "the same operations, another state"),
            None => _ = self.states.insert(has.clone(), entities.clone()),
        }
    }
}

/// The next of a sequence that the seed determines (xorshift64).
pub fn random(seed: &mut u64) -> usize {
    *seed = (*seed).max(1);
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 33) as usize
}
