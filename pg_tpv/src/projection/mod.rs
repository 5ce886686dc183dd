//! From a document to the tables that people read.
//!
//! A projection is a function of the documents that exist, never of the order they came in. Each kind has a file; a
//! kind that is not here is of a newer version of ours, and waits.

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
/// What can not be projected, with its code; database errors of the data's making are raised.
pub fn project(document: &Document) -> Result<(), DataFault> {
    if document.schema_version > SCHEMA_VERSION {
        return Err(DataFault::new("NEWER_SCHEMA", "a newer version of pg_tpv wrote it"));
    }
    document.check_hash()?;
    match document.kind.as_str() {
        "receipt" => receipt::project(document),
        "intake" | "release" | "void" | "withdraw" | "render" => event::project(document),
        "day_close" => day_close::project(document),
        _ => Err(DataFault::new("UNKNOWN_KIND", "this version of pg_tpv does not know the kind")),
    }
}
