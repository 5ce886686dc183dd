//! Why a table cannot be tracked, or not by these rules.

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable, upper case, for machines: `OTHER_KEY`.
    pub code: &'static str,
    /// The reason as a sentence.
    pub what: String,
    /// Which columns or constraints; empty when the sentence says it all.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
}

impl Fault {
    /// A reason that says it all.
    pub(super) fn new(code: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, what: what.into(), detail: String::new(), hint: hint.into() }
    }

    /// The same about these.
    pub(super) fn about<T: AsRef<str>>(self, names: &[T]) -> Self {
        Self { detail: names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "), ..self }
    }

    /// What SQL tells it by.
    pub fn sqlstate(&self) -> &'static str {
        if self.code == "NO_TABLE" { "42P01" } else { "22023" }
    }
}
