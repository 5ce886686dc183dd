//! Passwords: which ones are taken, and how they are hashed without hurting anybody else.

pub mod accepted;
pub mod hashing;
