use super::*;
use crate::json::{self, Value};

mod choices;
mod entitlement;
mod keys;
mod limits;
mod order;
mod paths;
mod sets;
mod share;
mod texts;
mod undo;

fn value(text: &str) -> Value {
    json::read(text, 64).unwrap()
}

fn version(node_id: i32, seq: i64) -> Version {
    Version { node_id, seq }
}

fn operation(node_id: i32, seq: i64, hlc: i64, patch: &str, base: &str) -> Operation {
    Operation::from_text(version(node_id, seq), hlc, patch, base).unwrap()
}

/// Heads of nodes 1, 2, 3 …, stamped in that order.
fn concurrent(values: &[&str]) -> Vec<Head> {
    let head = |(node_id, text): (i32, &&str)| Head {
        version: version(node_id, 1),
        hlc: i64::from(node_id) * 10,
        value: value(text),
    };
    (1..).zip(values).map(head).collect()
}
