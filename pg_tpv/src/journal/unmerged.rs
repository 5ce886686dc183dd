//! What becomes of an operation that is not merged.

use crate::postgres::DataFault;

/// Why an operation is not merged.
#[derive(Debug)]
pub enum Unmerged {
    /// For good. In its place stands one that writes nothing.
    Refused(DataFault),
    /// The same, until a person releases it.
    Held(DataFault),
    /// Not now: too much of its node waits. It comes again by comparing.
    Later,
}
