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
    let (patch_left, base_left) = (Left::of(patch), Left::of(base));
    if !patch_left.lost && !base_left.lost {
        return (patch.to_owned(), base.to_owned());
    }
    patch_left.blank_beside(base_left)
}

/// The patch and the base of an operation that is not believed: its number and its place stay, so
/// that a repeat of it is known, and no value. It says that it is blank even if it had none.
pub fn void_texts(patch: &str, base: &str) -> (String, String) {
    Left::of(patch).blank_beside(Left::of(base))
}

/// Whether values were taken out of an operation with this patch, or so it says.
pub fn is_blank(patch: &str) -> bool {
    Left::of(patch).is_blank
}

/// Whether two texts of one operation, patch and base, are those of the same operation, one of
/// which may have been blanked.
pub fn is_same_operation(a: (&str, &str), b: (&str, &str)) -> bool {
    let left = |(patch, base): (&str, &str)| (Left::of(patch), Left::of(base));
    let same = || {
        let (a, b) = (left(a), left(b));
        (a.0.is_blank || b.0.is_blank) && (a.0.members, a.1.members) == (b.0.members, b.1.members)
    };
    a == b || same()
}

/// What stays of a patch or a base.
struct Left {
    /// Without [`BLANK`], by name.
    members: Vec<(String, Value)>,
    /// Whether others were there.
    lost: bool,
    is_blank: bool,
}

impl Left {
    fn of(text: &str) -> Self {
        let Ok(Value::Object(mut members)) = json::read(text, MAX_DEPTH) else {
            return Self { members: Vec::new(), lost: true, is_blank: false };
        };
        let all = members.len();
        members.retain(|(name, _)| stays(name));
        let lost = members.len() < all;
        // What has values is not blank, whatever it says.
        let is_blank = !lost && members.contains(&(BLANK.to_owned(), Value::Bool(true)));
        members.retain(|(name, _)| name != BLANK);
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { members, lost, is_blank }
    }

    fn blank_beside(self, base: Self) -> (String, String) {
        let mut members = self.members;
        members.push((BLANK.to_owned(), Value::Bool(true)));
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        (Value::Object(members).to_canonical(), Value::Object(base.members).to_canonical())
    }
}
