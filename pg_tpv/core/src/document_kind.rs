//! The kinds of documents, and the version of each kind's body.
//!
//! Nodes upgrade at different times. A document of a kind, or of a version of a kind, that a node
//! does not know is stored and waits, and documents of other kinds flow on: so each kind has a
//! version of its own. Whoever changes what a body says, or one byte of its canonical form, raises
//! the version of that kind (CONTRIBUTING.md, "Changing a document").

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A receipt in its canonical form.
    Receipt,
    /// What the store decided when a receipt came.
    Intake,
    /// A held receipt counts.
    Release,
    /// A receipt does not count.
    Void,
    /// The `.dat` of a receipt is taken back.
    Withdraw,
    /// The `.dat` of a receipt is made anew.
    Render,
    /// A business day is closed.
    DayClose,
}

/// Why a document cannot be read by this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Nobody here knows the kind.
    UnknownKind,
    /// The kind is known, and the version is newer.
    Newer,
}

use DocumentKind::{DayClose, Intake, Receipt, Release, Render, Void, Withdraw};

/// Every kind, its word on the wire, and the version of its body that this version of tpv writes.
const KINDS: [(DocumentKind, &str, i32); 7] = [
    (Receipt, "receipt", 1),
    (Intake, "intake", 1),
    (Release, "release", 1),
    (Void, "void", 1),
    (Withdraw, "withdraw", 1),
    (Render, "render", 1),
    (DayClose, "day_close", 1),
];

impl DocumentKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, ..)| *kind)
    }

    /// The word that stands for it on the wire.
    pub fn word(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// The version of bodies that is written, and the newest that can be read.
    pub fn schema_version(self) -> i32 {
        KINDS[self as usize].2
    }

    /// The kind of a document.
    ///
    /// # Errors
    /// Why it has to wait.
    pub fn read(word: &str, schema_version: i32) -> Result<Self, Unreadable> {
        let (kind, _, known) = KINDS.iter().find(|(_, known, _)| *known == word).ok_or(Unreadable::UnknownKind)?;
        if schema_version > *known { Err(Unreadable::Newer) } else { Ok(*kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_kind_at_its_place() {
        for (index, kind) in DocumentKind::all().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(DocumentKind::read(kind.word(), kind.schema_version()), Ok(kind));
        }
    }

    #[test]
    fn a_newer_version_of_a_kind_waits_and_another_kind_does_not() {
        for kind in DocumentKind::all() {
            assert_eq!(DocumentKind::read(kind.word(), kind.schema_version() + 1), Err(Unreadable::Newer));
        }
        assert_eq!(DocumentKind::read("redemption", 1), Err(Unreadable::UnknownKind));
        assert_eq!(DocumentKind::read("redemption", 9), Err(Unreadable::UnknownKind));
    }
}
