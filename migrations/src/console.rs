//! Where the program writes, and how it ends.

use std::io::Write;

/// Exit code: done, or nothing to do.
pub const SUCCESS: u8 = 0;

/// Exit code: something is in the way.
pub const FAILURE: u8 = 1;

/// Where the program writes.
pub struct Console<'a> {
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// What is in the way.
    pub err: &'a mut dyn Write,
}
