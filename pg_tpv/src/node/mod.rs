//! This database as a node: which one it is, its clock, and what a session remembers of stores.

pub mod clock;
pub mod store;
mod this_node;

pub use this_node::this_node;
