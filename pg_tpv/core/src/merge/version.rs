use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{MAX_DEPTH, MergeFault};
use crate::json::{self, Value};
use crate::problem::Place;

/// The identity of an operation. It has no time in it, so that a clock may be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The node that wrote it.
    pub node_id: i32,
    /// Its place among the operations of that node: without gaps, in the order of commits.
    pub seq: i64,
}

/// For each register, the heads that the writer of an operation saw.
pub type Base = BTreeMap<String, BTreeSet<Version>>;

/// A base as it stands in `wire.op`: `{"name":[[1,17],[7,3]]}`, sorted, without the registers of
/// which nothing was seen.
pub fn base_to_text(base: &Base) -> String {
    let mut out = String::from("{");
    for (register, versions) in base.iter().filter(|(_, versions)| !versions.is_empty()) {
        out.push_str(if out.len() > 1 { "," } else { "" });
        out.push_str(&Value::String(register.clone()).to_canonical());
        for (index, Version { node_id, seq }) in versions.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}[{node_id},{seq}]", if index == 0 { ":[" } else { "," });
        }
        out.push(']');
    }
    out.push('}');
    out
}

/// Reads what [`base_to_text`] writes; the order of registers and versions is free.
///
/// # Errors
/// The first fault in the text.
pub fn base_from_text(text: &str) -> Result<Base, MergeFault> {
    let value = json::read(text, MAX_DEPTH).map_err(|source| MergeFault::Json { part: "base", source })?;
    let members = value.as_object().ok_or_else(|| MergeFault::base(&Place::Root, "this must be an object"))?;
    let mut base = Base::new();
    for (register, versions) in members {
        let place = Place::Root.key(register);
        let pairs = versions.as_array().ok_or_else(|| MergeFault::base(&place, "this must be an array"))?;
        let read = |(index, pair)| {
            version(pair).ok_or_else(|| MergeFault::base(&place.index(index), "this must be [node, seq]"))
        };
        let versions = pairs.iter().enumerate().map(read).collect::<Result<BTreeSet<_>, _>>()?;
        if !versions.is_empty() {
            base.insert(register.clone(), versions);
        }
    }
    Ok(base)
}

fn version(pair: &Value) -> Option<Version> {
    let [node_id, seq] = pair.as_array()? else { return None };
    Some(Version { node_id: node_id.as_number()?.parse().ok()?, seq: seq.as_number()?.parse().ok()? })
}
