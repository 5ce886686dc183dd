//! What is compared, as the database tells it.

use std::collections::BTreeMap;

use super::kind::Kind;
use crate::json::Value;

/// Both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The node that compares.
    pub this_node: i32,
    /// The node that it compares itself with.
    pub peer: i32,
    /// Whether that is central.
    pub peer_is_central: bool,
    /// What the peer reported: for each node, up to which number it has its operations.
    pub reported: BTreeMap<i32, i64>,
    /// The same of this node.
    pub here: BTreeMap<i32, i64>,
    /// The hash chains that the peer sends to this node.
    pub chains: Vec<Chain>,
    /// Differences that are on record and not resolved.
    pub open: Vec<Open>,
}

/// A hash chain that the peer sends: the head that it named, and how far the documents here link up
/// to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// How the peer calls it.
    pub name: String,
    /// The number of the last document, and its link hash as hex digits.
    pub head: (i64, String),
    /// Up to where it had been followed before.
    pub from_seq: i64,
    /// How far it was followed now; none when the head is not as far as before.
    pub followed: Option<Followed>,
    /// The first document that is here beyond that, and not beyond the head.
    pub next_seq: Option<i64>,
}

/// Where following ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The last document that links.
    pub seq: i64,
    /// Its link hash as hex digits.
    pub hash: String,
    /// Why the next one does not link, when it is here.
    pub broken: Option<String>,
}

/// A difference on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What it is.
    pub kind: Kind,
    /// The node, or the chain.
    pub subject: String,
    /// The first number that is missing.
    pub from_seq: i64,
    /// How long ago it was requested; none when it never was.
    pub waited_ms: Option<i64>,
}

impl Facts {
    /// Reads what `sync.compare_with` gathers; none when it is something else.
    pub fn from_json(json: &Value) -> Option<Self> {
        let list = |key: &str| json.get(key)?.as_array();
        Some(Self {
            this_node: number(json.get("this_node")?)?,
            peer: number(json.get("peer")?)?,
            peer_is_central: json.get("peer_is_central")?.as_bool()?,
            reported: vector(json.get("reported")?)?,
            here: vector(json.get("here")?)?,
            chains: list("chains")?.iter().map(Chain::from_json).collect::<Option<_>>()?,
            open: list("open")?.iter().map(Open::from_json).collect::<Option<_>>()?,
        })
    }
}

impl Chain {
    fn from_json(json: &Value) -> Option<Self> {
        let followed = match json.get("followed")? {
            Value::Null => None,
            followed => Some(Followed::from_json(followed)?),
        };
        Some(Self {
            name: text(json, "chain")?,
            head: (number(json.get("head_seq")?)?, text(json, "head_hash")?),
            from_seq: number(json.get("from_seq")?)?,
            followed,
            next_seq: json.get("next_seq").and_then(number),
        })
    }
}

impl Followed {
    fn from_json(json: &Value) -> Option<Self> {
        Some(Self { seq: number(json.get("seq")?)?, hash: text(json, "hash")?, broken: text(json, "broken") })
    }
}

impl Open {
    fn from_json(json: &Value) -> Option<Self> {
        Some(Self {
            kind: Kind::from_word(json.get("what")?.as_str()?)?,
            subject: text(json, "subject")?,
            from_seq: number(json.get("from_seq")?)?,
            waited_ms: json.get("waited_ms").and_then(number),
        })
    }
}

fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

fn number<T: std::str::FromStr>(json: &Value) -> Option<T> {
    json.as_number()?.parse().ok()
}

fn vector(json: &Value) -> Option<BTreeMap<i32, i64>> {
    json.as_object()?.iter().map(|(node, seq)| Some((node.parse().ok()?, number(seq)?))).collect()
}
