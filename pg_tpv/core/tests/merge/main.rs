//! The merge, over causal histories on several nodes.

// Clippy knows functions marked as tests, not what they call; a test that cannot go on should say
// so at once.
#![allow(clippy::unwrap_used)]

mod histories;
mod node;
mod script;
mod snapshot;
mod view;
mod world;
