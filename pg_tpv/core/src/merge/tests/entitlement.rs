use super::*;

const DECIDERS: [Decider; 3] = [Decider::Anybody, Decider::Central, Decider::CentralButOwn];

#[test]
fn a_table_is_decided_by_its_writer() {
    assert_eq!(who_decides(false, false), Decider::Anybody);
    assert_eq!(who_decides(false, true), Decider::Anybody);
    assert_eq!(who_decides(true, false), Decider::Central);
    assert_eq!(who_decides(true, true), Decider::CentralButOwn);
    assert_eq!(DECIDERS.map(|decider| decider.lets_write(true)), [true, false, false], "in a store that has joined");
    assert_eq!(
        DECIDERS.map(|decider| decider.lets_write(false)),
        [true; 3],
        "at central, and in a store that is alone"
    );
}

/// Every cell: who wrote it, of whose row, before or after it joined, as far as that is known here.
#[test]
fn an_operation_is_believed_of_whoever_decides_that_row() {
    use Joined::{At, Elsewhere, NotYet};
    use Verdict::{Believed, NotEntitled, OfBefore};
    let judged = |is_centrals, is_own_row, joined| {
        DECIDERS.map(|decider| decider.believes(Claim { is_centrals, is_own_row, seq: 10, joined }))
    };
    for joined in [At(9), At(10), NotYet, Elsewhere] {
        assert_eq!(judged(true, false, joined), [Believed; 3], "central, {joined:?}");
    }
    assert_eq!(judged(false, true, At(10)), [Believed, OfBefore, Believed], "its own row, before it joined");
    assert_eq!(judged(false, true, At(9)), [Believed, NotEntitled, NotEntitled], "its own row, after");
    assert_eq!(judged(false, true, NotYet), [Believed, OfBefore, Believed], "its own row, while it joins");
    assert_eq!(judged(false, true, Elsewhere), [Believed, NotEntitled, Believed], "its own row, by way of central");
    assert_eq!(judged(false, false, At(10)), [Believed, OfBefore, OfBefore], "a foreign row, before it joined");
    assert_eq!(judged(false, false, At(9)), [Believed, NotEntitled, NotEntitled], "a foreign row, after");
    assert_eq!(judged(false, false, NotYet), [Believed, OfBefore, OfBefore], "a foreign row, while it joins");
    assert_eq!(
        judged(false, false, Elsewhere),
        [Believed, NotEntitled, NotEntitled],
        "a foreign row, by way of central"
    );
}

fn entity(operations: &[Operation]) -> Entity {
    Entity::of(operations)
}

fn patch(text: &str) -> Patch {
    operation(9, 1, 1, text, "{}").patch
}

#[test]
fn a_row_is_its_own_that_says_so_here_and_in_what_it_writes() {
    let own = entity(&[operation(2, 1, 1, r#"{"@exists":true,"node_id":2,"code":"T01"}"#, "{}")]);
    let other = entity(&[operation(100, 1, 1, r#"{"@exists":true,"node_id":1,"code":"T01"}"#, "{}")]);
    let nothing = Entity::default();
    let is_own = |text: &str, here: &Entity| is_own_row("node_id", 2, &patch(text), here);
    assert!(is_own(r#"{"node_id":2}"#, &nothing));
    assert!(is_own(r#"{"code":"T02"}"#, &own));
    assert!(!is_own(r#"{"code":"T02"}"#, &nothing), "whose it is is not known");
    assert!(!is_own(r#"{"code":"T02"}"#, &other));
    assert!(!is_own(r#"{"node_id":2}"#, &other), "nor does it become its own");
    assert!(!is_own(r#"{"node_id":1}"#, &own), "nor another's");
    for odd in [r#"{"node_id":"2"}"#, r#"{"node_id":null}"#, r#"{"node_id":[2]}"#] {
        assert!(!is_own(odd, &nothing), "{odd}");
    }
}

#[test]
fn a_row_without_a_number_is_whose_who_made_it() {
    let own = entity(&[operation(2, 1, 1, r#"{"@exists":true,"name":"Lessee"}"#, "{}")]);
    let centrals = entity(&[operation(100, 1, 1, r#"{"@exists":true,"name":"Lessee"}"#, "{}")]);
    let is_own = |text: &str, here: &Entity| is_own_row(EXISTS, 2, &patch(text), here);
    assert!(is_own(r#"{"@exists":true,"name":"x"}"#, &Entity::default()));
    assert!(!is_own(r#"{"name":"x"}"#, &Entity::default()));
    assert!(is_own(r#"{"name":"x"}"#, &own));
    assert!(!is_own(r#"{"name":"x"}"#, &centrals));
    assert!(!is_own(r#"{"@exists":true}"#, &centrals));
}

#[test]
fn what_is_set_aside_is_what_the_others_do_not_believe() {
    let own = operation(2, 5, 1, r#"{"@exists":true,"description":"its own"}"#, "{}");
    let (kept, aside) = set_aside(&entity(std::slice::from_ref(&own)), 2, None, Joined::At(9));
    assert_eq!((kept, aside.len()), (Entity::default(), 2));
    let both = entity(&[operation(100, 1, 1, r#"{"@exists":true,"description":"Pan"}"#, "{}"), own]);
    let (kept, aside) = set_aside(&both, 2, None, Joined::At(9));
    assert_eq!(kept.heads("description")[0].value, value("\"Pan\""));
    assert_eq!((kept.heads("description").len(), kept.heads(EXISTS).len()), (1, 1));
    assert_eq!(aside["description"][0].value, value("\"its own\""));
    let terminal = entity(&[operation(2, 5, 1, r#"{"@exists":true,"node_id":2}"#, "{}")]);
    let with = |joined| set_aside(&terminal, 2, Some("node_id"), joined).1.len();
    assert_eq!((with(Joined::At(5)), with(Joined::At(4))), (0, 2), "its own of before stays");
}

#[test]
fn an_operation_that_is_not_believed_keeps_its_place_and_no_value() {
    for (text, base) in [
        (r#"{"@exists":true,"price":0.01}"#, r#"{"@exists":[[100,1]],"price":[[100,1]]}"#),
        (r#"{"@exists":false}"#, "{}"),
        ("{", "no base"),
        (r#"{"@blank":true}"#, "{}"),
    ] {
        let void = void_texts(text, base);
        assert!(is_blank(&void.0) && !void.0.contains("price"), "{void:?}");
        assert_eq!(void_texts(&void.0, &void.1), void);
        assert!(is_same_operation((text, base), (&void.0, &void.1)), "a repeat of it is known");
    }
    assert!(!is_same_operation(("{\"@exists\":true}", "{}"), ("{\"@exists\":false}", "{}")));
    assert!(!is_same_operation(("{\"price\":1}", "{}"), ("{\"price\":2}", "{}")));
}
