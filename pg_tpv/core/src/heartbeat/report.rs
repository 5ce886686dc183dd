//! What a peer's heartbeat says, as its receiver reads it.

use std::collections::BTreeMap;

use super::carry::Own;
use super::head::Heads;
use crate::json::{self, Value};

/// `more` may hold what this version does not know; the limit is the reader's own.
const MORE_DEPTH: usize = 64;

/// Which hash chains a heartbeat names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// All. So does a node that does not know `more`.
    All,
    /// Those that moved since the heartbeat with this stamp.
    Stamp(i64),
    /// It cannot be read.
    Unknown,
}

/// A heartbeat, as far as it can be read. What cannot is left out, and on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For each node, up to which number the peer has its operations.
    pub operations: Option<BTreeMap<i32, i64>>,
    /// The heads that it names.
    pub heads: Heads,
    /// Which those are.
    pub since: Since,
    /// Whether the peer asks what this node has of its own rows.
    pub own: Option<Own>,
    /// Columns that cannot be read.
    pub faults: Vec<&'static str>,
}

impl Report {
    /// Reads the columns `ops`, `chains` and `more`. Keys that this version does not know are a
    /// newer version's.
    pub fn read(ops: &str, chains: &str, more: &str) -> Self {
        let (operations, heads, more) = (vector(ops), Heads::from_json(chains), since(more));
        let bad = [("ops", operations.is_none()), ("chains", heads.is_none()), ("more", more.is_none())];
        Self {
            operations,
            heads: heads.unwrap_or_default(),
            since: more.as_ref().map_or(Since::Unknown, |(since, _)| *since),
            own: more.and_then(|(_, own)| own),
            faults: bad.into_iter().filter(|(_, is_bad)| *is_bad).map(|(column, _)| column).collect(),
        }
    }

    /// The stamp of the last heartbeat with which everything was known that the peer had told.
    /// `known` is that before this heartbeat, `hlc` its own stamp. It names what moved since a
    /// certain heartbeat, and helps only if everything was known with that one. A later stamp will
    /// not do: the peer's clock may have been set back, or it was restored and has another past.
    pub fn whole(&self, known: Option<i64>, hlc: i64) -> Option<i64> {
        let continues = match self.since {
            Since::All => true,
            Since::Stamp(since) => known == Some(since),
            Since::Unknown => false,
        };
        if continues && self.faults.is_empty() { Some(hlc) } else { known }
    }
}

fn vector(text: &str) -> Option<BTreeMap<i32, i64>> {
    let json = json::read(text, 1).ok()?;
    let number = |(node, seq): &(String, Value)| {
        let (node, seq) = (node.parse::<i32>().ok()?, seq.as_number()?.parse::<i64>().ok()?);
        (node > 0 && seq >= 0).then_some((node, seq))
    };
    json.as_object()?.iter().map(number).collect()
}

fn since(text: &str) -> Option<(Since, Option<Own>)> {
    let json = json::read(text, MORE_DEPTH).ok()?;
    json.as_object()?;
    let since = match json.get("since") {
        None => Since::All,
        Some(stamp) => Since::Stamp(stamp.as_number()?.parse().ok()?),
    };
    // A newer version may ask in another way.
    Some((since, json.get("own").and_then(own)))
}

fn own(value: &Value) -> Option<Own> {
    let number = |place: usize| value.as_array()?.get(place)?.as_number()?.parse::<i64>().ok().filter(|it| *it >= 0);
    Some(Own { token: number(0)?, stamps: number(1)? })
}
