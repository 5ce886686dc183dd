use std::cmp::Ordering;

use super::{MergeFault, compare};
use crate::json::Value;
use crate::problem::Place;

/// What counts as greater: a declared list from the least to the greatest, as
/// `["none","email","all"]`, or, when that is empty, the order of [`compare`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scale(Vec<Value>);

impl Scale {
    /// A declared order; empty for the natural one.
    ///
    /// # Errors
    /// A single value, one that stands twice, or one that is an array or an object.
    pub fn new(order: Vec<Value>) -> Result<Self, MergeFault> {
        let place = Place::Root.key("order");
        if order.len() == 1 {
            return Err(MergeFault::rule(&place, "an order has two values or more"));
        }
        for (index, value) in order.iter().enumerate() {
            if matches!(value, Value::Array(_) | Value::Object(_)) {
                return Err(MergeFault::rule(
                    &place.index(index),
                    "this must be a text, a number, true, false or null",
                ));
            }
            if order[..index].iter().any(|earlier| compare(earlier, value).is_eq()) {
                return Err(MergeFault::rule(&place.index(index), "this value stands in the order already"));
            }
        }
        Ok(Self(order))
    }

    /// The declared order.
    pub fn order(&self) -> &[Value] {
        &self.0
    }

    /// `Greater` when `a` is chosen rather than `b`, for the greatest or for the least. A value
    /// that the declared order does not list never wins against one that it lists, in either
    /// direction.
    pub(super) fn prefer(&self, a: &Value, b: &Value, greatest: bool) -> Ordering {
        let directed = |order: Ordering| if greatest { order } else { order.reverse() };
        match (self.rank(a), self.rank(b)) {
            (Some(a), Some(b)) => directed(a.cmp(&b)),
            (None, None) => directed(compare(a, b)),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    fn rank(&self, value: &Value) -> Option<usize> {
        self.0.iter().position(|listed| compare(listed, value).is_eq())
    }
}
