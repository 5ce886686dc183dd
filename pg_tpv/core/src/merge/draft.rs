use std::collections::BTreeSet;

use super::{Base, Entity, Operation, Patch, Version};
use crate::row_limits;

/// An operation before it has its place in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    patch: Patch,
    /// What its writer sees.
    base: Base,
}

impl Draft {
    /// Writes `patch` with knowledge of all that `entity` holds, so that it replaces every head of
    /// what it writes. Where somebody has forged more heads than a base may name
    /// ([`row_limits::VERSIONS`]), it replaces as many, and the rest stays in conflict with it.
    pub fn write(entity: &Entity, patch: Patch) -> Self {
        let mut left = row_limits::VERSIONS;
        let seen = |register: &String| {
            let heads = entity.heads(register).iter().take(left);
            let versions: BTreeSet<_> = heads.map(|head| head.version).collect();
            left -= versions.len();
            (!versions.is_empty()).then(|| (register.clone(), versions))
        };
        let base = patch.keys().filter_map(seen).collect();
        Self { patch, base }
    }

    /// Writes the value of one head of `register` over all of them: a person makes a losing value
    /// win. `None` when `loser` is no head, since somebody has replaced it in the meantime.
    pub fn resolve_conflict(entity: &Entity, register: &str, loser: Version) -> Option<Self> {
        let head = entity.heads(register).iter().find(|head| head.version == loser)?;
        Some(Self::write(entity, Patch::from([(register.to_owned(), head.value.clone())])))
    }

    /// Erases the entity.
    pub fn erase(entity: &Entity) -> Self {
        Self::write(entity, Operation::erasing())
    }

    /// The operation, once it has a version and a stamp.
    pub fn stamped(self, version: Version, hlc: i64) -> Operation {
        Operation { version, hlc, patch: self.patch, base: self.base }
    }
}
