//! What EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) says.

use serde_json::Value;

/// What was read, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// Rows that scans of tables have read, those that a filter dropped too.
    pub rows: f64,
    /// Pages, from memory or from the disk.
    pub pages: f64,
    /// The scans that read most, then what was done with it.
    pub nodes: String,
}

/// How many nodes are named.
const MOST_NAMED: usize = 4;

/// Nodes that every other plan has.
const PLAIN: [&str; 7] = ["Limit", "Result", "Sort", "Subquery Scan", "Gather", "Gather Merge", "Materialize"];

/// Reads the document of a plan.
pub fn cost(document: &Value) -> Cost {
    let top = &document[0]["Plan"];
    let mut all = Vec::new();
    walk(top, &mut all);
    let mut scans: Vec<(f64, String)> = Vec::new();
    for node in all.iter().filter(|node| node["Relation Name"].is_string()) {
        let (rows, name) = (rows_read(node), format!("{} {}", text(node, "Node Type"), text(node, "Relation Name")));
        match scans.iter_mut().find(|(_, known)| *known == name) {
            Some((sum, _)) => *sum += rows,
            None => scans.push((rows, name)),
        }
    }
    scans.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows = scans.iter().map(|(rows, _)| rows).sum();
    let mut names: Vec<String> = scans.into_iter().take(MOST_NAMED / 2).map(|(_, name)| name).collect();
    for node in all.iter().filter(|node| !node["Relation Name"].is_string()) {
        let name = kind(node);
        if !PLAIN.contains(&name.as_str()) && !name.starts_with("Bitmap Index") && !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST_NAMED);
    let pages = number(top, "Shared Hit Blocks") + number(top, "Shared Read Blocks");
    Cost { rows, pages, nodes: names.join(", ") }
}

fn walk<'p>(node: &'p Value, all: &mut Vec<&'p Value>) {
    all.push(node);
    for below in node["Plans"].as_array().into_iter().flatten() {
        walk(below, all);
    }
}

fn rows_read(node: &Value) -> f64 {
    let each = number(node, "Actual Rows")
        + number(node, "Rows Removed by Filter")
        + number(node, "Rows Removed by Index Recheck");
    each * number(node, "Actual Loops")
}

fn kind(node: &Value) -> String {
    match (text(node, "Node Type"), text(node, "Strategy")) {
        ("Aggregate", "Hashed") => "HashAggregate".to_owned(),
        ("Aggregate", "Sorted") => "GroupAggregate".to_owned(),
        (kind, _) => kind.to_owned(),
    }
}

fn number(node: &Value, key: &str) -> f64 {
    node[key].as_f64().unwrap_or(0.0)
}

fn text<'p>(node: &'p Value, key: &str) -> &'p str {
    node[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_those_of_all_loops_with_what_a_filter_dropped() {
        let scan = |rows: i64, loops: i64| {
            json!({ "Node Type": "Index Scan", "Relation Name": "item_day", "Actual Rows": rows, "Actual Loops": loops,
                "Rows Removed by Filter": 1 })
        };
        let join = json!({ "Node Type": "Nested Loop", "Plans": [scan(10, 1), scan(2, 5)] });
        let sum = json!({ "Node Type": "Aggregate", "Strategy": "Hashed", "Plans": [join], "Shared Hit Blocks": 7, "Shared Read Blocks": 1 });
        let cost = cost(
            &json!([{ "Plan": { "Node Type": "Sort", "Plans": [sum], "Shared Hit Blocks": 7, "Shared Read Blocks": 1 } }]),
        );
        assert_eq!(cost.rows, 11.0 + 15.0);
        assert_eq!(cost.pages, 8.0);
        assert_eq!(cost.nodes, "Index Scan item_day, HashAggregate, Nested Loop");
    }
}
