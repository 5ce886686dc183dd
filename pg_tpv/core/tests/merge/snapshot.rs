//! A node that has data already gets a snapshot of another one: a store that joins, or that lost
//! its line for too long.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tpv_core::merge::{Entity, Knowledge, Operation, Version, merge_states};

use crate::node::{Key, Node, entitled};
use crate::script::{KEYS, POLICY, Script, scripts};
use crate::world::{World, random};

/// For each node, up to which number all its operations are here; and those beyond.
fn knows(node: &Node) -> Knowledge {
    let mut knows = Knowledge::default();
    for Version { node_id, seq } in node.has.iter().copied() {
        let last = knows.vector.0.entry(node_id).or_insert(0);
        if seq == *last + 1 {
            *last = seq;
        } else {
            knows.beyond.push((node_id, seq, seq));
        }
    }
    knows
}

fn entity_of(world: &World, key: Key, known: impl Fn(Version) -> bool) -> Entity {
    let wanted = |(at, operation): &&(Key, Operation)| *at == key && known(operation.version);
    let entitled: Vec<_> = world.sent.iter().filter(wanted).map(|(_, operation)| entitled(key, operation)).collect();
    Entity::of(&entitled)
}

/// The receiver is sent what the sender has beyond a gap, as operations, and then the heads of one
/// entity after the other. Before each entity `meanwhile` says which other operations arrive: any
/// that was ever sent.
fn snapshot(world: &mut World, from: usize, to: usize, mut meanwhile: impl FnMut(usize) -> Option<usize>) {
    let knows = knows(&world.nodes[from]);
    let heads: BTreeMap<Key, Entity> = keys().map(|key| (key, world.nodes[from].entity(key))).collect();
    let deliver = |world: &mut World, nth: usize| {
        let (key, operation) = world.sent[nth].clone();
        // Once it was erased at the sender, as the sender has it; or as it was, from a node that
        // has not heard.
        let texts = world.nodes[from].stored.get(&operation.version).cloned();
        let original = || (operation.patch_text(), operation.base_text());
        let texts = texts.filter(|_| nth.is_multiple_of(2)).unwrap_or_else(original);
        world.nodes[to].receive_as(key, &operation, texts);
    };
    let is_beyond = |version: Version| knows.covers(version) && !knows.vector.covers(version);
    for nth in (0..world.sent.len()).filter(|nth| is_beyond(world.sent[*nth].1.version)).collect::<Vec<_>>() {
        deliver(world, nth);
    }
    world.nodes[to].incoming = Some((knows.clone(), BTreeSet::new()));
    for (key, there) in &heads {
        while let Some(nth) = meanwhile(world.sent.len()) {
            deliver(world, nth);
        }
        let node = &mut world.nodes[to];
        let journal = node.journal.get(key).cloned().unwrap_or_default();
        let here_knows = |version| node.has.contains(&version);
        let whole = merge_states(&node.entity(key), there, here_knows, |version| knows.covers(version), &journal);
        node.entities.insert(key, whole);
        node.blank(key);
        node.incoming.iter_mut().for_each(|(_, brought)| _ = brought.insert(key));
    }
    while let Some(nth) = meanwhile(world.sent.len()) {
        deliver(world, nth);
    }
    let covered: Vec<Version> = world.sent.iter().map(|(_, it)| it.version).filter(|it| knows.covers(*it)).collect();
    let node = &mut world.nodes[to];
    node.incoming = None;
    node.in_snapshot.extend(covered.iter().filter(|version| !node.has.contains(version)));
    node.has.extend(covered);
}

/// Policies first.
fn keys() -> impl Iterator<Item = Key> {
    [POLICY].into_iter().chain(KEYS)
}

/// Central receives the cause of an operation before the operation, since every operation goes
/// through central. Of one node it may lack what was lost on the way, and have what that node did
/// later.
fn is_causal(world: &World, node: usize) -> bool {
    let has = &world.nodes[node].has;
    let is_own = |of: &Version, cause: &Version| cause.node_id == of.node_id;
    has.iter().all(|version| world.seen[version].difference(has).all(|cause| is_own(version, cause)))
}

fn check(script: &Script, all: bool) {
    let mut world = script.play();
    let (central, store) = (script.seed as usize % script.nodes, (script.seed >> 8) as usize % script.nodes);
    if all {
        (0..world.sent.len())
            .for_each(|nth| world.nodes[central].receive(world.sent[nth].0, &world.sent[nth].1.clone()));
    }
    if central == store || !is_causal(&world, central) {
        return;
    }
    let mut seed = script.seed;
    snapshot(&mut world, central, store, |sent| {
        let chosen = random(&mut seed);
        (!chosen.is_multiple_of(4)).then_some(chosen / 4 % sent)
    });
    let expected = |world: &World, key| {
        let has = &world.nodes[store].has;
        entity_of(world, key, |version| has.contains(&version))
    };
    for key in keys() {
        assert_eq!(without_nothing(world.nodes[store].entity(key)), expected(&world, key), "{key} after the snapshot");
    }
    // What is still on its way arrives in any order, repeats too; and a second snapshot changes
    // nothing.
    world.sent.reverse();
    for (key, operation) in world.sent.clone() {
        world.nodes[store].receive(key, &operation);
    }
    snapshot(&mut world, central, store, |_| None);
    for key in keys() {
        assert_eq!(without_nothing(world.nodes[store].entity(key)), expected(&world, key), "{key} in the end");
    }
}

fn without_nothing(mut entity: Entity) -> Entity {
    entity.0.retain(|_, heads| !heads.is_empty());
    entity
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn a_snapshot_over_whatever_is_here_is_as_if_all_operations_had_come(script in scripts(3..30)) {
        check(&script, true);
    }

    #[test]
    fn a_snapshot_from_a_node_that_lacks_something_adds_what_that_one_has(script in scripts(3..20)) {
        check(&script, false);
    }
}
