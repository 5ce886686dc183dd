use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn merged(operations: &[Operation]) -> Merged {
    merge(operations, &Rules::default(), Context::default())
}

#[test]
fn a_delete_wins_edits_merge_underneath_and_an_undelete_brings_them_back() {
    let create = operation(1, 1, 10, r#"{"@exists":true,"name":"a"}"#, "{}");
    let delete = operation(1, 2, 20, r#"{"@exists":false}"#, r#"{"@exists":[[1,1]]}"#);
    let edit = operation(2, 1, 30, r#"{"name":"b"}"#, r#"{"name":[[1,1]]}"#);
    let again = operation(2, 2, 40, r#"{"@exists":true}"#, r#"{"@exists":[[1,1]]}"#);
    let undelete = operation(3, 1, 5, r#"{"@exists":true}"#, r#"{"@exists":[[1,2],[2,2]]}"#);

    let history = [create, delete, edit, again, undelete];
    let deleted = merged(&history[..4]);
    assert!(!deleted.exists() && !deleted.waits());
    assert_eq!(deleted.columns["name"].value, value("\"b\""));
    assert_eq!(deleted.existence.unwrap().losers, [version(2, 2)].into());
    assert!(merged(&history).exists());
}

#[test]
fn what_comes_before_its_create_waits() {
    let edit = operation(2, 1, 30, r#"{"name":"b"}"#, r#"{"name":[[1,1]]}"#);
    let create = operation(1, 1, 10, r#"{"@exists":true,"name":"a"}"#, "{}");
    let mut entity = Entity::default();
    entity.advance(&edit, |_| false);
    assert!(entity.waits());
    assert_eq!(fates([&edit]), [(edit.version, Fate::Waiting)].into());

    // Of @exists it is the first; whether anybody has replaced the name is asked.
    entity.advance(&create, |register| {
        assert_eq!(register, "name");
        true
    });
    assert!(!entity.waits());
    assert_eq!(entity.resolve(&Rules::default(), Context::default()).columns["name"].value, value("\"b\""));
    assert_eq!(fates([&edit, &create]).into_values().collect::<Vec<_>>(), [Fate::Head, Fate::Head]);
}

#[test]
fn a_loser_is_restored_over_all_heads() {
    let history = [
        operation(1, 1, 10, r#"{"@exists":true,"name":"a"}"#, "{}"),
        operation(2, 1, 20, r#"{"name":"b"}"#, r#"{"name":[[1,1]]}"#),
        operation(3, 1, 30, r#"{"name":"c"}"#, r#"{"name":[[1,1]]}"#),
    ];
    let entity = Entity::of(&history);
    assert_eq!(Draft::resolve_conflict(&entity, "name", version(1, 1)), None);
    let restored = Draft::resolve_conflict(&entity, "name", version(2, 1)).unwrap().stamped(version(1, 2), 0);
    assert_eq!(
        (restored.patch_text(), restored.base_text()),
        (r#"{"name":"b"}"#.into(), r#"{"name":[[2,1],[3,1]]}"#.into())
    );
    let after = merged(&[history.to_vec(), vec![restored]].concat());
    assert_eq!(after.columns["name"].value, value("\"b\""));
    assert!(after.columns["name"].losers.is_empty());
}

#[test]
fn bases_that_name_each_other_leave_no_value_and_no_panic() {
    let forged = [
        operation(1, 1, 10, r#"{"name":"a"}"#, r#"{"name":[[2,1]]}"#),
        operation(2, 1, 20, r#"{"name":"b"}"#, r#"{"name":[[1,1]]}"#),
    ];
    assert!(merged(&forged).columns.is_empty());
}

#[test]
fn of_two_aliases_the_smaller_key_counts_and_a_person_is_told() {
    let history = [
        operation(1, 1, 10, r#"{"@alias":"k2"}"#, "{}"),
        operation(2, 1, 20, r#"{"@alias":"k1"}"#, "{}"),
        operation(3, 1, 30, r#"{"@alias":null}"#, "{}"),
    ];
    let merged = merged(&history);
    assert_eq!(merged.became(), Some("k1"));
    assert!(merged.alias.unwrap().needs_review);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn aliases_end_in_one_key_from_wherever_one_enters(
        aliases in proptest::collection::btree_map(0u8..12, 0u8..12, 0..12), start in 0u8..12
    ) {
        let aliases: BTreeMap<_, _> = aliases.into_iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let end = |key: &str| resolve_alias(key, |key| aliases.get(key).cloned());
        let start = start.to_string();
        // Each step of the way ends in the same key, and that key in itself.
        prop_assert_eq!(aliases.get(&start).map_or_else(|| start.clone(), |next| end(next)), end(&start));
        prop_assert_eq!(end(&end(&start)), end(&start));
        // Nothing on the way round a cycle is smaller.
        let mut next = aliases.get(&end(&start));
        for _ in 0..12 {
            let Some(key) = next else { break };
            prop_assert!(*key >= end(&start));
            next = aliases.get(key);
        }
    }
}
