//! What heartbeats tell of lives that were refused: `"refused": {"7": ["0123456789ab"]}` in `more`.

use std::collections::BTreeMap;

use super::descent::Life;
use crate::json::{self, Value};

/// `more` may hold what this version does not know; the limit is the reader's own.
const DEPTH: usize = 64;

/// A heartbeat goes to all peers, so that it tells of few. All of them are on record.
const MOST: usize = 3;

/// For each node the lives in its name that were refused.
pub type Refused = BTreeMap<i32, Vec<Life>>;

/// Adds to `more` of a heartbeat what was refused. It is an object of JSON, or nothing is added.
pub fn tell(more: &str, refused: &Refused) -> String {
    let Some(rest) = more.strip_prefix('{').filter(|_| !refused.is_empty()) else { return more.to_owned() };
    let lives =
        |lives: &[Life]| Value::Array(lives.iter().take(MOST).map(|it| Value::String(it.to_string())).collect());
    let nodes = refused.iter().map(|(node, of_node)| (node.to_string(), lives(of_node))).collect();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"refused\":{}{comma}{rest}", Value::Object(nodes).to_canonical())
}

/// The lives in the name of `node` that the writer of a heartbeat has refused. What cannot be read
/// is not there.
pub fn heard(more: &str, node: i32) -> Vec<Life> {
    let Ok(more) = json::read(more, DEPTH) else { return Vec::new() };
    let of_node = more.get("refused").and_then(|refused| refused.get(&node.to_string()));
    let lives = of_node.and_then(Value::as_array).unwrap_or_default();
    lives.iter().take(MOST).filter_map(|life| Life::parse(life.as_str()?)).collect()
}
