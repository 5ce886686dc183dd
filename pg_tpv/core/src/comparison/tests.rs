use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::request::PATIENCE_MS;
use super::*;
use crate::json::read;

/// Store 7 beside central, which is 100.
fn facts(reported: &[(i32, i64)], here: &[(i32, i64)]) -> Facts {
    let (reported, here) = (reported.iter().copied().collect(), here.iter().copied().collect());
    Facts { this_node: 7, peer: 100, peer_is_central: true, reported, here, ..Facts::default() }
}

fn told(facts: &Facts) -> Vec<(Kind, String, i64, i64)> {
    differences(facts).into_iter().map(|it| (it.kind, it.subject, it.from_seq, it.to_seq)).collect()
}

#[test]
fn who_has_as_much_or_more_lacks_nothing() {
    assert_eq!(told(&facts(&[], &[])), []);
    assert_eq!(told(&facts(&[(100, 5), (7, 2)], &[(100, 5), (7, 3), (9, 1)])), []);
}

#[test]
fn operations_that_the_peer_has_are_missing() {
    let facts = facts(&[(9, 4), (100, 5)], &[(100, 2)]);
    assert_eq!(told(&facts), [(Kind::Operations, "9".to_owned(), 1, 4), (Kind::Operations, "100".to_owned(), 3, 5)]);
    assert_eq!(differences(&facts)[1].detail, "operations 3 to 5 of node 100 are missing here");
}

#[test]
fn a_store_answers_for_itself_and_tells_what_this_node_forgot() {
    let at_central =
        Facts { this_node: 100, peer: 7, peer_is_central: false, ..facts(&[(7, 3), (9, 8), (100, 6)], &[(100, 5)]) };
    assert_eq!(
        told(&at_central),
        [(Kind::Operations, "7".to_owned(), 1, 3), (Kind::Restored, "100".to_owned(), 6, 6)],
        "operations of store 9 come from store 9"
    );
}

/// What following a hash chain of store 7 came to, at central.
fn with_chain(
    head: (i64, &str),
    from_seq: i64,
    followed: Option<(i64, &str)>,
    broken: Option<&str>,
    next_seq: Option<i64>,
) -> Facts {
    let followed =
        followed.map(|(seq, hash)| Followed { seq, hash: hash.to_owned(), broken: broken.map(str::to_owned) });
    let chain = Chain { name: "T01".to_owned(), head: (head.0, head.1.to_owned()), from_seq, followed, next_seq };
    Facts { this_node: 100, peer: 7, peer_is_central: false, chains: vec![chain], ..facts(&[], &[]) }
}

#[test]
fn a_hash_chain_that_links_up_to_the_head_is_whole() {
    assert_eq!(told(&with_chain((5, "aa"), 3, Some((5, "aa")), None, None)), []);
    assert_eq!(told(&with_chain((0, "00"), 0, Some((0, "00")), None, None)), []);
}

#[test]
fn documents_are_missing_up_to_the_next_that_is_here_or_the_head() {
    assert_eq!(
        told(&with_chain((9, "aa"), 3, Some((5, "bb")), None, None)),
        [(Kind::HashChain, "T01".to_owned(), 6, 9)]
    );
    let gap = with_chain((9, "aa"), 3, Some((5, "bb")), None, Some(8));
    assert_eq!(told(&gap), [(Kind::HashChain, "T01".to_owned(), 6, 7)]);
    assert_eq!(differences(&gap)[0].detail, "documents 6 to 7 of hash chain 'T01' are missing here");
}

#[test]
fn what_does_not_link_is_broken() {
    let broken = |facts: Facts| {
        let [one] = &differences(&facts)[..] else { panic!("one difference") };
        (one.kind, one.from_seq, one.to_seq, one.detail.clone())
    };
    let reason = "its body is not what its hash says";
    let unlinked = with_chain((9, "aa"), 3, Some((5, "bb")), Some(reason), None);
    assert_eq!(broken(unlinked), (Kind::Broken, 6, 9, reason.to_owned()));
    let other_head = with_chain((5, "aa"), 3, Some((5, "bb")), None, None);
    assert_eq!(broken(other_head).3, "the peer names another document as its last");
    let (kind, from_seq, to_seq, detail) = broken(with_chain((2, "aa"), 5, None, None, None));
    assert_eq!((kind, from_seq, to_seq), (Kind::Broken, 3, 5));
    assert!(detail.starts_with("the hash chain at the peer is shorter than it was"));
}

#[test]
fn central_answers_for_the_hash_chains_that_it_sends() {
    let of_store = with_chain((9, "aa"), 3, Some((5, "bb")), None, None);
    let of_central = Facts { peer_is_central: true, ..of_store.clone() };
    assert_eq!(differences(&of_central), differences(&of_store));
    assert_eq!(differences(&of_central).len(), 1);
}

fn difference(kind: Kind, from_seq: i64) -> Difference {
    Difference { kind, subject: "7".to_owned(), from_seq, to_seq: 9, detail: String::new() }
}

fn open(kind: Kind, from_seq: i64, waited_ms: Option<i64>) -> Facts {
    Facts { open: vec![Open { kind, subject: "7".to_owned(), from_seq, waited_ms }], ..facts(&[], &[]) }
}

#[test]
fn what_is_new_is_requested_by_its_kind() {
    let requests = [Kind::Operations, Kind::HashChain, Kind::Restored, Kind::Broken]
        .map(|kind| request(&difference(kind, 1), &facts(&[], &[]), false));
    assert_eq!(requests, [Request::Rows, Request::Rows, Request::Snapshot, Request::Nothing]);
}

/// A store could make central ask it for a snapshot, and so for anything.
#[test]
fn central_asks_a_store_for_nothing_that_it_says_central_forgot() {
    for waited in [None, Some(0), Some(90_000)] {
        let said = Facts { peer_is_central: false, ..open(Kind::Restored, 1, waited) };
        assert_eq!(request(&difference(Kind::Restored, 1), &said, false), Request::Nothing);
    }
    let at_central = Facts { this_node: 100, peer: 7, peer_is_central: false, ..facts(&[(100, 6)], &[(100, 5)]) };
    assert!(differences(&at_central)[0].detail.ends_with("sync.restored_plan brings them back"));
}

#[test]
fn a_request_is_repeated_when_it_was_not_answered_for_a_while() {
    let (one, at) = (difference(Kind::Operations, 1), |waited| open(Kind::Operations, 1, waited));
    assert_eq!(request(&one, &at(Some(50_000)), false), Request::Waiting);
    assert_eq!(request(&one, &at(Some(50_001)), false), Request::Rows);
    assert_eq!(request(&one, &at(None), false), Request::Rows);
    assert_eq!(request(&one, &open(Kind::HashChain, 1, Some(1)), false), Request::Rows, "of another kind");
}

#[test]
fn while_a_snapshot_arrives_only_documents_are_requested() {
    for waited in [None, Some(0), Some(90_000)] {
        let requests = [Kind::Operations, Kind::Restored, Kind::HashChain]
            .map(|kind| request(&difference(kind, 1), &open(kind, 1, waited), true));
        let documents = if waited == Some(0) { Request::Waiting } else { Request::Rows };
        assert_eq!(requests, [Request::Coming, Request::Coming, documents]);
    }
    assert_eq!(request(&difference(Kind::Broken, 1), &facts(&[], &[]), true), Request::Nothing);
}

#[test]
fn what_begins_elsewhere_than_before_is_on_its_way() {
    assert_eq!(
        request(&difference(Kind::Operations, 4), &open(Kind::Operations, 1, Some(90_000)), false),
        Request::Coming
    );
}

#[test]
fn facts_are_read_as_sql_gathers_them() {
    let json = r#"{"this_node": 100, "peer": 7, "peer_is_central": false, "reported": {"7": 9000000000}, "here": {},
        "chains": [{"chain": "T01", "head_seq": 4, "head_hash": "aa", "from_seq": 2, "followed": null, "next_seq": null},
                   {"chain": "", "head_seq": 4, "head_hash": "aa", "from_seq": 2,
                    "followed": {"seq": 3, "hash": "bb", "broken": null}, "next_seq": 4}],
        "open": [{"what": "hash_chain", "subject": "", "from_seq": 3, "waited_ms": null}]}"#;
    let facts = Facts::from_json(&read(json, 16).unwrap()).unwrap();
    assert_eq!(
        (facts.reported[&7], facts.chains[0].followed.clone(), facts.chains[1].next_seq),
        (9_000_000_000, None, Some(4))
    );
    assert_eq!(facts.chains[1].followed, Some(Followed { seq: 3, hash: "bb".to_owned(), broken: None }));
    assert_eq!(facts.open, [Open { kind: Kind::HashChain, subject: String::new(), from_seq: 3, waited_ms: None }]);
    assert_eq!(Facts::from_json(&read(&json.replace("hash_chain", "chain"), 16).unwrap()), None);
    assert_eq!(Facts::from_json(&read(&json.replace("9000000000", "\"9\""), 16).unwrap()), None);
}

fn vectors() -> impl Strategy<Value = BTreeMap<i32, i64>> {
    prop::collection::btree_map(1..5_i32, 0..6_i64, 0..5)
}

proptest! {
    /// Of each node that the peer answers for, exactly what the peer has and this node has not.
    #[test]
    fn differences_are_what_is_missing_and_nothing_else(reported in vectors(), here in vectors(), central in any::<bool>()) {
        let facts = Facts { this_node: 1, peer: 2, peer_is_central: central, reported: reported.clone(), here: here.clone(), ..Facts::default() };
        let found: BTreeSet<(i32, i64)> = differences(&facts)
            .iter()
            .flat_map(|it| (it.from_seq..=it.to_seq).map(|seq| (it.subject.parse().unwrap(), seq)))
            .collect();
        let missing: BTreeSet<(i32, i64)> = reported
            .iter()
            .filter(|(node, _)| central || **node <= 2)
            .flat_map(|(node, seq)| (here.get(node).copied().unwrap_or(0) + 1..=*seq).map(|seq| (*node, seq)))
            .collect();
        prop_assert_eq!(found, missing);
        for one in differences(&facts) {
            prop_assert_eq!(one.kind == Kind::Restored, one.subject == "1", "own operations come back in a snapshot");
        }
    }

    /// A chain is whole, or some documents are missing, or a person has to look: never two of
    /// these, and never in silence.
    #[test]
    fn a_chain_is_silent_only_when_it_links_up_to_the_head(
        head in 0..8_i64, from in 0..8_i64, steps in 0..8_i64, same in any::<bool>(), broken in any::<bool>(), next in prop::option::of(0..8_i64),
    ) {
        let seq = (from + steps).min(head);
        let followed = (head >= from).then_some((seq, if same { "aa" } else { "bb" }));
        let next = next.filter(|next| *next > seq + 1 && *next <= head);
        let broken = (broken && seq < head).then_some("reason");
        let found = differences(&with_chain((head, "aa"), from, followed, broken, next));
        let is_whole = head >= from && seq == head && same;
        prop_assert_eq!(found.is_empty(), is_whole);
        prop_assert!(found.len() < 2);
        for one in found {
            prop_assert!(one.kind == Kind::Broken || one.from_seq <= one.to_seq, "something is missing");
            prop_assert!(one.kind == Kind::Broken || one.to_seq <= head);
        }
    }

    /// Rows arrive from the beginning, some at a time, and lines are cut. In the end nothing is
    /// missing, nobody was asked twice within the time to wait, and once rows flow a request is
    /// never needed again.
    #[test]
    fn requests_bring_everything_and_are_not_repeated_while_it_comes(
        reported in 1..40_i64, arrivals in prop::collection::vec(0..4_i64, 0..60),
    ) {
        const ROUND_MS: i64 = 20_000;
        let (mut here, mut open, mut since, mut requested): (i64, Vec<Open>, i64, i64) = (0, Vec::new(), i64::MAX, 0);
        for arrived in arrivals.into_iter().chain(std::iter::repeat_n(1, 40)) {
            let facts = facts(&[(100, reported)], &[(100, here)]);
            let [difference] = &differences(&facts)[..] else { break };
            match request(difference, &Facts { open: std::mem::take(&mut open), ..facts.clone() }, false) {
                Request::Rows => {
                    prop_assert!(since > PATIENCE_MS, "asked again after {} ms", since);
                    (since, requested) = (0, requested + 1);
                }
                Request::Coming => since = 0,
                Request::Waiting => {}
                other => prop_assert!(false, "{:?}", other),
            }
            open = vec![Open { kind: difference.kind, subject: difference.subject.clone(), from_seq: difference.from_seq, waited_ms: Some(since + ROUND_MS) }];
            since += ROUND_MS;
            // Nobody sends what was not requested.
            here = (here + if requested > 0 { arrived } else { 0 }).min(reported);
        }
        prop_assert_eq!(here, reported);
        prop_assert!(requested >= 1);
    }
}
