//! The columns of a row that a trigger is called for.

use pgrx::datum::FromDatum;
use pgrx::pg_sys;
use tpv_core::hash_chain::sha256;
use tpv_core::row_limits::{Column, TooLarge};

use crate::postgres::sql;

/// Why a column is not read.
#[derive(Clone, Debug)]
pub enum Unfit {
    /// It has more than it may; the hash of what it has.
    TooLarge(TooLarge, String),
    /// It is a text, and its octets are none.
    NotText(&'static str),
}

/// A row of a wire table with `N` columns. The wire tables are frozen, so positions are as good as
/// names.
pub struct Tuple<const N: usize> {
    values: [pg_sys::Datum; N],
    nulls: [bool; N],
    table: &'static str,
}

impl<const N: usize> Tuple<N> {
    /// Takes it apart.
    ///
    /// # Safety
    /// The tuple is one of that relation.
    pub unsafe fn of(tuple: pg_sys::HeapTuple, relation: pg_sys::Relation, table: &'static str) -> Self {
        // SAFETY: the caller's promise; the arrays are as long as the row has columns, which is
        // checked.
        unsafe {
            let shape = (*relation).rd_att;
            if usize::try_from((*shape).natts) != Ok(N) {
                sql::broken(format!("table {table} does not have its {N} columns"));
            }
            let (mut values, mut nulls) = ([pg_sys::Datum::null(); N], [false; N]);
            pg_sys::heap_deform_tuple(tuple, shape, values.as_mut_ptr(), nulls.as_mut_ptr());
            Self { values, nulls, table }
        }
    }

    /// The column at this place, from 0.
    ///
    /// # Safety
    /// The column is of that type.
    pub unsafe fn get<T: FromDatum>(&self, place: usize) -> T {
        // SAFETY: the caller's promise. The columns are NOT NULL, but BEFORE triggers run before
        // that is checked.
        unsafe { self.optional(place) }.unwrap_or_else(|| sql::not_null(self.table))
    }

    /// Whether no other column than this one is null.
    pub fn has_all_but(&self, place: usize) -> bool {
        self.nulls.iter().enumerate().all(|(at, is_null)| at == place || !is_null)
    }

    /// The octets of a column, which is neither copied nor taken out of TOAST for that.
    ///
    /// # Safety
    /// The column is null or of a type of any length.
    unsafe fn octets(&self, place: usize) -> usize {
        if self.nulls[place] {
            return 0;
        }
        // SAFETY: the caller's promise.
        unsafe { pg_sys::toast_raw_datum_size(self.values[place]) }.saturating_sub(pg_sys::VARHDRSZ)
    }

    /// The octets of all these columns, and the first that is not as it has to be.
    ///
    /// # Safety
    /// The columns are of types of any length.
    pub unsafe fn measure(&self, columns: &[Column]) -> (usize, Option<Unfit>) {
        // SAFETY: the caller's promise.
        let of = |column: &Column| unsafe { self.octets(column.place) };
        // SAFETY: the caller's promise; a text is read as its octets.
        let octets_of = |column: &Column| unsafe { self.bytes(column) };
        let large = columns.iter().find_map(|column| Some((column, column.check(of(column)).err()?)));
        let large = large.map(|(column, large)| Unfit::TooLarge(large, hex(&sha256(octets_of(column)))));
        let unfit = large.or_else(|| {
            let not_text = columns.iter().find(|column| !column.takes(octets_of(column)))?;
            Some(Unfit::NotText(not_text.name))
        });
        (columns.iter().map(of).sum(), unfit)
    }

    /// The octets of a text or a `bytea`; of a null, none.
    ///
    /// # Safety
    /// The column is of such a type.
    unsafe fn bytes(&self, column: &Column) -> &[u8] {
        // SAFETY: the caller's promise.
        let octets = unsafe { <&[u8]>::from_datum(self.values[column.place], self.nulls[column.place]) };
        octets.unwrap_or_default()
    }

    /// A text that is no longer than it may be.
    ///
    /// # Safety
    /// The column is a text.
    pub unsafe fn short(&self, column: &Column) -> Option<String> {
        // SAFETY: the caller's promise.
        unsafe {
            let fits = column.check(self.octets(column.place)).is_ok() && column.takes(self.bytes(column));
            if fits { self.optional(column.place) } else { None }
        }
    }

    /// The column at this place, from 0, if it is not null.
    ///
    /// # Safety
    /// The column is of that type.
    pub unsafe fn optional<T: FromDatum>(&self, place: usize) -> Option<T> {
        // SAFETY: the caller's promise.
        unsafe { T::from_datum(self.values[place], self.nulls[place]) }
    }
}

/// A hash as people read it.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
