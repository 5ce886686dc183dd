//! Erasure: of an entity nothing is kept but that there was one.
//!
//! The operation that erases writes [`ERASED`]. From then on only registers with an `@` count;
//! every other one, with the names of the elements of its sets, is taken out of heads, patches and
//! bases. An operation that lost something says so with [`BLANK`]. Who wrote it, its number and its
//! stamp stay, so that a repeat of it is known.
//!
//! A register with an `@` never holds a value of a person. So what a later version reserves may
//! stay as it is.

use super::{MAX_DEPTH, Operation, Patch};
use crate::json::{self, Value};

/// Whether the entity was erased: `true`, for ever.
pub const ERASED: &str = "@erased";

/// In a patch, that what it wrote was taken out of it. It is no register.
pub const BLANK: &str = "@blank";

/// Whether a register stays when its entity is erased.
pub(super) fn stays(register: &str) -> bool {
    register.starts_with('@')
}

impl Operation {
    /// Whether it erases its entity.
    pub fn erases(&self) -> bool {
        self.patch.contains_key(ERASED)
    }

    /// What is left of it once its entity is erased.
    #[must_use]
    pub fn blanked(&self) -> Self {
        let mut blanked = self.clone();
        blanked.patch.retain(|register, _| stays(register));
        blanked.base.retain(|register, _| stays(register));
        blanked
    }

    /// The operation that erases, given what its writer saw of the registers that it writes.
    pub(super) fn erasing() -> Patch {
        Patch::from([(ERASED.to_owned(), Value::Bool(true)), (super::EXISTS.to_owned(), Value::Bool(false))])
    }
}

/// The patch and the base of a stored operation, as they are once its entity is erased. Done twice
/// it is as done once. It also blanks what cannot be read as an operation, or not by this version.
pub fn blank_texts(patch: &str, base: &str) -> (String, String) {
    let (patch_left, patch_lost) = without_values(patch);
    let (base_left, base_lost) = without_values(base);
    if !patch_lost && !base_lost {
        return (patch.to_owned(), base.to_owned());
    }
    let mut members = patch_left;
    members.retain(|(name, _)| name != BLANK);
    members.push((BLANK.to_owned(), Value::Bool(true)));
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    (Value::Object(members).to_canonical(), Value::Object(base_left).to_canonical())
}

/// Whether two texts of one operation, patch and base, are those of the same operation, one of
/// which may have been blanked.
pub fn is_same_operation(a: (&str, &str), b: (&str, &str)) -> bool {
    let is_blank = |(patch, _): (&str, &str)| {
        without_values(patch).0.iter().any(|(name, value)| name == BLANK && *value == Value::Bool(true))
    };
    a == b || ((is_blank(a) || is_blank(b)) && blank_texts(a.0, a.1) == blank_texts(b.0, b.1))
}

/// The members that stay, and whether others were there.
fn without_values(text: &str) -> (Vec<(String, Value)>, bool) {
    match json::read(text, MAX_DEPTH) {
        Ok(Value::Object(mut members)) => {
            let all = members.len();
            members.retain(|(name, _)| stays(name));
            let lost = members.len() < all;
            (members, lost)
        }
        _ => (Vec::new(), true),
    }
}
