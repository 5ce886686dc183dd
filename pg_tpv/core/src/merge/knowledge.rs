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
    pub beyond: Vec<Range>,
    /// Ranges that are here and could not be read, so that they are not part of it.
    pub without: Vec<Range>,
}

/// A node, and the first and the last of some of its numbers.
type Range = (i32, i64, i64);

impl Knowledge {
    /// Reads `{"vector": {"1": 40}, "beyond": [[1, 43, 45]], "without": [[1, 12, 12]]}` from an
    /// object that may have other members.
    ///
    /// # Errors
    /// The first fault.
    pub fn from_value(value: &Value) -> Result<Self, MergeFault> {
        let vector = value.get("vector").ok_or_else(|| MergeFault::base(&Place::Root, "there is no vector"))?;
        let ranges = |name: &str| ranges(value, name);
        Ok(Self { vector: Vector::from_value(vector)?, beyond: ranges("beyond")?, without: ranges("without")? })
    }

    /// As [`Knowledge::from_value`] reads it.
    pub fn to_value(&self) -> Value {
        let number = |number: i64| Value::Number(number.to_string());
        let range = |(node, from, to): &Range| Value::Array(vec![number((*node).into()), number(*from), number(*to)]);
        let vector = self.vector.0.iter().map(|(node, seq)| (node.to_string(), number(*seq))).collect();
        Value::Object(vec![
            ("beyond".to_owned(), Value::Array(self.beyond.iter().map(range).collect())),
            ("vector".to_owned(), Value::Object(vector)),
            ("without".to_owned(), Value::Array(self.without.iter().map(range).collect())),
        ])
    }

    /// The same without what a node wrote after a number.
    #[must_use]
    pub fn up_to(mut self, node_id: i32, last: i64) -> Self {
        if let Some(seq) = self.vector.0.get_mut(&node_id) {
            *seq = (*seq).min(last);
        }
        self.beyond.retain(|(node, from, _)| *node != node_id || *from <= last);
        for (_, _, to) in self.beyond.iter_mut().filter(|(node, ..)| *node == node_id) {
            *to = (*to).min(last);
        }
        self
    }

    /// Whether an operation is part of it.
    pub fn covers(&self, version: Version) -> bool {
        let has = |(node, from, to): &Range| version.node_id == *node && (*from..=*to).contains(&version.seq);
        (self.vector.covers(version) || self.beyond.iter().any(has)) && !self.without.iter().any(has)
    }
}

fn ranges(value: &Value, name: &str) -> Result<Vec<Range>, MergeFault> {
    let fault = || MergeFault::base(&Place::Root.key(name), "a range is [node, from, to]");
    let range = |range: &Value| {
        let [node, from, to] = range.as_array()? else { return None };
        Some((node.as_number()?.parse().ok()?, from.as_number()?.parse().ok()?, to.as_number()?.parse().ok()?))
    };
    let ranges = value.get(name).and_then(Value::as_array).unwrap_or_default();
    ranges.iter().map(|it| range(it).ok_or_else(fault)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn what_its_sender_could_not_read_is_no_part_of_a_snapshot() {
        let text = r#"{"vector":{"1":40},"beyond":[[1,43,45]],"without":[[1,12,13],[1,44,44]]}"#;
        let knowledge = Knowledge::from_value(&json::read(text, 8).unwrap()).unwrap();
        let covered: Vec<i64> = (1..=50).filter(|seq| !knowledge.covers(Version { node_id: 1, seq: *seq })).collect();
        assert_eq!(covered, [12, 13, 41, 42, 44, 46, 47, 48, 49, 50]);
    }
}
