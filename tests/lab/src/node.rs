//! The nodes of the demo's chain, of `./tpv up` and of tests.

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name: of the cluster, of the variables in `.tpv/env`, and its `node_code`.
    pub code: &'static str,
    /// Its `node_id`.
    pub id: i32,
}

/// Central, under a number that no store has.
pub const CENTRAL: Node = Node { code: "CENTRAL", id: 100 };

/// The stores, by their numbers.
pub const STORES: [Node; 3] = [Node { code: "S01", id: 1 }, Node { code: "S02", id: 2 }, Node { code: "S03", id: 3 }];
