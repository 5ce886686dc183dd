//! What an application sees on a node.

use std::collections::BTreeMap;

use tpv_core::json::Value;
use tpv_core::merge::{Choice, Context, Entity, Head, Merged, Rule, Rules, merge, resolve_alias};

use crate::node::{CENTRAL, CENTRALS, Key, Node};
use crate::script::{KEYS, POLICY};

/// Whose an entity is stands in its column `home`.
pub fn context(key: Key, entity: &Entity) -> Context {
    Context { central: CENTRAL, is_centrals: key == CENTRALS, owner: entity.owner("home") }
}

/// Per key what it is, and the key that stands for it.
pub type View = BTreeMap<Key, (Merged, String)>;

/// From the heads that the node keeps at hand.
pub fn view(node: &Node) -> View {
    let rules = rules(&node.entity(POLICY).resolve(&Rules::default(), Context::default()));
    with_aliases(|key| shown(key, &node.entity(key), &rules))
}

/// From the journal alone, turned round, each operation twice.
pub fn view_of_journal(node: &Node) -> View {
    let all = |key| node.journal.get(key).into_iter().flat_map(|all| all.iter().rev().chain(all));
    let rules = rules(&merge(all(POLICY), &Rules::default(), Context::default()));
    with_aliases(|key| shown(key, &Entity::of(all(key)), &rules))
}

pub fn rules(policy: &Merged) -> Rules {
    let rule = policy.columns.get("v").and_then(|choice| choice.value.as_str()).map(Rule::from_text);
    Rules(rule.map(|rule| ("v".to_owned(), rule.unwrap())).into_iter().collect())
}

/// The shell's part: it evaluates custom functions.
fn shown(key: Key, entity: &Entity, rules: &Rules) -> Merged {
    let mut merged = entity.resolve(rules, context(key, entity));
    for (column, choice) in &mut merged.columns {
        if choice.evaluate.as_deref() == Some("joined") {
            *choice = Choice::of(entity.heads(column), joined(entity.heads(column)));
        }
        assert_eq!(choice.evaluate, None);
        // Every head has won or lost, none is in neither list or in both.
        let heads: Vec<_> = entity.heads(column).iter().map(|head| head.version).collect();
        let said: Vec<_> = choice.winners.union(&choice.losers).copied().collect();
        assert_eq!(said, heads);
        assert!(choice.winners.is_disjoint(&choice.losers));
    }
    merged
}

/// A function that notices in which order it is given the heads.
fn joined(heads: &[Head]) -> Value {
    Value::String(heads.iter().map(|head| head.value.to_canonical()).collect::<Vec<_>>().join("+"))
}

fn with_aliases(shown: impl Fn(Key) -> Merged) -> View {
    let merged: BTreeMap<Key, Merged> = KEYS.into_iter().map(|key| (key, shown(key))).collect();
    let survivor = |key| resolve_alias(key, |key| merged.get(key)?.became().map(str::to_owned));
    let survivors: Vec<_> = KEYS.into_iter().map(survivor).collect();
    merged.into_iter().zip(survivors).map(|((key, merged), survivor)| (key, (merged, survivor))).collect()
}
