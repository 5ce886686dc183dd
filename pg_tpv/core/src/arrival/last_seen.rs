//! How far a worker has seen each hash chain. A document beyond that is not here, as nothing behind
//! it is: whether it is a repeat need not be looked up.
//!
//! A number that is too high costs a look-up. One that is too low is possible only if documents
//! came by a way past this worker, and then the primary key of `wire.doc` refuses the repeat.

use std::collections::HashMap;

/// A peer that makes up hash chains must not fill the memory.
const MOST_CHAINS: usize = 10_000;

/// The greatest number of each hash chain, by node and name.
#[derive(Debug, Default)]
pub struct LastSeen {
    numbers: HashMap<i32, HashMap<String, i64>>,
    chains: usize,
    /// The last subtransaction that changed something, of the transaction that goes on.
    changed_in: u32,
}

impl LastSeen {
    /// The greatest number that was seen of a hash chain; none when it must be looked up.
    pub fn of(&self, node_id: i32, chain: &str) -> Option<i64> {
        self.numbers.get(&node_id)?.get(chain).copied()
    }

    /// A subtransaction has seen a document, or looked its hash chain up.
    pub fn saw(&mut self, subtransaction: u32, node_id: i32, chain: &str, seq: i64) {
        self.changed_in = self.changed_in.max(subtransaction);
        if let Some(last) = self.numbers.get_mut(&node_id).and_then(|chains| chains.get_mut(chain)) {
            *last = seq.max(*last);
            return;
        }
        if self.chains >= MOST_CHAINS {
            self.forget();
            self.changed_in = subtransaction;
        }
        self.numbers.entry(node_id).or_default().insert(chain.to_owned(), seq);
        self.chains += 1;
    }

    /// A subtransaction was rolled back. What it has seen is not there.
    pub fn aborted(&mut self, subtransaction: u32) {
        if self.changed_in >= subtransaction {
            self.forget();
        }
    }

    /// The transaction has ended well; the next one counts its subtransactions anew.
    pub fn committed(&mut self) {
        self.changed_in = 0;
    }

    /// Nothing is known.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}
