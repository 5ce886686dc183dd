//! From a document to the tables that people read.
//!
//! A projection is a function of the documents that exist, never of the order in which they came.
//! `receipt`, `event` and `day_close` project one kind of document each; a kind, or a version of
//! one, that the core does not know was written by a newer version, and waits.

mod day_close;
mod early_event;
mod event;
mod rebuild;
mod receipt;
mod receipt_state;

use tpv_core::document_kind::{DocumentKind, Unreadable};

use crate::postgres::DataFault;
use crate::wire::Document;

pub use receipt_state::{lock_receipts, state_of_receipt};

/// Writes what a document says into its tables.
///
/// # Errors
/// Why the document cannot be projected. What a table refuses is raised.
pub fn project(document: &Document) -> Result<(), DataFault> {
    let kind = DocumentKind::read(&document.kind, document.schema_version).map_err(|unreadable| match unreadable {
        Unreadable::UnknownKind => DataFault::new("UNKNOWN_KIND", "this version of pg_tpv does not know the kind"),
        Unreadable::Newer => DataFault::new("NEWER_SCHEMA", "a newer version of pg_tpv wrote it"),
    })?;
    document.check_hash()?;
    match kind {
        DocumentKind::Receipt => receipt::project(document),
        DocumentKind::DayClose => day_close::project(document),
        DocumentKind::Intake
        | DocumentKind::Release
        | DocumentKind::Void
        | DocumentKind::Withdraw
        | DocumentKind::Render => event::project(document),
    }
}
