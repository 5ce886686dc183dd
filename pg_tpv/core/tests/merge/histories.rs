//! What holds for every history.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tpv_core::json::{self, Value};
use tpv_core::merge::{ALIAS, EXISTS, Fate, Head, Operation, Patch, Rule, Rules, SetRule, Version, fates};

use crate::node::{CENTRAL, CENTRALS, Key};
use crate::script::{KEYS, POLICY, RULES, Script, rule, scripts, value};
use crate::view::{context, view, view_of_journal};
use crate::world::World;

/// The heads as nobody computes them: what is written and of which no later writer had heard.
fn unheard_of(world: &World, key: Key, register: &str) -> Vec<Version> {
    let writes = |(at, operation): &&(Key, Operation)| *at == key && operation.patch.contains_key(register);
    let versions: BTreeSet<_> = world.sent.iter().filter(writes).map(|(_, operation)| operation.version).collect();
    let may =
        |other: &Version, version: &Version| key != CENTRALS || version.node_id != CENTRAL || other.node_id == CENTRAL;
    let heard =
        |version: &Version| versions.iter().any(|other| may(other, version) && world.seen[other].contains(version));
    versions.iter().filter(|version| !heard(version)).copied().collect()
}

/// An element is there if somebody who wrote so was not heard by a later one; of a set that only
/// grows, if anybody ever wrote it. Of what was erased nothing is there, nor anywhere in a journal.
fn assert_sets_and_erasure(world: &World) {
    for key in KEYS {
        let all = || world.sent.iter().filter(move |(at, _)| *at == key).map(|(_, operation)| operation);
        let is_erased = all().any(Operation::erases);
        for node in &world.nodes {
            let entity = node.entity(key);
            assert_eq!(entity.is_erased(), is_erased);
            let merged = entity.resolve(&Rules::default(), context(key, &entity));
            if is_erased {
                assert!(entity.0.keys().all(|register| register.starts_with('@')) && merged.columns.is_empty());
                for operation in node.journal.get(key).into_iter().flatten() {
                    let (patch, base) = &node.stored[&operation.version];
                    let registers = |text: &str| json::read(text, 64).unwrap().as_object().unwrap().to_vec();
                    let is_kept = |(register, _): &(String, Value)| register.starts_with('@');
                    assert!(registers(patch).iter().chain(&registers(base)).all(is_kept), "{patch} {base}");
                }
                continue;
            }
            let heads = |register: &str, value: bool| {
                let of = unheard_of(world, key, register);
                all().any(|operation| {
                    of.contains(&operation.version) && operation.patch.get(register) == Some(&Value::Bool(value))
                })
            };
            for (rule, column) in [(SetRule::Union, "tags"), (SetRule::GrowOnly, "seen")] {
                let shown = merged.elements(column, rule);
                for element in ["x", "y", "z"] {
                    let register = rule.register(column, element);
                    let is_there = match rule {
                        SetRule::Union if key == CENTRALS => {
                            let centrals = all().filter(|operation| operation.version.node_id == CENTRAL);
                            let last = centrals.filter_map(|operation| operation.patch.get(&register)).next_back();
                            last.map_or_else(|| heads(&register, true), |value| *value == Value::Bool(true))
                        }
                        SetRule::Union => heads(&register, true),
                        SetRule::GrowOnly => all().any(|operation| operation.patch.contains_key(&register)),
                    };
                    assert_eq!(shown.contains(&element), is_there, "{key}.{register}");
                }
            }
        }
    }
}

fn registers(world: &World) -> BTreeSet<(Key, String)> {
    let of = |(key, operation): &(Key, Operation)| operation.patch.keys().map(|name| (*key, name.clone())).collect();
    world.sent.iter().flat_map::<Vec<_>, _>(of).collect()
}

/// Each operation is a head, superseded by somebody who knew of it, or waits for its create.
fn assert_nothing_is_lost(world: &World) {
    let node = &world.nodes[0];
    if !node.in_snapshot.is_empty() {
        // Its journal was pruned.
        return;
    }
    for key in KEYS.into_iter().chain([POLICY]) {
        let journal = node.journal.get(key).map_or(&[][..], Vec::as_slice);
        let fates = fates(journal);
        assert_eq!(fates.len(), journal.len());
        let created = journal.iter().any(|operation| operation.patch.contains_key(EXISTS));
        for operation in journal {
            let is_head = |register: &String| unheard_of(world, key, register).contains(&operation.version);
            let expected = match operation.patch.keys().any(is_head) {
                _ if !created => Fate::Waiting,
                true => Fate::Head,
                false => Fate::Superseded,
            };
            assert_eq!(fates[&operation.version], expected);
        }
        assert_eq!(node.entity(key).waits(), !created);
    }
}

fn assert_converges(script: &Script) {
    let mut world = script.play();
    // One joins in the middle of it and writes at once, knowing what it was given.
    let joined = world.join(script.seed as usize % script.nodes);
    if script.seed.is_multiple_of(3) {
        world.write(joined, "a", Patch::from([("v".into(), value(script.rule))]));
    }
    world.deliver_all(script.seed);
    let first = view(&world.nodes[0]);
    for node in &world.nodes {
        assert_eq!(node.has.len(), world.sent.len());
        assert_eq!(view(node), first, "node {} sees something else than node 0", node.id);
        if node.in_snapshot.is_empty() {
            assert_eq!(view_of_journal(node), first, "the journal of node {} says something else", node.id);
        }
    }
    for (key, register) in registers(&world) {
        if world.nodes[0].entity(key).is_erased() && !register.starts_with('@') {
            continue;
        }
        let entity = world.nodes[0].entity(key);
        let heads: Vec<_> = entity.heads(&register).iter().map(|head| head.version).collect();
        assert_eq!(heads, unheard_of(&world, key, &register), "{key}.{register}");
    }
    assert_sets_and_erasure(&world);
    for key in KEYS {
        let entity = world.nodes[0].entity(key);
        let is_centrals = |head: &Head| key == CENTRALS && head.version.node_id == CENTRAL;
        let central_said = entity.heads(EXISTS).iter().any(is_centrals);
        if entity.is_erased() {
            assert!(!first[key].0.exists(), "what was erased is there");
            continue;
        }
        let mut asked = entity.heads(EXISTS).iter().filter(|head| !central_said || is_centrals(head));
        let mut undisputed = |value: &Value| asked.all(|head| head.value == *value);
        assert_eq!(first[key].0.exists(), !entity.waits() && undisputed(&Value::Bool(true)), "a delete wins");
        let (_, survivor) = &first[key];
        let itself = first.get(survivor.as_str()).is_none_or(|(_, of_survivor)| of_survivor == survivor);
        assert!(itself, "{key} became {survivor}, which is another one itself");
    }
    assert_nothing_is_lost(&world);
}

proptest! {
    // Most disagreements need three or four writes: many short histories find more than a few long
    // ones.
    #![proptest_config(ProptestConfig::with_cases(16_000))]

    #[test]
    fn whoever_has_received_the_same_is_the_same_in_short_histories(script in scripts(3..12)) {
        assert_converges(&script);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whoever_has_received_the_same_is_the_same_in_long_histories(script in scripts(12..40)) {
        assert_converges(&script);
    }

    #[test]
    fn whoever_has_seen_everything_has_the_last_word_whatever_the_clocks_and_the_rule_say(
        script in scripts(2..12), clock in any::<u32>(), last in 0usize..12
    ) {
        let mut world = script.play();
        world.deliver_all(script.seed);
        // Someone may still write from 2099; another sees it and, with whatever clock, writes after
        // it.
        let (a, b) = (script.seed as usize % script.nodes, clock as usize % script.nodes);
        world.nodes[a].set_wall_clock(0);
        world.write(a, "a", Patch::from([("v".into(), value(last + 1))]));
        world.nodes[b].set_wall_clock(clock);
        world.sync(a, b, clock % 2 == 0);
        prop_assume!(!world.nodes[b].entity("a").is_erased());
        world.write(b, "a", Patch::from([("v".into(), value(last))]));
        world.deliver_all(script.seed ^ 1);
        for node in &world.nodes {
            let merged = &view(node)["a"].0;
            prop_assert_eq!(&merged.columns["v"].value, &value(last));
            prop_assert!(merged.columns["v"].losers.is_empty());
        }
    }

    #[test]
    fn what_central_decides_is_what_central_wrote_last_whoever_has_seen_it(script in scripts(8..40)) {
        let mut world = script.play();
        world.deliver_all(script.seed);
        let rules = Rules(["v", "w"].map(|column| (column.to_owned(), Rule::CentralWins)).into());
        for (key, register) in registers(&world).into_iter().filter(|(key, _)| *key == CENTRALS) {
            let centrals = |(at, of): &&(Key, Operation)| *at == key && of.version.node_id == CENTRAL;
            let written = world.sent.iter().filter(centrals).filter_map(|(_, of)| of.patch.get(&register)).next_back();
            let Some(written) = written else { continue };
            for node in &world.nodes {
                let entity = node.entity(key);
                if entity.is_erased() {
                    continue;
                }
                let merged = entity.resolve(&rules, context(key, &entity));
                match register.as_str() {
                    EXISTS => prop_assert_eq!(Value::Bool(merged.exists()), written.clone()),
                    ALIAS => prop_assert_eq!(&merged.alias.unwrap().value, written),
                    "v" | "w" => prop_assert_eq!(&merged.columns[&register].value, written),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_policy_that_changes_chooses_again_everywhere_from_what_is_on_record(
        script in scripts(4..16), rules in proptest::collection::vec(0..RULES.len(), 1..4)
    ) {
        let mut world = script.play();
        for (nth, choice) in rules.iter().enumerate() {
            // Concurrently on several nodes, or in turn.
            world.write(nth % script.nodes, POLICY, rule(*choice));
        }
        world.deliver_all(script.seed);
        world.write(0, POLICY, rule(rules[0]));
        let before: Vec<_> = KEYS.iter().map(|key| world.nodes[1].entity(key)).collect();
        world.deliver_all(script.seed ^ 1);
        for node in &world.nodes {
            prop_assert_eq!(view(node), view(&world.nodes[0]));
            // The heads are what they were: a policy chooses among them and changes none.
            for (key, before) in KEYS.iter().zip(&before) {
                prop_assert_eq!(&node.entity(key), before);
            }
        }
    }
}
