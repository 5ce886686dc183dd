//! A row of a peer, before anything of it is believed: how large it is, and whether it can be read.
//!
//! Reading is part of the attempt: a null, a date of the year 20000 or a value that cannot be taken
//! out of its storage must not stop the stream.

use pgrx::pg_sys;
use tpv_core::json::Value;
use tpv_core::row_limits::TooLarge;

use super::refused::Refused;
use super::tuple::Unfit;
use crate::postgres::{DataFault, attempt, memory};

/// A row of a wire table.
pub trait Arrives: Sized {
    /// The octets of its texts, and the first column that is not read.
    ///
    /// # Safety
    /// The tuple is one of that relation, which is its table.
    unsafe fn measure(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> (usize, Option<Unfit>);

    /// What can be told of it without reading what may be too large.
    ///
    /// # Safety
    /// As above.
    unsafe fn outline(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Refused;

    /// Reads the row that a trigger is called for.
    ///
    /// # Safety
    /// The tuple is one of that relation, which is its table.
    unsafe fn of_tuple(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Self;

    /// Whether nothing can go wrong while the row is read, so that it needs no subtransaction: those
    /// of many rows add up.
    ///
    /// # Safety
    /// As above.
    unsafe fn is_sound(_tuple: pg_sys::HeapTuple, _relation: pg_sys::Relation) -> bool {
        false
    }

    /// What it has too much of beside octets, and the hash of that.
    fn too_large(&self) -> Option<(TooLarge, String)> {
        None
    }
}

/// A row that is not received: what is kept of it, and why.
pub struct Unread {
    pub refused: Refused,
    pub fault: DataFault,
}

/// Reads a row of a peer.
///
/// # Errors
/// `ROW_TOO_LARGE`, `ROW_UNREADABLE`.
///
/// # Safety
/// The tuple is one of that relation, which is the table of these rows.
pub unsafe fn arrive<T: Arrives>(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) -> Result<T, Box<Unread>> {
    memory::give_back();
    // SAFETY: the caller's promise.
    let (octets, unfit) = unsafe { T::measure(tuple, relation) };
    memory::worked_on(octets);
    // SAFETY: as above.
    let outline = || unsafe { T::outline(tuple, relation) };
    match unfit {
        None => {}
        Some(Unfit::TooLarge(large, hash)) => return Err(Box::new(oversize(outline(), (large, hash)))),
        Some(Unfit::NotText(column)) => {
            let fault = DataFault::new("ROW_UNREADABLE", format!("its column {column} is no text in UTF-8"));
            return Err(Box::new(Unread { refused: outline(), fault }));
        }
    }
    // SAFETY: as above.
    let read = || Ok(unsafe { T::of_tuple(tuple, relation) });
    // SAFETY: as above.
    let read = if unsafe { T::is_sound(tuple, relation) } { read() } else { attempt(read) };
    let row: T = match read {
        Ok(row) => row,
        Err(DataFault { code, detail }) => {
            let mut refused = outline();
            refused.note("sqlstate", Value::String(code));
            return Err(Box::new(Unread { refused, fault: DataFault::new("ROW_UNREADABLE", detail) }));
        }
    };
    match row.too_large() {
        None => Ok(row),
        Some(large) => Err(Box::new(oversize(outline(), large))),
    }
}

fn oversize(mut refused: Refused, (large, hash): (TooLarge, String)) -> Unread {
    refused.note("column", Value::String(large.column.to_owned()));
    refused.note(large.unit, Value::Number(large.has.to_string()));
    refused.note("sha256", Value::String(hash));
    Unread { refused, fault: DataFault::new("ROW_TOO_LARGE", large.to_string()) }
}
