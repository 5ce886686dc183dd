//! A row of `wire.resend`.

use pgrx::pg_sys;
use tpv_core::hash_chain::sha256;
use tpv_core::json::Value;
use tpv_core::row_limits::{OF_RESEND, TooLarge, check_resend};

use super::arrival::Arrives;
use super::refused::{Refused, number};
use super::tuple::{Tuple, Unfit, hex};

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
    /// What is kept of it when it cannot be received.
    pub fn as_refused(&self) -> Refused {
        let row = vec![
            ("to_node".to_owned(), Value::Number(self.to_node.to_string())),
            ("body".to_owned(), Value::String(self.body.clone())),
        ];
        Refused { node_id: self.node_id, kind: format!("resend {}", self.kind), row: Value::Object(row) }
    }
}

impl Arrives for ResendRow {
    unsafe fn measure(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> (usize, Option<Unfit>) {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe { Tuple::<6>::of(tuple, relation, "wire.resend").measure(&OF_RESEND) }
    }

    unsafe fn outline(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Refused {
        // SAFETY: the caller's promise, and the types that the migration gave the columns.
        unsafe {
            let columns = Tuple::<6>::of(tuple, relation, "wire.resend");
            let kind = columns.short(&OF_RESEND[0]).map(|kind| format!("resend {kind}"));
            let known = vec![("to_node", number(columns.optional::<i32>(2).map(i64::from)))];
            Refused::outline(columns.optional(0), kind, "resend", known)
        }
    }

    unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self {
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

    fn too_large(&self) -> Option<(TooLarge, String)> {
        check_resend(&self.kind, &self.body).err().map(|large| (large, hex(&sha256(self.body.as_bytes()))))
    }
}
