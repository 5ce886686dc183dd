use super::{MergeFault, Vector, Version};
use crate::json::Value;
use crate::problem::Place;

/// Which operations a node knows, or a snapshot covers: for each node all up to a number, and those
/// beyond a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// For each node, up to which number there is no gap.
    pub vector: Vector,
    /// Ranges beyond a gap: node, first and last number.
    pub beyond: Vec<(i32, i64, i64)>,
}

impl Knowledge {
    /// Reads `{"vector": {"1": 40}, "beyond": [[1, 43, 45]]}` from an object that may have other
    /// members.
    ///
    /// # Errors
    /// The first fault.
    pub fn from_value(value: &Value) -> Result<Self, MergeFault> {
        let fault = || MergeFault::base(&Place::Root.key("beyond"), "what is beyond is [node, from, to]");
        let vector = value.get("vector").ok_or_else(|| MergeFault::base(&Place::Root, "there is no vector"))?;
        let ranges = value.get("beyond").and_then(Value::as_array).unwrap_or_default();
        let beyond = ranges.iter().map(|range| {
            let [node, from, to] = range.as_array()? else { return None };
            Some((node.as_number()?.parse().ok()?, from.as_number()?.parse().ok()?, to.as_number()?.parse().ok()?))
        });
        let beyond = beyond.map(|range| range.ok_or_else(fault)).collect::<Result<_, _>>()?;
        Ok(Self { vector: Vector::from_value(vector)?, beyond })
    }

    /// As [`Knowledge::from_value`] reads it.
    pub fn to_value(&self) -> Value {
        let number = |number: i64| Value::Number(number.to_string());
        let range =
            |(node, from, to): &(i32, i64, i64)| Value::Array(vec![number((*node).into()), number(*from), number(*to)]);
        let vector = self.vector.0.iter().map(|(node, seq)| (node.to_string(), number(*seq))).collect();
        Value::Object(vec![
            ("beyond".to_owned(), Value::Array(self.beyond.iter().map(range).collect())),
            ("vector".to_owned(), Value::Object(vector)),
        ])
    }

    /// Whether an operation is part of it.
    pub fn covers(&self, version: Version) -> bool {
        let has = |(node, from, to): &(i32, i64, i64)| version.node_id == *node && (*from..=*to).contains(&version.seq);
        self.vector.covers(version) || self.beyond.iter().any(has)
    }
}
