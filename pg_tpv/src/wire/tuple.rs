//! The columns of a row that a trigger is called for.

use pgrx::datum::FromDatum;
use pgrx::pg_sys;

use crate::postgres::sql;

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

    /// The column at this place, from 0, if it is not null.
    ///
    /// # Safety
    /// The column is of that type.
    pub unsafe fn optional<T: FromDatum>(&self, place: usize) -> Option<T> {
        // SAFETY: the caller's promise.
        unsafe { T::from_datum(self.values[place], self.nulls[place]) }
    }
}
