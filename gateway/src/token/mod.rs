//! Tokens: what they say, how they are written, and whether they hold.

pub mod access;
pub mod claims;
pub mod provider;
pub mod refresh;
