use std::collections::BTreeMap;

use super::{MAX_DEPTH, MergeFault, Version};
use crate::json::{self, Value};
use crate::problem::Place;

/// For each node, up to which number its operations are known without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vector(pub BTreeMap<i32, i64>);

impl Vector {
    /// Reads `{"1":40,"7":12}`.
    ///
    /// # Errors
    /// The first fault in the text.
    pub fn from_text(text: &str) -> Result<Self, MergeFault> {
        let value = json::read(text, MAX_DEPTH).map_err(|source| MergeFault::Json { part: "vector", source })?;
        Self::from_value(&value)
    }

    /// Reads it where it is part of something else.
    ///
    /// # Errors
    /// As [`Vector::from_text`].
    pub fn from_value(value: &Value) -> Result<Self, MergeFault> {
        let fault = |place: &Place<'_>| MergeFault::base(place, "a vector is {\"node\": seq}");
        let members = value.as_object().ok_or_else(|| fault(&Place::Root))?;
        let entry = |(node, seq): &(String, Value)| Some((node.parse().ok()?, seq.as_number()?.parse().ok()?));
        let entries = members.iter().map(|member| entry(member).ok_or_else(|| fault(&Place::Root.key(&member.0))));
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Whether it covers an operation.
    pub fn covers(&self, version: Version) -> bool {
        self.0.get(&version.node_id).is_some_and(|seq| version.seq <= *seq)
    }
}
