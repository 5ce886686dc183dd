//! What can be wrong with an input: a stable code, a place, a sentence.

/// One thing that is wrong, or odd, with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable, upper case, for machines: `DUP_KEY`.
    pub code: &'static str,
    /// JSON pointer (RFC 6901) to the offending value; empty for the whole input.
    pub pointer: String,
    /// One sentence for people. It never repeats a value of the input.
    pub detail: String,
}

impl Problem {
    /// A problem at `pointer`.
    pub fn new(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), detail: detail.into() }
    }
}
