use std::collections::{BTreeMap, BTreeSet};

use super::element::{Element, SetRule};
use super::erasure::stays;
use super::{ALIAS, BLANK, Base, ERASED, EXISTS, MAX_DEPTH, MergeFault, Version, base_from_text, base_to_text};
use crate::json::{self, Value};
use crate::problem::Place;

/// What an operation writes: a value for each register. That of a group of columns is an object.
pub type Patch = BTreeMap<String, Value>;

/// One decision about one entity, as a row of `wire.op` carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Who it is.
    pub version: Version,
    /// When it was written. It orders only what was concurrent.
    pub hlc: i64,
    /// What it writes.
    pub patch: Patch,
    /// The versions of these registers that its writer saw.
    pub base: Base,
}

impl Operation {
    /// Reads the two texts of a row of `wire.op`.
    ///
    /// # Errors
    /// The first fault in either.
    pub fn from_text(version: Version, hlc: i64, patch: &str, base: &str) -> Result<Self, MergeFault> {
        let operation = Self { version, hlc, patch: read_patch(patch)?, base: base_from_text(base)? };
        for (register, seen) in &operation.base {
            let place = Place::Root.key(register);
            // To name a value without writing another would leave the register with none.
            if !operation.patch.contains_key(register) {
                return Err(MergeFault::base(&place, "the patch does not write this"));
            }
            if seen.iter().any(|other| other.node_id == version.node_id && other.seq >= version.seq) {
                return Err(MergeFault::base(&place, "an operation can name only earlier ones of its node"));
            }
        }
        Ok(operation)
    }

    /// The operation, reduced to what it may do in a table that one node decides alone: it may
    /// replace values of others, but none of that node, and it erases nothing. Its value then
    /// stands beside that node's, whether its writer had seen it or not.
    #[must_use]
    pub fn subject_to(mut self, decider: i32) -> Self {
        if self.version.node_id != decider {
            self.patch.remove(ERASED);
            self.base.remove(ERASED);
            self.base.values_mut().for_each(|seen| seen.retain(|version| version.node_id != decider));
            self.base.retain(|_, seen| !seen.is_empty());
        }
        self
    }

    /// The patch as canonical JSON.
    pub fn patch_text(&self) -> String {
        Value::Object(self.patch.iter().map(|(register, value)| (register.clone(), value.clone())).collect())
            .to_canonical()
    }

    /// The base as canonical JSON.
    pub fn base_text(&self) -> String {
        base_to_text(&self.base)
    }

    /// All that the writer saw.
    pub fn names(&self) -> impl Iterator<Item = Version> {
        self.base.values().flatten().copied().collect::<BTreeSet<_>>().into_iter()
    }

    /// What the writer saw of a register.
    pub fn seen(&self, register: &str) -> &BTreeSet<Version> {
        static NOTHING: BTreeSet<Version> = BTreeSet::new();
        self.base.get(register).unwrap_or(&NOTHING)
    }
}

fn read_patch(text: &str) -> Result<Patch, MergeFault> {
    let value = json::read(text, MAX_DEPTH).map_err(|source| MergeFault::Json { part: "patch", source })?;
    let Value::Object(members) = value else {
        return Err(MergeFault::patch(&Place::Root, "this must be an object"));
    };
    if members.is_empty() {
        return Err(MergeFault::patch(&Place::Root, "an operation must write something"));
    }
    let (mut patch, mut is_blank) = (Patch::new(), false);
    for (register, mut value) in members {
        let place = Place::Root.key(&register);
        match (register.as_str(), &value) {
            (EXISTS, Value::Bool(_)) | (ALIAS, Value::Null | Value::String(_)) | (ERASED, Value::Bool(true)) => {}
            // What it wrote was taken out, so that it may write nothing now.
            (BLANK, Value::Bool(true)) => {
                is_blank = true;
                continue;
            }
            (EXISTS, _) => return Err(MergeFault::patch(&place, "this must be true or false")),
            (ERASED | BLANK, _) => return Err(MergeFault::patch(&place, "this must be true")),
            (ALIAS, _) => return Err(MergeFault::patch(&place, "this must be a key or null")),
            ("", _) => return Err(MergeFault::patch(&place, "a column has a name")),
            // A later version may reserve more: the operation waits for the upgrade.
            (name, _) if name.starts_with('@') => {
                return Err(MergeFault::patch(
                    &place,
                    "of the names with @ there are @alias, @blank, @erased and @exists",
                ));
            }
            (name, value) => {
                if let Some(element) = Element::of(name) {
                    check_element(element, value).map_err(|detail| MergeFault::patch(&place, detail))?;
                }
            }
        }
        if !value.is_held() {
            return Err(MergeFault::patch(&place, "a number is larger or finer than PostgreSQL holds"));
        }
        sort_keys(&mut value);
        patch.insert(register, value);
    }
    if is_blank && patch.keys().any(|register| !stays(register)) {
        return Err(MergeFault::patch(&Place::Root.key(BLANK), "what is blank has no values"));
    }
    Ok(patch)
}

fn check_element(element: Element<'_>, value: &Value) -> Result<(), &'static str> {
    match (element, value) {
        (Element { column: "", .. } | Element { name: "", .. }, _) => Err("an element has a column and a name"),
        (_, Value::Bool(true)) | (Element { rule: SetRule::Union, .. }, Value::Bool(false)) => Ok(()),
        (Element { rule: SetRule::Union, .. }, _) => Err("an element is there or not: true or false"),
        (Element { rule: SetRule::GrowOnly, .. }, _) => Err("an element of a set that only grows is there: true"),
    }
}

/// An object is the same value in whatever order its keys are written.
fn sort_keys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.iter_mut().for_each(|(_, value)| sort_keys(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(sort_keys),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
