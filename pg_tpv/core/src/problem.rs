//! What can be wrong with an input: a stable code, a place, a sentence.

use std::fmt;

/// One fault, or one oddity, of an input.
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

/// Where a reader stands in a JSON tree: a chain of stack frames, so that a pointer costs nothing
/// until it is shown.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The whole input.
    Root,
    /// A member of an object.
    Key(&'a Place<'a>, &'a str),
    /// An element of an array, from 0.
    Index(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// The place of a member of this object.
    pub fn key<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    /// The place of an element of this array.
    pub fn index(&self, index: usize) -> Place<'_> {
        Place::Index(self, index)
    }

    /// The JSON pointer. A key is the input's, so it is cut at 64 characters and a control in it
    /// becomes `?`: a pointer goes into logs, reason files and columns of text, where a NUL is
    /// refused.
    pub fn pointer(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Index(parent, index) => write!(f, "{parent}/{index}"),
            Place::Key(parent, key) => {
                write!(f, "{parent}/")?;
                for c in key.chars().take(LONGEST_KEY) {
                    match c {
                        '~' => f.write_str("~0")?,
                        '/' => f.write_str("~1")?,
                        c if c.is_control() => f.write_str("?")?,
                        c => write!(f, "{c}")?,
                    }
                }
                if key.chars().nth(LONGEST_KEY).is_some() { f.write_str("…") } else { Ok(()) }
            }
        }
    }
}

const LONGEST_KEY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_keys_as_rfc_6901_says() {
        let items = Place::Root.key("items").pointer();
        assert_eq!(items, "/items");
        let (root, odd) = (Place::Root, "a/b~c\0");
        assert_eq!(root.key("items").index(3).key(odd).pointer(), "/items/3/a~1b~0c?");
        assert_eq!(root.pointer(), "");
    }

    #[test]
    fn a_pointer_stays_short_whatever_the_key() {
        let key = "ñ".repeat(100_000);
        assert_eq!(Place::Root.key(&key).pointer().chars().count(), 1 + 64 + 1);
    }
}
