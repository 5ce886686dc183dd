//! Where the text of a receipt comes from: it decides how its number is read.

use super::declaration::Declaration;

/// Where a text comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'d> {
    /// A file of a terminal that declares this.
    File(&'d Declaration),
    /// A body that was stored: it was judged when it came, and is its own canonical form.
    Body(&'d Declaration),
}

impl<'d> Source<'d> {
    pub(super) fn declaration(self) -> &'d Declaration {
        let (Self::File(declaration) | Self::Body(declaration)) = self;
        declaration
    }
}
