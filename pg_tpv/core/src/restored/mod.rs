//! What a peer has of this node's own rows, beside what is here. A server that was restored from a
//! backup has forgotten some of them. It may have given their numbers again, too: an operation is
//! known by its number *and* its stamp, a document by its place and the hashes before it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::hash_chain::ChainName;
use crate::json::Value;

/// What a peer has of this node's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The last number of this node's operations there; 0 when there is none.
    pub last: i64,
    /// The stamps of the last ones, by their numbers.
    pub stamps: BTreeMap<i64, i64>,
    /// The hash chains of this node there, up to where they link: number, and what the document of
    /// that number is known by, its link hash and its stamp.
    pub chains: BTreeMap<String, (i64, String)>,
}

/// The same at this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// The last number that was given.
    pub last: i64,
    /// The stamps of operations in the journal, of those numbers that the peer named.
    pub stamps: BTreeMap<i64, i64>,
    /// The hash chains that the peer named: the last number here, and what the document of the number
    /// that the peer named is known by, if there is one.
    pub chains: BTreeMap<String, (i64, Option<String>)>,
}

/// What this node has forgotten, or done a second time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Numbers of operations that were given and are not known here: from, to.
    pub forgotten: Option<(i64, i64)>,
    /// Numbers of operations that were given twice.
    pub reused: Vec<i64>,
    /// Whether earlier numbers may have been given twice too: the peer is to name more stamps.
    pub is_deeper: bool,
    /// Hash chains that go on there otherwise than here.
    pub chains: Vec<Behind>,
}

/// A hash chain that goes on at the peer otherwise than here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its name.
    pub chain: String,
    /// The first number of which it is not known that both have the same document.
    pub from_seq: i64,
    /// The last document there: its number, and what it is known by.
    pub last: (i64, String),
    /// Whether both have documents of the same numbers, and not the same ones.
    pub is_forked: bool,
}

/// Compares the two.
pub fn findings(said: &Said, here: &Here) -> Findings {
    let reused: Vec<i64> = said
        .stamps
        .iter()
        .filter(|(seq, hlc)| here.stamps.get(seq).is_some_and(|own| own != *hlc))
        .map(|it| *it.0)
        .collect();
    let lowest = said.stamps.keys().next().copied();
    Findings {
        forgotten: (said.last > here.last).then_some((here.last + 1, said.last)),
        is_deeper: lowest.is_some_and(|lowest| lowest > 1 && reused.first() == Some(&lowest)),
        chains: said.chains.iter().filter_map(|(chain, last)| behind(chain, last, here.chains.get(chain))).collect(),
        reused,
    }
}

fn behind(chain: &str, last: &(i64, String), here: Option<&(i64, Option<String>)>) -> Option<Behind> {
    let head = here.map_or(0, |(head, _)| *head);
    let (from_seq, is_forked) = match here.and_then(|(_, link)| link.as_ref()) {
        Some(link) if *link == last.1 => return None,
        _ if last.0 == 0 => return None,
        Some(_) => (last.0, true),
        // It may be forked all the same, before that number.
        None => (last.0.min(head + 1), false),
    };
    Some(Behind { chain: chain.to_owned(), from_seq, last: last.clone(), is_forked })
}

impl Findings {
    /// Whether both have the same.
    pub fn is_empty(&self) -> bool {
        self.forgotten.is_none() && self.reused.is_empty() && self.chains.is_empty()
    }

    /// The life in which hash chains go on after this: none of those that are known is continued.
    pub fn next_life(&self, said: &Said, before: u32) -> u32 {
        let life = |chain: &str| ChainName::parse(chain).map_or(1, |name| name.life);
        let known = said.chains.keys().map(|chain| life(chain)).max().unwrap_or(1);
        // One whose own documents there are no others than here goes on.
        let is_lost = self.chains.iter().any(|it| life(&it.chain) >= before) || before == 1;
        if is_lost { known.max(before).saturating_add(1) } else { before }
    }

    /// What it is, in a sentence.
    pub fn detail(&self) -> String {
        let mut parts = Vec::new();
        if let Some((from, to)) = self.forgotten {
            parts.push(format!("operations {from} to {to} of this node are there and not here"));
        }
        if let (Some(first), Some(last)) = (self.reused.first(), self.reused.last()) {
            let count = self.reused.len();
            parts.push(format!("{count} operations between {first} and {last} are others than there"));
        }
        if let Some(first) = self.chains.first() {
            let (count, chain, last) = (self.chains.len(), &first.chain, first.last.0);
            parts.push(format!("{count} hash chains go on there otherwise, such as '{chain}' up to {last}"));
        }
        parts.join("; ")
    }
}

impl Said {
    /// Reads `{"last": 7, "stamps": [[6, 123], [7, 124]], "chains": {"T04": [12, "5d41… 124"]}}`; none
    /// when it is something else.
    pub fn from_json(json: &Value) -> Option<Self> {
        let chain = |(name, value): &(String, Value)| {
            let [seq, hash] = value.as_array()? else { return None };
            let hash = hash.as_str().filter(|hash| hash.len() >= HASH_DIGITS)?;
            Some((name.clone(), (number(seq)?, hash.to_owned())))
        };
        Some(Self {
            last: number(json.get("last")?)?,
            stamps: stamps(json.get("stamps")?)?,
            chains: json.get("chains")?.as_object()?.iter().map(chain).collect::<Option<_>>()?,
        })
    }
}

impl Here {
    /// Reads the same of this node, where a hash may be null.
    pub fn from_json(json: &Value) -> Option<Self> {
        let chain = |(name, value): &(String, Value)| {
            let [head, hash] = value.as_array()? else { return None };
            Some((name.clone(), (number(head)?, hash.as_str().map(str::to_owned))))
        };
        Some(Self {
            last: number(json.get("last")?)?,
            stamps: stamps(json.get("stamps")?)?,
            chains: json.get("chains")?.as_object()?.iter().map(chain).collect::<Option<_>>()?,
        })
    }
}

fn stamps(json: &Value) -> Option<BTreeMap<i64, i64>> {
    let stamp = |pair: &Value| {
        let [seq, hlc] = pair.as_array()? else { return None };
        Some((number(seq)?, number(hlc)?))
    };
    json.as_array()?.iter().map(stamp).collect()
}

/// A link hash, before a blank and the stamp.
const HASH_DIGITS: usize = 64;

/// A number that a node may have given.
fn number(json: &Value) -> Option<i64> {
    json.as_number()?.parse().ok().filter(|number| *number >= 0)
}
