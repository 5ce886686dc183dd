use std::collections::BTreeSet;

use super::Head;
use super::choose::Choice;
use crate::json::Value;

/// Chooses for `@exists`: a delete wins over whatever was concurrent with it.
pub(super) fn choose_existence(heads: &[Head]) -> Option<Choice> {
    let deleted = heads.iter().any(|head| head.value == Value::Bool(false));
    (!heads.is_empty()).then(|| Choice::of(heads, Value::Bool(!deleted)))
}

/// Chooses for `@alias`: an alias wins over none, and of several aliases the smallest key. A person
/// should look at several: they are probably duplicates as well.
pub(super) fn choose_alias(heads: &[Head]) -> Option<Choice> {
    let keys: BTreeSet<&str> = heads.iter().filter_map(|head| head.value.as_str()).collect();
    let value = keys.first().map_or(Value::Null, |key| Value::String((*key).to_owned()));
    (!heads.is_empty()).then(|| Choice { needs_review: keys.len() > 1, ..Choice::of(heads, value) })
}

/// The key of the entity that `key` became. `alias_of` answers the alias of a key, if it has one.
///
/// Two people may resolve the same pair of duplicates in opposite ways at the same time, so aliases
/// can form a cycle. All entities of the cycle are then one, and the smallest key stands for it,
/// wherever one entered.
pub fn resolve_alias(key: &str, mut alias_of: impl FnMut(&str) -> Option<String>) -> String {
    let mut path = vec![key.to_owned()];
    let mut passed = BTreeSet::from([key.to_owned()]);
    let mut last = key.to_owned();
    while let Some(next) = alias_of(&last) {
        if !passed.insert(next.clone()) {
            let cycle = path.into_iter().skip_while(|key| *key != next);
            return cycle.min().unwrap_or(next);
        }
        path.push(next.clone());
        last = next;
    }
    last
}
