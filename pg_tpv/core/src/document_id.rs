//! The identity of a document.
//!
//! The id of a document is derived from what it identifies, so that the same file, ingested again
//! after whatever disaster, is the same document. It is a uuid v8 (RFC 9562) that begins with a
//! time which the document itself says, so that keys grow as days go by and an index is written at
//! its end:
//!
//! ```text
//! 20261128-1000-8hhh-vhhh-hhhhhhhhhhhh
//! ```
//!
//! | bits | hold |
//! | --- | --- |
//! | 0 to 47 | the local date and minute, one decimal digit in four bits: the 28th of November 2026, 10:00 |
//! | 48 to 51 | the version, 8 |
//! | 52 to 63 | the first 12 bits of a SHA-256 over what identifies the document |
//! | 64, 65 | the variant, binary 10 |
//! | 66 to 127 | 62 more bits of the SHA-256 |
//!
//! The time of a receipt is that on the store's wall clock when it was printed; that of a document
//! about a receipt is the receipt's; that of a document about a day is the beginning of that day.
//! None of them depends on when a document arrives.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::document_kind::DocumentKind;
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
    /// The document id of the receipt under this key, printed at that time on the store's wall
    /// clock.
    pub fn document_id(&self, printed: NaiveDateTime) -> Uuid {
        self.derive(printed, &[])
    }

    /// The document id of another receipt under the same, taken key: its content is part of its
    /// identity.
    pub fn conflicting_document_id(&self, printed: NaiveDateTime, content_hash: &Hash) -> Uuid {
        self.derive(printed, &[content_hash])
    }

    /// The document id of a receipt whose printed date identifies nothing: its content and the day
    /// on which it first arrived do. `nth` tells those of one day and one content apart, from 0.
    pub fn undated_document_id(
        &self,
        printed: NaiveDateTime,
        content_hash: &Hash,
        arrived_on: NaiveDate,
        nth: usize,
    ) -> Uuid {
        let (arrived_on, nth) = (arrived_on.to_string(), nth.to_string());
        self.derive(printed, &[content_hash, arrived_on.as_bytes(), nth.as_bytes()])
    }

    fn derive(&self, printed: NaiveDateTime, more: &[&[u8]]) -> Uuid {
        let node = self.node_id.to_string();
        let date = self.printed_date.to_string();
        let parts: [&[u8]; 6] = [
            node.as_bytes(),
            b"receipt",
            self.terminal.as_bytes(),
            date.as_bytes(),
            self.series.as_bytes(),
            self.number.as_bytes(),
        ];
        derived_id(digits_of(printed), parts.iter().chain(more))
    }
}

/// The id of a document about another one (`release`, `void`, …), which begins as that one's. `nth`
/// tells repeated ones apart; 0 where a repeat says nothing new.
pub fn document_about(node_id: i32, kind: DocumentKind, about: Uuid, nth: i64) -> Uuid {
    let (node, nth) = (node_id.to_string(), nth.to_string());
    let parts: [&[u8]; 4] = [node.as_bytes(), kind.word().as_bytes(), about.as_bytes(), nth.as_bytes()];
    derived_id(time_of(about), parts.iter())
}

/// The id of a document about a business day of a node (`day_close`), which begins with that day.
pub fn document_of_day(node_id: i32, kind: DocumentKind, date: NaiveDate) -> Uuid {
    let (node, day) = (node_id.to_string(), date.to_string());
    let parts: [&[u8]; 3] = [node.as_bytes(), kind.word().as_bytes(), day.as_bytes()];
    derived_id(digits_of(date.and_time(NaiveTime::MIN)), parts.iter())
}

/// How many bytes of an id are its time.
const TIME: usize = 6;

/// The time that an id begins with.
fn time_of(id: Uuid) -> [u8; TIME] {
    let [a, b, c, d, e, f, ..] = id.into_bytes();
    [a, b, c, d, e, f]
}

/// The minute as twelve decimal digits, two in a byte. Years have four, as every time that a
/// receipt can say does.
fn digits_of(time: NaiveDateTime) -> [u8; TIME] {
    let year = time.year().clamp(0, 9999).unsigned_abs();
    let two = |number: u32| (number / 10 % 10 * 16 + number % 10) as u8;
    [two(year / 100), two(year % 100), two(time.month()), two(time.day()), two(time.hour()), two(time.minute())]
}

/// The time, then the SHA-256 of the parts, each preceded by its length so that no two lists
/// collide.
fn derived_id<'p>(time: [u8; TIME], parts: impl Iterator<Item = &'p &'p [u8]>) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u32).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut bytes = [0; 16];
    bytes[..TIME].copy_from_slice(&time);
    bytes[TIME..].copy_from_slice(&digest[..16 - TIME]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use uuid::Variant;

    use super::*;
    use crate::hash_chain::sha256;

    fn key(number: &str, series: &str) -> ReceiptKey {
        ReceiptKey {
            node_id: 7,
            terminal: "T01".into(),
            printed_date: at().date(),
            series: series.into(),
            number: number.into(),
        }
    }

    fn at() -> NaiveDateTime {
        "2026-06-30T22:15:59".parse().unwrap()
    }

    #[test]
    fn an_id_begins_with_the_printed_minute_and_is_a_uuid_of_version_8() {
        let id = key("123", "").document_id(at());
        assert_eq!(id, key("123", "").document_id(at()));
        assert!(id.to_string().starts_with("20260630-2215-8"), "{id}");
        assert_eq!((id.get_version_num(), id.get_variant()), (8, Variant::RFC4122));
        let about = document_about(7, DocumentKind::Void, id, 0);
        assert!(about.to_string().starts_with("20260630-2215-8"), "{about}");
        let day = document_of_day(7, DocumentKind::DayClose, at().date());
        assert!(day.to_string().starts_with("20260630-0000-8"), "{day}");
    }

    #[test]
    fn parts_that_read_alike_when_joined_give_different_ids() {
        assert_ne!(key("23", "1").document_id(at()), key("3", "12").document_id(at()));
    }

    #[test]
    fn other_content_under_a_taken_key_has_an_id_of_its_own() {
        let (key, a, b) = (key("123", ""), sha256(b"a"), sha256(b"b"));
        assert_ne!(key.document_id(at()), key.conflicting_document_id(at(), &a));
        assert_ne!(key.conflicting_document_id(at(), &b), key.conflicting_document_id(at(), &a));
    }

    #[test]
    fn the_day_of_arrival_is_part_of_what_a_date_does_not_identify() {
        let (key, a) = (key("123", ""), sha256(b"a"));
        let day = at().date();
        let id = |day, nth| key.undated_document_id(at(), &a, day, nth);
        assert_eq!(id(day, 0), id(day, 0));
        assert_ne!(id(day, 0), id(day.succ_opt().unwrap(), 0));
        assert_ne!(id(day, 0), id(day, 1));
        assert_ne!(id(day, 0), key.conflicting_document_id(at(), &a));
    }

    fn minute() -> impl Strategy<Value = NaiveDateTime> {
        (1..=9999_i32, 1..=366_u32, 0..1440_u32, 0..60_u32).prop_filter_map("a day", |(year, day, minute, second)| {
            NaiveDate::from_yo_opt(year, day)?.and_hms_opt(minute / 60, minute % 60, second)
        })
    }

    fn any_key() -> impl Strategy<Value = (ReceiptKey, NaiveDateTime)> {
        // Few values, so that parts of keys are often alike.
        (1..3_i32, "T0[12]", "[AB]?", "[0-9A-C]{1,2}", minute()).prop_map(|(node_id, terminal, series, number, at)| {
            (ReceiptKey { node_id, terminal, printed_date: at.date(), series, number }, at)
        })
    }

    proptest! {
        #[test]
        fn ids_sort_by_the_printed_minute(a in any_key(), b in any_key()) {
            let minute = |at: NaiveDateTime| at.with_second(0);
            let (one, two) = (a.0.document_id(a.1), b.0.document_id(b.1));
            if minute(a.1) != minute(b.1) {
                prop_assert_eq!(one.cmp(&two), a.1.cmp(&b.1));
            }
            prop_assert_eq!((one.get_version_num(), one.get_variant()), (8, Variant::RFC4122));
            prop_assert!(document_about(a.0.node_id, DocumentKind::Intake, one, 0).as_bytes()[..TIME] == one.as_bytes()[..TIME]);
        }

        #[test]
        fn two_receipts_have_one_id_only_if_they_are_one(
            keys in prop::collection::vec(any_key(), 1..200), minute in minute(), nth in 0..3_usize,
        ) {
            // All in one minute, where nothing but the hash tells them apart.
            let mut seen = HashMap::new();
            for (key, _) in keys {
                let key = ReceiptKey { printed_date: minute.date(), ..key };
                let content = sha256(key.number.as_bytes());
                for (variant, id) in [
                    (0, key.document_id(minute)),
                    (1, key.conflicting_document_id(minute, &content)),
                    (2 + nth, key.undated_document_id(minute, &content, minute.date(), nth)),
                ] {
                    let identity = (key.clone(), variant);
                    prop_assert_eq!(&*seen.entry(id).or_insert_with(|| identity.clone()), &identity);
                }
            }
        }
    }
}
