use super::*;

/// Central, 100, has its operations up to 10 and is asked to believe store 2 up to 20.
const LIMITS: Limits = Limits { peer: 2, this_node: 100, after: 10, up_to: 20 };
const ANY: Of<'static> = Of { decider: Decider::Anybody, own_column: None, joined: Joined::At(5) };
const CENTRALS: Of<'static> = Of { decider: Decider::Central, own_column: None, joined: Joined::At(5) };

fn phone(heads: &[(i32, i64)]) -> Entity {
    let head = |&(node_id, seq): &(i32, i64)| Head {
        version: version(node_id, seq),
        hlc: seq,
        value: Value::String(format!("{node_id}.{seq}")),
    };
    Entity([("phone".to_owned(), heads.iter().map(head).collect())].into())
}

fn merged(here: &[(i32, i64)], there: &[(i32, i64)], of: Of<'_>) -> Vec<(i32, i64)> {
    let told = Knowledge {
        vector: Vector([(2, 99), (3, 99), (100, 99)].into()),
        beyond: vec![(3, 5, 9), (100, 15, 99)],
        without: vec![],
    };
    let (here, there) = (phone(here), phone(there));
    let here_knows = |version: Version| here.heads("phone").iter().any(|head| head.version == version);
    let whole = LIMITS.merge(&here, &there, of, here_knows, &told, &[]);
    whole.heads("phone").iter().map(|head| (head.version.node_id, head.version.seq)).collect()
}

/// Two wrote at the same time, and the store has both values.
#[test]
fn a_value_that_the_store_still_has_was_replaced_by_nobody() {
    assert_eq!(merged(&[(100, 8)], &[(2, 7), (100, 8)], ANY), [(2, 7), (100, 8)]);
    assert_eq!(merged(&[(3, 7)], &[(3, 7), (100, 15)], ANY), [(3, 7), (100, 15)]);
}

#[test]
fn what_a_snapshot_covers_ends_where_a_banned_node_ends() {
    let told = Knowledge {
        vector: Vector([(2, 40), (3, 99)].into()),
        beyond: vec![(2, 43, 45), (2, 50, 60), (3, 105, 109)],
        without: vec![],
    };
    let covers = told.up_to(2, 44);
    assert_eq!(covers.vector.0, [(2, 40), (3, 99)].into());
    assert_eq!(covers.beyond, [(2, 43, 44), (3, 105, 109)]);
    assert_eq!(covers.up_to(2, 30).vector.0, [(2, 30), (3, 99)].into());
}

#[test]
fn the_vector_speaks_of_the_store_and_of_central_alone() {
    let told = |own, centrals| Knowledge {
        vector: Vector([(1, 9_000_000_000_000_000_000), (2, own), (100, centrals)].into()),
        beyond: vec![(1, 1, 9), (2, 1, 9), (100, 15, i64::MAX), (100, 30, 40)],
        without: vec![(2, 5, 5)],
    };
    let taken = LIMITS.knowledge(&told(7, i64::MAX)).unwrap();
    assert_eq!(
        taken,
        Knowledge { vector: Vector([(2, 7), (100, 20)].into()), beyond: vec![(100, 15, 20)], without: vec![(2, 5, 5)] }
    );
    assert_eq!(Knowledge::from_value(&taken.to_value()).unwrap(), taken);
    assert!(LIMITS.knowledge(&told(i64::MAX, 15)).is_err(), "a counter does not jump");
    assert!(LIMITS.knowledge(&told(-1, 15)).is_err());
}

#[test]
fn what_the_store_decided_and_what_central_forgot_comes_back() {
    assert_eq!(merged(&[], &[(2, 7)], ANY), [(2, 7)]);
    assert_eq!(merged(&[], &[(100, 15)], ANY), [(100, 15)]);
    assert_eq!(merged(&[(100, 8)], &[(2, 7)], ANY), [(2, 7)], "the store had replaced it");
    assert_eq!(merged(&[(100, 8)], &[(100, 15)], CENTRALS), [(100, 15)], "central had");
    assert_eq!(merged(&[(3, 4)], &[(2, 7)], ANY), [(2, 7)], "as an operation of the store could have");
    assert_eq!(merged(&[(3, 4)], &[(100, 15)], ANY), [(100, 15)]);
    assert_eq!(merged(&[(100, 21)], &[(2, 7)], ANY), [(2, 7), (100, 21)], "not what central wrote since");
    assert_eq!(merged(&[(2, 3), (100, 8)], &[(100, 8)], ANY), [(100, 8)], "the store's own was replaced");
}

#[test]
fn nothing_is_believed_of_a_third_node_nor_of_what_central_has() {
    assert_eq!(merged(&[], &[(3, 7)], ANY), []);
    assert_eq!(merged(&[(3, 4)], &[(3, 7)], ANY), [(3, 4)]);
    assert_eq!(merged(&[], &[(100, 9)], ANY), [], "central would have it");
    assert_eq!(merged(&[], &[(100, 21)], ANY), [], "beyond what was asked for");
    assert_eq!(merged(&[(100, 8)], &[(3, 7)], ANY), [(100, 8)], "and nothing goes for it");
    assert_eq!(merged(&[(100, 8)], &[], ANY), [(100, 8)]);
    assert_eq!(merged(&[(2, 3)], &[], ANY), [(2, 3)], "no register is left without a value");
}

#[test]
fn in_a_table_of_centrals_the_store_replaces_nothing() {
    assert_eq!(merged(&[(100, 8)], &[(2, 7)], CENTRALS), [(100, 8)]);
    let own = Of { decider: Decider::CentralButOwn, own_column: Some("@exists"), joined: Joined::At(7) };
    assert_eq!(merged(&[(100, 8)], &[(2, 7)], own), [(100, 8)], "whose row it is is not known");
    let row = |at: i64| {
        let made = operation(2, 1, 1, r#"{"@exists":true,"phone":"own"}"#, "{}");
        let mut there = Entity::of(&[made]);
        there.0.insert("phone".to_owned(), phone(&[(2, at)]).0["phone"].clone());
        there
    };
    assert_eq!(LIMITS.believed(&Entity::default(), &row(7), own).heads("phone").len(), 1);
    assert_eq!(LIMITS.believed(&Entity::default(), &row(8), own).heads("phone").len(), 0, "after it joined");
}
