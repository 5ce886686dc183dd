//! Heads of hash chains, and how heartbeats write them.

use std::collections::BTreeMap;

use crate::hash_chain::{ChainName, Hash, NamedBy};
use crate::json::{self, Value};

/// Longer than any name: what cannot be in an index must not stop the stream.
const LONGEST_NAME: usize = 100;

/// An object of arrays; a newer version may put more into them.
const DEPTH: usize = 16;

/// The last document of a hash chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 when there is none.
    pub seq: i64,
    /// Its link hash.
    pub hash: Hash,
    /// Its stamp; none for a chain that is passed on.
    pub hlc: Option<i64>,
}

/// The heads of a node's hash chains, by the names that it calls them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads(pub BTreeMap<String, Head>);

impl Heads {
    /// `{"T04": [12, "5d41…", 123], "1>2": [3, "e4da…"]}`.
    pub fn to_json(&self) -> String {
        let number = |number: i64| Value::Number(number.to_string());
        let member = |(name, head): (&String, &Head)| {
            let mut parts = vec![number(head.seq), Value::String(to_hex(&head.hash))];
            parts.extend(head.hlc.map(number));
            (name.clone(), Value::Array(parts))
        };
        Value::Object(self.0.iter().map(member).collect()).to_canonical()
    }

    /// Reads what [`Heads::to_json`] writes; further elements belong to newer versions. None for
    /// anything else.
    pub fn from_json(text: &str) -> Option<Self> {
        let json = json::read(text, DEPTH).ok()?;
        let head = |(name, value): &(String, Value)| {
            let parts = value.as_array()?;
            let number = |place: usize| parts.get(place)?.as_number()?.parse::<i64>().ok();
            let seq = number(0).filter(|seq| *seq >= 0)?;
            let hash = from_hex(parts.get(1)?.as_str()?)?;
            // A text of PostgreSQL cannot hold U+0000.
            (name.len() <= LONGEST_NAME && !name.contains('\0'))
                .then(|| (name.clone(), Head { seq, hash, hlc: number(2) }))
        };
        json.as_object()?.iter().map(head).collect::<Option<_>>().map(Self)
    }
}

/// How a node calls a hash chain of another node that it passes on; none if it does not. Central
/// passes on what a store has addressed to another store.
pub fn passed_on(writer: i32, name: &str, here: i32) -> Option<String> {
    let addressee = ChainName::parse(name)?.addressee()?;
    (writer != here && addressee != here && addressee != writer).then(|| NamedBy { writer, name }.called_by(here))
}

fn to_hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Option<Hash> {
    let digits = digits.as_bytes();
    let digit = |at: usize| char::from(digits[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if digits.len() != 64 {
        return None;
    }
    let mut hash = Hash::default();
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = digit(2 * place)? << 4 | digit(2 * place + 1)?;
    }
    Some(hash)
}
