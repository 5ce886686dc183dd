//! One total order over all values, so that the greatest of any set of them is the same everywhere.

use std::cmp::Ordering;

use crate::json::Value;

/// `null` < `false` < `true` < numbers < texts < arrays < objects.
///
/// Numbers compare exactly, whatever their length and however they are written (`1.0` equals `1`);
/// texts by their bytes, which sorts ISO dates and instants of one zone by time; arrays and objects
/// by their canonical text.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => Decimal::of(a).compare(&Decimal::of(b)),
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            a.to_canonical().cmp(&b.to_canonical())
        }
        _ => kind(a).cmp(&kind(b)),
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// A number as ±0.d₁d₂d₃… × 10^exponent with d₁ not 0: then the exponents decide, and after them
/// the digits.
struct Decimal {
    negative: bool,
    exponent: i64,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, magnitude) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let mut digits = [whole, fraction].concat().into_bytes();
        let idle = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..idle);
        digits.truncate(digits.len() - digits.iter().rev().take_while(|digit| **digit == b'0').count());
        // An exponent that 64 bits do not hold is of no price and no weight; all of these are
        // equal.
        let beyond = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let point = i64::try_from(whole.len()).unwrap_or(i64::MAX) - i64::try_from(idle).unwrap_or(i64::MAX);
        let exponent = exponent.parse().unwrap_or(beyond).saturating_add(point);
        Self { negative: negative && !digits.is_empty(), exponent, digits }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, true) => other.compare_size(self),
            (false, false) => self.compare_size(other),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits)),
            (self_zero, other_zero) => other_zero.cmp(&self_zero),
        }
    }
}
