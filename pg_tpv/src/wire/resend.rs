//! A row of `wire.resend`.

use pgrx::pg_sys;
use tpv_core::json::Value;

use super::refused::Refused;
use super::tuple::Tuple;

#[derive(Clone, Debug)]
pub struct ResendRow {
    /// The sender.
    pub node_id: i32,
    /// The receiver.
    pub to_node: i32,
    pub hlc: i64,
    pub kind: String,
    /// JSON.
    pub body: String,
}

impl ResendRow {
    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<6>::of(tuple, relation, "wire.resend");
            Self {
                node_id: columns.get(0),
                to_node: columns.get(2),
                hlc: columns.get(3),
                kind: columns.get(4),
                body: columns.get(5),
            }
        }
    }

    /// What is kept of it when it cannot be received.
    pub fn as_refused(&self) -> Refused {
        let row = vec![
            ("to_node".to_owned(), Value::Number(self.to_node.to_string())),
            ("body".to_owned(), Value::String(self.body.clone())),
        ];
        Refused { node_id: self.node_id, kind: format!("resend {}", self.kind), row: Value::Object(row) }
    }
}
