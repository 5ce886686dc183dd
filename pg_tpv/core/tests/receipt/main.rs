//! What a terminal may drop, and what is right for it.

// Clippy knows functions marked as tests, not what they call; a test that cannot go on should say
// so at once.
#![allow(clippy::unwrap_used)]

mod canonical;
mod files;
mod judge;
mod numbers;
mod properties;
mod texts;
