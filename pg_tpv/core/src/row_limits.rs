//! How large a row that crosses the line may be, by octets, so that it is known before anything of
//! it is read. A row beyond that is refused where it arrives. Whoever makes a row keeps to the same
//! limits, so that no session of an honest node makes what its peers refuse.
//!
//! They are no settings: two nodes with different limits would differ in what they believe.

use std::fmt;

use crate::document_kind::DocumentKind;
use crate::merge::MAX_DEPTH;

/// A column of a wire table, and how much may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its place in the table, from 0.
    pub place: usize,
    /// Its name there.
    pub name: &'static str,
    /// What it may have at most.
    pub octets: usize,
    /// Whether it is a text, and so UTF-8.
    pub is_text: bool,
}

const fn column(place: usize, name: &'static str, octets: usize) -> Column {
    Column { place, name, octets, is_text: true }
}

const fn hash(place: usize, name: &'static str) -> Column {
    Column { place, name, octets: HASH, is_text: false }
}

/// A name: of a table, a kind, a hash chain, a version. All of them are in indexes, which take 2.7
/// kB a row.
pub const NAME: usize = 200;

/// A key is a uuid; whatever else is in its place is kept in an index all the same.
pub const KEY: usize = 200;

/// The patch of an operation. A hundred times the longest row that people write. Reading JSON takes
/// up to two hundred times its size.
pub const PATCH: usize = 256 * 1024;

/// The base of an operation: it names the registers of its patch again, and versions.
pub const BASE: usize = 2 * PATCH;

/// Versions that an operation names. In a chain of a hundred stores a register has a hundred heads
/// at most, unless somebody forges them.
pub const VERSIONS: usize = 4096;

/// Arrays in the text of a base: one for each register, and one for each version.
pub const BASE_ARRAYS: usize = 4 * VERSIONS;

/// The body of a document: twice the largest receipt that is taken.
pub const DOCUMENT: usize = 8 * 1024 * 1024;

/// The body of any other document: a decision with its reason, or what was odd about a receipt. The
/// state of a receipt is worked out of all of them.
pub const OTHER_DOCUMENT: usize = 64 * 1024;

/// What is sent again at once. A document is escaped there once more, which doubles it at most.
pub const RESEND: usize = 32 * 1024 * 1024;

/// A request of a peer.
pub const REQUEST: usize = 1024 * 1024;

/// Arrays and objects inside one another in what is sent again. PostgreSQL reads it by recursion.
pub const DEPTH: usize = 128;

/// Hash chains in a heartbeat: ten thousand and more.
const CHAINS: usize = 2 * 1024 * 1024;

/// So many hash chains of a peer are known: as many as one heartbeat can name.
pub const CHAINS_OF_PEER: usize = 20_000;

/// The rest of a heartbeat.
const BEAT: usize = 64 * 1024;

/// A SHA-256 is 32.
const HASH: usize = 64;

/// Columns of `wire.doc`.
pub const OF_DOCUMENT: [Column; 5] = [
    column(3, "kind", NAME),
    column(7, "chain", NAME),
    hash(9, "prev_hash"),
    column(10, "body", DOCUMENT),
    hash(11, "content_hash"),
];

/// Columns of `wire.op`.
pub const OF_OPERATION: [Column; 4] =
    [column(3, "table_name", NAME), column(4, "key", KEY), column(5, "patch", PATCH), column(6, "base", BASE)];

/// Columns of `wire.beat`.
pub const OF_BEAT: [Column; 4] =
    [column(4, "ops", BEAT), column(5, "chains", CHAINS), column(6, "version", NAME), column(7, "more", BEAT)];

/// Columns of `wire.resend`.
pub const OF_RESEND: [Column; 2] = [column(4, "kind", NAME), column(5, "body", RESEND)];

/// A row from this size on makes an apply worker give its memory back.
pub const LARGE: usize = 512 * 1024;

/// Of a refused row a longer value is kept as its size and its hash.
pub const KEPT_VALUE: usize = 64 * 1024;

/// So many refused rows of a peer are kept on a day. Further ones are counted.
pub const KEPT_A_DAY: i64 = 200;

/// So far beyond a gap in the numbers of a store central takes its operations.
pub const BEYOND_GAP: i64 = 10_000;

/// So many rows of a store may wait at central. What would wait beyond that is not taken, and comes
/// again by comparing.
pub const WAITING: i64 = 10_000;

/// So many of them may be operations that cannot be read: every snapshot names them.
pub const UNREAD: i64 = 1000;

/// So many versions that are missing at central may operations of one store name.
pub const AWAITED: i64 = 100_000;

/// So many rows a store may erase on a day, as central counts. What it erases beyond that waits for a
/// person: an erasure is for ever. Its sessions are refused at fewer (`sync.erase`), so that several
/// days without a line may come at once.
pub const ERASED_A_DAY: i64 = 1000;

/// So many of them wait. Further ones are refused as other rows are.
pub const ERASURES_KEPT: i64 = 10_000;

/// What a row has more of than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The column.
    pub column: &'static str,
    /// `octets`, `versions`, `levels` …
    pub unit: &'static str,
    /// How many it has.
    pub has: usize,
    /// How many it may have.
    pub most: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, unit, has, most } = self;
        write!(f, "its column {column} has {has} {unit}, and may have {most}")
    }
}

impl Column {
    /// Checks how many octets it has.
    ///
    /// # Errors
    /// They are too many.
    pub fn check(&self, octets: usize) -> Result<(), TooLarge> {
        at_most(self.name, "octets", octets, self.octets)
    }

    /// Whether these octets can be what PostgreSQL keeps in it. A peer whose type `text` has lost its
    /// function for sending sends texts that nobody has looked at; passed on, they would stop the
    /// stream of whoever does look.
    pub fn takes(&self, octets: &[u8]) -> bool {
        !self.is_text || std::str::from_utf8(octets).is_ok_and(|text| !text.contains('\0'))
    }
}

/// Checks one number.
///
/// # Errors
/// It is more than it may be.
pub(crate) fn at_most(column: &'static str, unit: &'static str, has: usize, most: usize) -> Result<(), TooLarge> {
    if has <= most { Ok(()) } else { Err(TooLarge { column, unit, has, most }) }
}

/// Checks how many versions a base names, by its text: each is an array in it.
///
/// # Errors
/// There are more than any chain has.
pub fn check_base(text: &str) -> Result<(), TooLarge> {
    let arrays = text.bytes().filter(|byte| *byte == b'[').count();
    at_most("base", "arrays", arrays, BASE_ARRAYS)
}

/// Checks what is sent again.
///
/// # Errors
/// It is larger than what this kind may have, or has more levels.
pub fn check_resend(kind: &str, body: &str) -> Result<(), TooLarge> {
    let most = if kind == "request" { REQUEST } else { RESEND };
    at_most("body", "octets", body.len(), most)?;
    at_most("body", "levels", depth(body), DEPTH)
}

/// Checks an operation where it is made.
///
/// # Errors
/// Its peers would refuse it.
pub fn check_operation(table_name: &str, key: &str, patch: &str, base: &str) -> Result<(), TooLarge> {
    let texts = [table_name, key, patch, base];
    OF_OPERATION.iter().zip(texts).try_for_each(|(column, text)| column.check(text.len()))?;
    check_base(base)?;
    at_most("patch", "levels", depth(patch), MAX_DEPTH)
}

/// Checks the body of a document, where it is made and where it arrives.
///
/// # Errors
/// It is larger than what a document of that kind may have.
pub fn check_document(kind: &str, body: &str) -> Result<(), TooLarge> {
    let most = if kind == DocumentKind::Receipt.word() { DOCUMENT } else { OTHER_DOCUMENT };
    at_most("body", "octets", body.len(), most)
}

/// How many arrays and objects stand inside one another in a JSON text. Of what is no JSON it says
/// something all the same.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;
    use crate::merge::{Draft, Entity, Head, Operation, Patch, Version};

    fn operation(value: Value) -> Operation {
        let patch = Patch::from([("note".to_owned(), value)]);
        Draft::write(&Entity::default(), patch).stamped(Version { node_id: 1, seq: 1 }, 1)
    }

    fn check(operation: &Operation) -> Result<(), TooLarge> {
        check_operation("party.customer", "k", &operation.patch_text(), &operation.base_text())
    }

    #[test]
    fn a_patch_of_the_largest_size_is_made_and_one_octet_more_is_not() {
        let room = PATCH - r#"{"note":""}"#.len();
        let text = |octets| Value::String("x".repeat(octets));
        assert_eq!(check(&operation(text(room))), Ok(()));
        let told = check(&operation(text(room + 1))).unwrap_err();
        assert_eq!(told.to_string(), "its column patch has 262145 octets, and may have 262144");
    }

    #[test]
    fn a_value_is_as_deep_as_a_peer_can_read() {
        let nested = |levels| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let read = |operation: &Operation| {
            Operation::from_text(operation.version, 1, &operation.patch_text(), &operation.base_text()).is_ok()
        };
        // The patch itself is a level.
        for levels in [0, 10, 62, 63, 64, 100] {
            let made = operation(nested(levels));
            assert_eq!(check(&made).is_ok(), read(&made), "{levels} levels");
        }
    }

    /// Somebody has forged more heads than a base may name: a write replaces some of them, and the
    /// next write the rest.
    #[test]
    fn whoever_writes_over_too_many_heads_replaces_as_many_as_a_base_may_name() {
        let head = |seq| Head { version: Version { node_id: 2, seq }, hlc: seq, value: Value::Null };
        let forged = (1..=i64::try_from(VERSIONS).unwrap() + 10).map(head).collect();
        let mut entity = Entity([("note".to_owned(), forged)].into());
        let mut left = Vec::new();
        for seq in 1..=2 {
            let patch = Patch::from([("note".to_owned(), Value::Bool(true))]);
            let written = Draft::write(&entity, patch).stamped(Version { node_id: 1, seq }, 1);
            assert_eq!(check(&written), Ok(()));
            entity.advance(&written, |_| false);
            left.push(entity.heads("note").len());
        }
        assert_eq!(left, [11, 1]);
    }

    #[test]
    fn a_base_with_a_million_versions_is_refused_by_its_text() {
        let versions = (0..1_000_000).map(|n| format!("[1,{n}]")).collect::<Vec<_>>().join(",");
        assert!(check_base(&format!("{{\"note\":[{versions}]}}")).is_err());
        assert_eq!(check_base(r#"{"note":[[1,1],[2,1]],"tags/[[":[[1,1]]}"#), Ok(()));
    }

    #[test]
    fn a_text_is_utf_8_without_a_nul_and_a_hash_is_anything() {
        let [kind, _, prev_hash, ..] = OF_DOCUMENT;
        assert!(kind.takes("cáñamo €".as_bytes()) && kind.takes(b""));
        for wrong in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"a\0"] {
            assert!(!kind.takes(wrong) && prev_hash.takes(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn levels_are_counted_outside_of_texts() {
        assert_eq!(depth(r#"{"a":["[[[\"[[",{}]}"#), 3);
        assert_eq!(depth("]]]"), 0);
        let deep = "[".repeat(200_000);
        assert_eq!(check_resend("operations", &deep).unwrap_err().unit, "levels");
    }

    #[test]
    fn a_receipt_may_be_large_and_what_is_said_about_one_may_not() {
        let body = |octets| "x".repeat(octets);
        assert_eq!(check_document("receipt", &body(DOCUMENT)), Ok(()));
        assert!(check_document("receipt", &body(DOCUMENT + 1)).is_err());
        for kind in DocumentKind::all().map(DocumentKind::word).chain(["of a later version"]) {
            assert_eq!(check_document(kind, &body(OTHER_DOCUMENT)), Ok(()));
            assert_eq!(check_document(kind, &body(OTHER_DOCUMENT + 1)).is_ok(), kind == "receipt", "{kind}");
        }
    }

    #[test]
    fn a_request_is_smaller_than_what_is_sent_again() {
        let body = format!("\"{}\"", "x".repeat(REQUEST));
        assert!(check_resend("request", &body).is_err());
        assert_eq!(check_resend("documents", &body), Ok(()));
    }
}
