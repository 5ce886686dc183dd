//! This database as a node: which one it is, its clock, its stores, and who acts here.

mod actor;
pub mod clock;
mod person;
pub mod store;
mod this_node;

pub use actor::acting;
pub use this_node::this_node;
