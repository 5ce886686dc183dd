//! From a document to the tables that people read.
//!
//! A projection is a function of the documents that exist, never of the order in which they came.
//! `receipt`, `event` and `day_close` project one kind of document each; a kind that is not here
//! was written by a newer version, and waits.

mod day_close;
mod early_event;
mod event;
mod rebuild;
mod receipt;
mod receipt_state;

use crate::postgres::DataFault;
use crate::wire::{Document, SCHEMA_VERSION};

pub use receipt_state::{lock_receipts, state_of_receipt};

/// Writes what a document says into its tables.
///
/// # Errors
/// Why the document cannot be projected. What a table refuses is raised.
pub fn project(document: &Document) -> Result<(), DataFault> {
    check(document)?;
    match document.kind.as_str() {
        "receipt" => receipt::write(&[receipt::read(document)?]),
        "intake" | "release" | "void" | "withdraw" | "render" => event::project(document)?,
        "day_close" => day_close::project(document)?,
        _ => return Err(DataFault::new("UNKNOWN_KIND", "this version of pg_tpv does not know the kind")),
    }
    Ok(())
}

/// Writes what receipts say, all at once. Answers which cannot be projected, and why; what a table
/// refuses is raised.
pub fn project_receipts<'d>(documents: &[&'d Document]) -> Vec<(&'d Document, DataFault)> {
    let (mut sound, mut faults) = (Vec::with_capacity(documents.len()), Vec::new());
    for document in documents {
        match check(document).and_then(|()| receipt::read(document)) {
            Ok(receipt) => sound.push(receipt),
            Err(fault) => faults.push((*document, fault)),
        }
    }
    receipt::write(&sound);
    faults
}

fn check(document: &Document) -> Result<(), DataFault> {
    if document.schema_version > SCHEMA_VERSION {
        return Err(DataFault::new("NEWER_SCHEMA", "a newer version of pg_tpv wrote it"));
    }
    document.check_hash()
}
