//! What an entity is, given all the operations on it, in whatever order and however often they
//! arrived.
//!
//! An *entity* is one row of a tracked table with all that was written about it. Each of its
//! columns, or groups of columns, is a *register*: the word of the literature on replicated data
//! types for a variable that is overwritten as a whole. (It has nothing to do with
//! `org.register_…`.) An operation says which registers it writes and, for each, which versions its
//! writer saw. The *heads* of a register are the operations that no other one names. So whoever
//! wrote with knowledge of a value replaces it, whatever the clocks say, and what remains was
//! written concurrently. A policy chooses among all heads at once; a contest of pairs would depend
//! on which pair met first.
//!
//! Policies decide between concurrent values and nothing else: who saw `none` and writes `all` has
//! replaced it, under `least` as well. What must never be undone has to be refused where it is
//! written.
//!
//! Each element of a set is a register of its own ([`Element`]). Three registers are reserved:
//! [`EXISTS`], [`ALIAS`] and [`ERASED`].

mod alias;
mod choose;
mod draft;
mod element;
mod entitlement;
mod entity;
mod erasure;
mod fault;
mod heads;
mod key;
mod knowledge;
mod limits;
mod operation;
mod order;
mod prune;
mod rule;
mod scale;
mod share;
mod states;
mod undo;
mod vector;
mod version;

pub use alias::resolve_alias;
use choose::choose;
pub use choose::{Choice, Context};
pub use draft::Draft;
pub use element::{Element, SetRule, as_set, set_of};
pub use entitlement::{Claim, Decider, Joined, Verdict, is_own_row, set_aside, who_decides};
pub use entity::{Entity, Merged, merge};
pub use erasure::{BLANK, ERASED, blank_texts, is_blank, is_same_operation, void_texts};
pub use fault::MergeFault;
pub use heads::{Fate, Head, fates};
use heads::{advance, heads};
pub use key::check_key;
pub use knowledge::Knowledge;
pub use limits::{Limits, MOST_NUMBER, Of};
pub use operation::{Operation, Patch};
use order::compare;
pub use prune::may_leave;
pub use rule::{Rule, Rules};
use scale::Scale;
pub use share::Share;
pub use states::merge_states;
pub use undo::{Before, Undo, WrittenSince};
pub use vector::Vector;
pub use version::Version;
use version::{Base, base_from_text, base_to_text};

/// Whether the entity exists: `true` from a create or an undelete, `false` from a delete.
pub const EXISTS: &str = "@exists";

/// The key of the entity that this one became when both turned out to be the same; `null` when it
/// is itself.
pub const ALIAS: &str = "@alias";

/// Arrays and objects inside one another, at most, in an operation or a rule.
pub const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
