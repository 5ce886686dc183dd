use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What happens to a worker in one transaction after the other.
#[derive(Clone, Debug)]
enum Step {
    /// A document of one of three hash chains arrives.
    Arrives {
        chain: u8,
        seq: i64,
    },
    Begin,
    Release,
    RollBack,
    Commit,
    Abort,
    /// What may be written is written.
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..3, 1_i64..12).prop_map(|(chain, seq)| Step::Arrives { chain, seq }),
        2 => Just(Step::Begin),
        1 => Just(Step::Release),
        1 => Just(Step::RollBack),
        1 => Just(Step::Commit),
        1 => Just(Step::Abort),
        2 => Just(Step::Flush),
    ]
}

/// What PostgreSQL would do: a stack of subtransactions, each with what was written or will be.
struct Model {
    stored: BTreeSet<(u8, i64)>,
    open: Vec<(u32, Vec<(u8, i64)>)>,
    next: u32,
}

impl Model {
    fn begin(stored: BTreeSet<(u8, i64)>) -> Self {
        Self { stored, open: vec![(1, Vec::new())], next: 2 }
    }

    fn current(&self) -> u32 {
        self.open.last().unwrap().0
    }

    fn is_there(&self, document: (u8, i64)) -> bool {
        self.stored.contains(&document) || self.open.iter().any(|(_, own)| own.contains(&document))
    }

    fn last(&self, chain: u8) -> i64 {
        let own = self.open.iter().flat_map(|(_, own)| own);
        self.stored
            .iter()
            .chain(own)
            .filter(|document| document.0 == chain)
            .map(|document| document.1)
            .max()
            .unwrap_or(0)
    }
}

fn name(chain: u8) -> String {
    format!("T{chain:02}")
}

proptest! {
    /// Every document is written once, in the subtransaction whose fate it shares, or is rolled
    /// back with it; and what is beyond the last number seen is never a repeat.
    #[test]
    fn nothing_is_lost_or_doubled_whatever_is_rolled_back(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::begin(BTreeSet::new());
        let (mut pending, mut seen) = (Pending::<(u8, i64)>::new(), LastSeen::default());
        // What the worker has written, by the subtransaction that wrote it.
        let mut written: Vec<(u32, Vec<(u8, i64)>)> = vec![(1, Vec::new())];
        let mut stored: BTreeSet<(u8, i64)> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Arrives { chain, seq } => {
                    let now = model.current();
                    let last = seen.of(1, &name(chain)).unwrap_or_else(|| {
                        let own = written.iter().flat_map(|(_, own)| own).chain(pending.iter());
                        let of_chain = stored.iter().chain(own).filter(|document| document.0 == chain);
                        of_chain.map(|document| document.1).max().unwrap_or(0)
                    });
                    seen.saw(now, 1, &name(chain), seq.max(last));
                    prop_assert!(last >= model.last(chain), "saw {} of {}", last, model.last(chain));
                    let there = model.is_there((chain, seq));
                    prop_assert!(seq <= last || !there);
                    if !there {
                        model.open.last_mut().unwrap().1.push((chain, seq));
                        pending.add(now, 1, (chain, seq));
                    }
                }
                Step::Begin => {
                    model.open.push((model.next, Vec::new()));
                    written.push((model.next, Vec::new()));
                    model.next += 1;
                }
                Step::Release if model.open.len() > 1 => {
                    let (number, own) = model.open.pop().unwrap();
                    model.open.last_mut().unwrap().1.extend(own);
                    pending.committed(number, model.current());
                    let (_, own) = written.pop().unwrap();
                    written.last_mut().unwrap().1.extend(own);
                }
                Step::RollBack if model.open.len() > 1 => {
                    let (number, _) = model.open.pop().unwrap();
                    pending.aborted(number);
                    seen.aborted(number);
                    written.pop();
                }
                Step::Flush => {
                    let taken = pending.take(model.current());
                    written.last_mut().unwrap().1.extend(taken);
                }
                Step::Commit if model.open.len() == 1 => {
                    let taken = pending.take(1);
                    written[0].1.extend(taken);
                    prop_assert!(pending.is_empty());
                    for document in written[0].1.drain(..) {
                        prop_assert!(stored.insert(document), "{:?} is written twice", document);
                    }
                    let mut all = std::mem::take(&mut model.stored);
                    all.extend(model.open[0].1.drain(..));
                    prop_assert_eq!(&all, &stored);
                    model = Model::begin(all);
                    seen.committed();
                }
                Step::Abort => {
                    pending.clear();
                    seen.forget();
                    written = vec![(1, Vec::new())];
                    model = Model::begin(std::mem::take(&mut model.stored));
                }
                _ => {}
            }
        }
    }

    /// What arrived is written in its order.
    #[test]
    fn what_waits_keeps_its_order(parts in prop::collection::vec(1_usize..9, 1..9)) {
        let mut pending = Pending::new();
        let mut by_part: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (number, part) in (1_u32..).zip(&parts) {
            for item in 0..*part {
                pending.add(number, 0, item);
                by_part.entry(number).or_default().push(item);
            }
        }
        for number in (1..=parts.len() as u32).rev() {
            prop_assert_eq!(&pending.take(number), &by_part[&number]);
        }
        prop_assert!(pending.is_empty());
    }
}

#[test]
fn it_is_time_to_write_at_a_number_and_at_a_size() {
    let mut pending = Pending::new();
    assert!((1..MOST_ITEMS).all(|item| !pending.add(1, 100, item)));
    assert!(pending.add(1, 100, 0));
    assert_eq!(pending.take(1).len(), MOST_ITEMS);
    assert!(!pending.add(1, MOST_BYTES - 1, 0));
    assert!(pending.add(1, 1, 0));
    pending.clear();
    assert!(!pending.add(1, 1, 0), "the size is that of what waits");
}

#[test]
fn a_peer_that_makes_up_hash_chains_does_not_fill_the_memory() {
    let mut seen = LastSeen::default();
    (0..25_000).for_each(|number| seen.saw(1, 1, &format!("T{number}"), 1));
    let kept = (0..25_000).filter(|number| seen.of(1, &format!("T{number}")).is_some()).count();
    assert!((1..=10_000).contains(&kept));
    assert_eq!(seen.of(1, "T24999"), Some(1));
}
