//! The chain of stores: its nodes, the plans by which they join, and a joined chain for one test.

mod joined;

pub use joined::{
    CENTRAL, Chain, Node, STORES, compare, conninfo, join, join_over, register_central, rejoin, rejoin_over,
};
