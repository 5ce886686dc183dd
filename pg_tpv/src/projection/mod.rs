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
mod touched;

use std::collections::BTreeSet;

use tpv_core::document_kind::{DocumentKind, Unreadable};

use crate::postgres::DataFault;
use crate::wire::Document;

pub use receipt_state::{lock_receipts, state_of_receipt};

/// Writes what a document says into its tables.
///
/// # Errors
/// Why the document cannot be projected. What a table refuses is raised.
pub fn project(document: &Document) -> Result<(), DataFault> {
    match check(document)? {
        DocumentKind::Receipt => receipt::write(&[receipt::read(document)?]),
        DocumentKind::DayClose => day_close::project(document)?,
        DocumentKind::Intake
        | DocumentKind::Release
        | DocumentKind::Void
        | DocumentKind::Withdraw
        | DocumentKind::Render => event::project(document)?,
    }
    Ok(())
}

/// Projects a document that waited. A worker may be receiving a document about the same receipt: it
/// waits for this transaction, and finds the receipt.
///
/// # Errors
/// As above.
pub fn project_again(document: &Document) -> Result<(), DataFault> {
    if document.kind == DocumentKind::Receipt.word() {
        early_event::hold(document.node_id, &BTreeSet::from([document.doc_id]));
    }
    project(document)
}

/// Writes what receipts say, all at once. Answers which cannot be projected, and why; what a table
/// refuses is raised.
pub fn project_receipts<'d>(documents: &[&'d Document]) -> Vec<(&'d Document, DataFault)> {
    let (mut sound, mut faults) = (Vec::with_capacity(documents.len()), Vec::new());
    for document in documents {
        match check(document).and_then(|_| receipt::read(document)) {
            Ok(receipt) => sound.push(receipt),
            Err(fault) => faults.push((*document, fault)),
        }
    }
    receipt::write(&sound);
    faults
}

/// The kind of a document that this version can read and whose hash is that of its body.
fn check(document: &Document) -> Result<DocumentKind, DataFault> {
    let kind = DocumentKind::read(&document.kind, document.schema_version).map_err(|unreadable| match unreadable {
        Unreadable::UnknownKind => DataFault::new("UNKNOWN_KIND", "this version of pg_tpv does not know the kind"),
        Unreadable::Newer => DataFault::new("NEWER_SCHEMA", "a newer version of pg_tpv wrote it"),
    })?;
    document.check_hash()?;
    Ok(kind)
}
