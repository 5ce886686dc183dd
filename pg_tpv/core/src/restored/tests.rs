use proptest::prelude::*;

use super::*;
use crate::json::read;

fn hash(of: char) -> String {
    of.to_string().repeat(64)
}

fn chains<T: Clone>(of: &[(&str, T)]) -> BTreeMap<String, T> {
    of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn who_has_as_much_or_more_has_forgotten_nothing() {
    let said = Said { last: 5, stamps: BTreeMap::from([(4, 40), (5, 50)]), chains: chains(&[("T01", (3, hash('a')))]) };
    let here = Here { last: 9, stamps: said.stamps.clone(), chains: chains(&[("T01", (7, Some(hash('a'))))]) };
    assert!(findings(&said, &here).is_empty());
    assert!(findings(&Said::default(), &Here::default()).is_empty());
}

#[test]
fn numbers_that_the_peer_has_are_forgotten_here() {
    let said = Said { last: 9, stamps: BTreeMap::from([(8, 80), (9, 90)]), ..Said::default() };
    let found = findings(&said, &Here { last: 7, ..Here::default() });
    assert_eq!((found.forgotten, found.reused.len(), found.is_deeper), (Some((8, 9)), 0, false));
    assert_eq!(found.detail(), "operations 8 to 9 of this node are there and not here");
}

#[test]
fn the_same_number_with_another_stamp_was_given_twice() {
    let said = Said { last: 9, stamps: BTreeMap::from([(7, 70), (8, 80), (9, 90)]), ..Said::default() };
    let here = |stamps: [(i64, i64); 3]| Here { last: 12, stamps: stamps.into(), ..Here::default() };
    let found = findings(&said, &here([(7, 70), (8, 81), (9, 91)]));
    assert_eq!((found.forgotten, &found.reused[..], found.is_deeper), (None, &[8, 9][..], false));
    let found = findings(&said, &here([(7, 71), (8, 81), (9, 91)]));
    assert!(found.is_deeper, "what is before 7 may differ too");
    assert_eq!(found.detail(), "3 operations between 7 and 9 are others than there");
}

#[test]
fn a_hash_chain_goes_on_there_or_is_another() {
    let said = Said { chains: chains(&[("", (4, hash('n'))), ("T01", (9, hash('a')))]), ..Said::default() };
    let here = |own: (i64, Option<String>)| Here {
        chains: chains(&[("", (4, Some(hash('n')))), ("T01", own)]),
        ..Here::default()
    };
    let from = |own| {
        findings(&said, &here(own))
            .chains
            .into_iter()
            .map(|it| (it.chain, it.from_seq, it.is_forked))
            .collect::<Vec<_>>()
    };
    assert_eq!(from((5, None)), [("T01".to_owned(), 6, false)]);
    assert_eq!(from((12, Some(hash('b')))), [("T01".to_owned(), 9, true)]);
    assert_eq!(from((12, None)), [("T01".to_owned(), 9, false)], "a document is missing in the middle");
    assert_eq!(from((12, Some(hash('a')))), []);
    let unknown = findings(&said, &Here::default()).chains;
    assert_eq!(unknown.iter().map(|it| it.from_seq).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn hash_chains_go_on_in_a_life_that_nobody_has_seen() {
    let said = |names: &[&str]| Said {
        chains: names.iter().map(|name| ((*name).to_owned(), (3, hash('a')))).collect(),
        ..Said::default()
    };
    let life = |names: &[&str], before| {
        let said = said(names);
        findings(&said, &Here::default()).next_life(&said, before)
    };
    assert_eq!(life(&["T01", ""], 1), 2);
    assert_eq!(life(&["T01", "T02~2"], 1), 3);
    assert_eq!(life(&["T01", "T02~2"], 2), 3, "the server was restored twice from one backup");
    assert_eq!(life(&["T01"], 2), 2, "what it writes since it noticed is not among what is lost");
    assert_eq!(life(&[], 1), 2);
}

#[test]
fn what_a_peer_says_is_read_or_is_none() {
    let text =
        format!(r#"{{"last": 7, "stamps": [[7, 1], [6, 0]], "chains": {{"T04~2": [12, "{}"]}}, "new": 1}}"#, hash('a'));
    let said = Said::from_json(&read(&text, 16).unwrap()).unwrap();
    assert_eq!((said.last, said.stamps.len(), said.chains["T04~2"].0), (7, 2, 12));
    for (right, wrong) in
        [("7,", "-7,"), ("[6, 0]", "[6]"), ("[12,", "[12, 1,"), (&hash('a'), "aa"), ("\"last\"", "\"first\"")]
    {
        assert_eq!(Said::from_json(&read(&text.replacen(right, wrong, 1), 16).unwrap()), None, "{wrong}");
    }
    let here = read(r#"{"last": 7, "stamps": [], "chains": {"T04": [3, null]}}"#, 16).unwrap();
    assert_eq!(Here::from_json(&here).unwrap().chains["T04"], (3, None));
}

proptest! {
    /// A server that was restored at some moment finds all that it had given afterwards, either as
    /// forgotten or as given twice; one that was not finds nothing.
    #[test]
    fn what_was_given_after_the_backup_is_found(before in 0..20_i64, lost in 0..20_i64, since in 0..40_i64, named in 1..60_usize) {
        let last = before + lost;
        let stamps = (1..=last).rev().take(named).map(|seq| (seq, seq * 10)).collect::<BTreeMap<_, _>>();
        let own = (1..=before).map(|seq| (seq, seq * 10)).chain((before + 1..=before + since).map(|seq| (seq, seq * 10 + 1)));
        let here = Here { last: before + since, stamps: own.filter(|(seq, _)| stamps.contains_key(seq)).collect(), ..Here::default() };
        let found = findings(&Said { last, stamps: stamps.clone(), ..Said::default() }, &here);
        prop_assert_eq!(found.is_empty(), lost == 0);
        let twice = (before + 1..=last.min(before + since)).filter(|seq| stamps.contains_key(seq)).collect::<Vec<_>>();
        prop_assert_eq!(&found.reused, &twice);
        prop_assert_eq!(found.forgotten, (since < lost).then_some((before + since + 1, last)));
        let all_named = twice.len() as i64 == lost.min(since);
        prop_assert!(all_named || found.is_deeper || twice.is_empty());
    }
}
