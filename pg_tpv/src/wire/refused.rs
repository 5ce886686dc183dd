//! A row that is not stored.

use tpv_core::json::Value;

/// A row that is not stored.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The node that the row names.
    pub node_id: i32,
    /// Kind of the document, or the table of the operation.
    pub kind: String,
    pub row: Value,
}
