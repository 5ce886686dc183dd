//! A node that has something already gets the state of another one: a store that joins, or that lost its line for too long.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tpv_core::merge::{Entity, Operation, Vector, Version, unite};

use crate::node::{Key, Node};
use crate::script::{KEYS, POLICY, Script, scripts};
use crate::world::World;

/// For each node, up to which number all its operations are here.
fn vector(node: &Node) -> Vector {
    let mut vector: BTreeMap<i32, i64> = BTreeMap::new();
    for version in &node.has {
        let seq = vector.entry(version.node_id).or_insert(0);
        if version.seq == *seq + 1 {
            *seq = version.seq;
        }
    }
    Vector(vector)
}

fn entity_of(world: &World, key: Key, known: impl Fn(Version) -> bool) -> Entity {
    let wanted = |(at, operation): &&(Key, Operation)| *at == key && known(operation.version);
    Entity::of(world.sent.iter().filter(wanted).map(|(_, operation)| operation))
}

/// Whoever loads is sent what the sender merged: its heads, up to a number for each node, and what it has beyond as it is.
fn load(world: &mut World, from: usize, to: usize) {
    let vector = vector(&world.nodes[from]);
    let beyond: Vec<usize> = (0..world.sent.len())
        .filter(|nth| {
            let version = world.sent[*nth].1.version;
            world.nodes[from].has.contains(&version) && !vector.covers(version)
        })
        .collect();
    for key in KEYS.into_iter().chain([POLICY]) {
        let there = world.nodes[from].entity(key);
        let node = &mut world.nodes[to];
        let journal = node.journal.get(key).cloned().unwrap_or_default();
        let (here, has) = (node.entity(key), node.has.clone());
        let whole = unite(&here, &there, |version| has.contains(&version), |version| vector.covers(version), &journal);
        node.entities.insert(key, whole);
    }
    let covered: Vec<Version> = world.sent.iter().map(|(_, it)| it.version).filter(|it| vector.covers(*it)).collect();
    let node = &mut world.nodes[to];
    node.loaded.extend(covered.iter().filter(|version| !node.has.contains(version)));
    node.has.extend(covered);
    for nth in beyond {
        let (key, operation) = world.sent[nth].clone();
        world.nodes[to].receive(key, &operation);
    }
}

/// Central hears of everything before it hears what came of it: it is the only one in between.
fn is_causal(world: &World, node: usize) -> bool {
    let has = &world.nodes[node].has;
    has.iter().all(|version| world.seen[version].is_subset(has))
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
    load(&mut world, central, store);
    let expected = |world: &World, key| {
        let has = &world.nodes[store].has;
        entity_of(world, key, |version| has.contains(&version))
    };
    for key in KEYS.into_iter().chain([POLICY]) {
        assert_eq!(without_nothing(world.nodes[store].entity(key)), expected(&world, key), "{key} after the load");
    }
    // What is still on its way arrives in any order, repeats too; and a second load changes nothing.
    world.sent.reverse();
    for (key, operation) in world.sent.clone() {
        world.nodes[store].receive(key, &operation);
    }
    load(&mut world, central, store);
    for key in KEYS.into_iter().chain([POLICY]) {
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
    fn a_load_over_whatever_is_here_is_as_if_all_operations_had_come(script in scripts(3..30)) {
        check(&script, true);
    }

    #[test]
    fn a_load_from_a_node_that_lacks_something_adds_what_that_one_has(script in scripts(3..20)) {
        check(&script, false);
    }
}
