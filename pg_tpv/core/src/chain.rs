//! Who a document is and how documents hang together.
//!
//! A document's id is derived from what it identifies, so that the same file taken in again, after whatever disaster,
//! is the same document. Documents of one terminal form a chain: each names the hash of the one before, so the same
//! head means the same past.

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

/// What makes a receipt the one it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReceiptKey {
    /// The node that took it in.
    pub node_id: i32,
    /// The terminal's code.
    pub terminal: String,
    /// The local date that the terminal printed.
    pub printed_date: NaiveDate,
    /// The ticket series; empty when the terminal has none.
    pub series: String,
    /// The ticket number as printed.
    pub number: String,
}

impl ReceiptKey {
    /// The document id of the receipt under this key.
    pub fn document_id(&self) -> Uuid {
        self.derive(&[])
    }

    /// The document id of another receipt under the same, taken key: its content is part of its identity.
    pub fn conflicting_document_id(&self, content_hash: &Hash) -> Uuid {
        self.derive(content_hash)
    }

    fn derive(&self, content_hash: &[u8]) -> Uuid {
        let node = self.node_id.to_string();
        let date = self.printed_date.to_string();
        derived_id(&[
            node.as_bytes(),
            b"receipt",
            self.terminal.as_bytes(),
            date.as_bytes(),
            self.series.as_bytes(),
            self.number.as_bytes(),
            content_hash,
        ])
    }
}

/// The id of a document about another one (`release`, `void`, …). `nth` tells repeated ones apart; 0 where a repeat
/// says nothing new.
pub fn document_about(node_id: i32, kind: &str, about: Uuid, nth: i64) -> Uuid {
    derived_id(&[node_id.to_string().as_bytes(), kind.as_bytes(), about.as_bytes(), nth.to_string().as_bytes()])
}

/// The id of a document about a business day of a node (`day_close`).
pub fn document_of_day(node_id: i32, kind: &str, date: NaiveDate) -> Uuid {
    derived_id(&[node_id.to_string().as_bytes(), kind.as_bytes(), date.to_string().as_bytes()])
}

/// The stamp of the next document of a chain: the node's clock, unless that was set back behind the document before.
pub fn next_hlc(previous: i64, clock: i64) -> i64 {
    clock.max(previous.saturating_add(1))
}

/// A uuid v8 (RFC 9562) from the SHA-256 of the parts, each preceded by its length so that no two lists collide.
fn derived_id(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u32).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

/// The hash by which the next document of the chain names this one:
/// SHA-256 of `prev_hash || content_hash || 'node/chain/seq/doc_id/kind/business_date'`.
///
/// It can be written in SQL, so that an auditor needs no code of ours.
pub struct Link<'a> {
    /// The node that wrote the document.
    pub node_id: i32,
    /// The terminal's code, or empty for the node's own documents.
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

    fn key(number: &str, series: &str) -> ReceiptKey {
        ReceiptKey {
            node_id: 7,
            terminal: "T01".into(),
            printed_date: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(),
            series: series.into(),
            number: number.into(),
        }
    }

    #[test]
    fn the_same_key_gives_the_same_version_8_id() {
        let id = key("123", "").document_id();
        assert_eq!(id, key("123", "").document_id());
        assert_eq!(id.get_version_num(), 8);
    }

    #[test]
    fn parts_that_read_alike_when_joined_give_different_ids() {
        assert_ne!(key("23", "1").document_id(), key("3", "12").document_id());
    }

    #[test]
    fn other_content_under_a_taken_key_has_an_id_of_its_own() {
        let key = key("123", "");
        assert_ne!(key.document_id(), key.conflicting_document_id(&sha256(b"a")));
        assert_ne!(key.conflicting_document_id(&sha256(b"b")), key.conflicting_document_id(&sha256(b"a")));
    }

    #[test]
    fn time_stamps_of_a_chain_only_grow() {
        assert_eq!(next_hlc(0, 7), 7);
        assert_eq!(next_hlc(7, 7), 8);
        assert_eq!(next_hlc(7, 3), 8);
    }

    #[test]
    fn a_link_commits_to_every_part_of_the_document() {
        let doc_id = key("1", "").document_id();
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
