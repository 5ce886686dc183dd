//! The hash by which a document names the one before.

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands in `prev_hash` of the first document of a chain.
pub const GENESIS: Hash = [0; 32];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The stamp of the next document of a chain: the node's clock, unless that was set back behind the
/// document before.
pub fn next_hlc(previous: i64, clock: i64) -> i64 {
    clock.max(previous.saturating_add(1))
}

/// The hash by which the next document of the chain names this one:
/// SHA-256 of `prev_hash || content_hash || 'node/chain/seq/doc_id/kind/business_date'`.
///
/// It can be written in SQL, so that an auditor needs no code of ours.
pub struct Link<'a> {
    /// The node that wrote the document.
    pub node_id: i32,
    /// The name of the chain, as it is written: see [`super::ChainName`].
    pub chain: &'a str,
    /// Place in the chain, from 1.
    pub chain_seq: i64,
    /// The document.
    pub doc_id: Uuid,
    /// `receipt`, `intake`, `release` …
    pub kind: &'a str,
    /// The day the document belongs to.
    pub business_date: NaiveDate,
    /// The link hash of the document before.
    pub prev_hash: &'a [u8],
    /// SHA-256 of the body.
    pub content_hash: &'a [u8],
}

impl Link<'_> {
    /// The link hash.
    pub fn hash(&self) -> Hash {
        let Link { node_id, chain, chain_seq, doc_id, kind, business_date, .. } = self;
        let mut hasher = Sha256::new();
        hasher.update(self.prev_hash);
        hasher.update(self.content_hash);
        hasher.update(format!("{node_id}/{chain}/{chain_seq}/{doc_id}/{kind}/{business_date}"));
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_of_a_chain_only_grow() {
        assert_eq!(next_hlc(0, 7), 7);
        assert_eq!(next_hlc(7, 7), 8);
        assert_eq!(next_hlc(7, 3), 8);
    }

    #[test]
    fn a_link_commits_to_every_part_of_the_document() {
        let doc_id = Uuid::nil();
        let date = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
        let link = |chain, chain_seq, kind, prev: &Hash, content: &Hash| {
            Link {
                node_id: 7,
                chain,
                chain_seq,
                doc_id,
                kind,
                business_date: date,
                prev_hash: prev,
                content_hash: content,
            }
            .hash()
        };
        let content = sha256(b"x");
        let base = link("T01", 1, "receipt", &GENESIS, &content);
        assert_ne!(base, link("T02", 1, "receipt", &GENESIS, &content));
        assert_ne!(base, link("T01", 2, "receipt", &GENESIS, &content));
        assert_ne!(base, link("T01", 1, "void", &GENESIS, &content));
        assert_ne!(base, link("T01", 1, "receipt", &content, &content));
        assert_ne!(base, link("T01", 1, "receipt", &GENESIS, &sha256(b"y")));
    }
}
