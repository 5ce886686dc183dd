//! The identity of a document.
//!
//! The id of a document is derived from what it identifies, so that the same file, ingested again
//! after whatever disaster, is the same document.

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::hash_chain::Hash;

/// What makes a receipt the one it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReceiptKey {
    /// The node that ingested it.
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

    /// The document id of another receipt under the same, taken key: its content is part of its
    /// identity.
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

/// The id of a document about another one (`release`, `void`, …). `nth` tells repeated ones apart;
/// 0 where a repeat says nothing new.
pub fn document_about(node_id: i32, kind: &str, about: Uuid, nth: i64) -> Uuid {
    derived_id(&[node_id.to_string().as_bytes(), kind.as_bytes(), about.as_bytes(), nth.to_string().as_bytes()])
}

/// The id of a document about a business day of a node (`day_close`).
pub fn document_of_day(node_id: i32, kind: &str, date: NaiveDate) -> Uuid {
    derived_id(&[node_id.to_string().as_bytes(), kind.as_bytes(), date.to_string().as_bytes()])
}

/// A uuid v8 (RFC 9562) from the SHA-256 of the parts, each preceded by its length so that no two
/// lists collide.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash_chain::sha256;

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
}
