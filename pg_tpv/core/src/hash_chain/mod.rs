//! The hash chain of documents: each document names the hash of the one before, so the same head
//! means the same past.

mod link;
mod name;

pub use link::{GENESIS, Hash, Link, next_hlc, sha256};
pub use name::{ChainName, NamedBy, Owner};
