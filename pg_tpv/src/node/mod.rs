//! This database as a node: which one it is, its clock, the life of its server, its stores, and who
//! acts here.

mod actor;
pub mod clock;
mod durable;
pub mod life;
mod person;
pub mod store;
mod this_node;

pub use actor::acting;
pub use this_node::this_node;
