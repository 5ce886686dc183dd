//! Tells a life to real nodes.
//!
//! A store is registered at its own database, before it joins. What the chain decides is written at
//! central, once its stores have joined: taxes, products, departments, terminals. A store that is
//! alone gets both. Files are handed in under names of the archive, so that a life that is over is
//! believed, day by day.

mod furnish;
mod player;

pub use furnish::{furnish, register_store};
pub use player::Player;
