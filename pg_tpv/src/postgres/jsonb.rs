//! SQL's `jsonb` as text: a number keeps every digit that PostgreSQL keeps. `serde_json` would make
//! it a float.

use std::ffi::{CStr, CString};

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, IntoDatum, PgSqlErrorCode, direct_function_call, direct_function_call_as_datum, pg_sys};
use tpv_core::json::{self, JsonError, Value};
use tpv_core::problem::Problem;

use super::refusal::Refusal;

/// A `jsonb` of SQL as its text: what `jsonb_out` writes and `jsonb_in` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonbText(pub String);

impl JsonbText {
    /// The tree, its numbers still text.
    ///
    /// # Errors
    /// When it has more than 128 levels, as a `jsonb` may.
    pub fn read(&self) -> Result<Value, JsonError> {
        json::read(&self.0, usize::MAX)
    }

    /// The tree of an argument, called `what` in the error.
    ///
    /// # Errors
    /// `22023` when it has more than 128 levels.
    pub fn read_as(&self, what: &str) -> Result<Value, Refusal> {
        self.read().map_err(|error| {
            let fault = Problem::new("TOO_DEEP", error.pointer, error.kind.to_string());
            Refusal::faulty(format!("{what} cannot be read"), &[fault])
        })
    }
}

/// The text for `jsonb_in`. `jsonb` holds no U+0000, so that character is left out of strings and
/// keys; the text of the document still has it. Of two keys that become the same, the later stays.
impl From<Value> for JsonbText {
    fn from(mut value: Value) -> Self {
        leave_out_nul(&mut value);
        Self(value.to_canonical())
    }
}

fn leave_out_nul(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(elements) => elements.iter_mut().for_each(leave_out_nul),
        Value::Object(members) => {
            for (key, value) in members {
                key.retain(|c| c != '\0');
                leave_out_nul(value);
            }
        }
    }
}

impl FromDatum for JsonbText {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller promises a `jsonb` that is not null; `jsonb_out` takes one and gives a
        // C string, which stays until it is freed here, after its copy was made.
        unsafe {
            let given: *mut pg_sys::varlena = datum.cast_mut_ptr();
            // Unpacked, or `jsonb_out` would make a second copy that nobody frees.
            let whole = pg_sys::pg_detoast_datum(given);
            let written = direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(whole.into())])?;
            let text = written.to_str().map(str::to_owned);
            pg_sys::pfree(written.as_ptr().cast_mut().cast());
            if whole != given {
                pg_sys::pfree(whole.cast());
            }
            match text {
                Ok(text) => Some(Self(text)),
                Err(_) => not_utf8().raise(),
            }
        }
    }
}

impl IntoDatum for JsonbText {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let Ok(text) = CString::new(self.0) else { nul().raise() };
        // SAFETY: `jsonb_in` takes a C string, and reads it before it returns.
        unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())]) }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

fn not_utf8() -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "a jsonb is not UTF-8")
        .hint("pg_tpv needs a database with the encoding UTF8.")
}

/// JSON escapes U+0000, so a text that holds one is no JSON.
fn nul() -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION, "a text for jsonb holds the character U+0000")
}

// SAFETY: as pgrx does it for its own `JsonB`: the datum of the argument is a `jsonb`, as
// ARGUMENT_SQL declares.
unsafe impl<'fcx> ArgAbi<'fcx> for JsonbText {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        let index = arg.index();
        // SAFETY: the caller promises that the argument is of this type.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or_else(|| panic!("argument {index} must not be null"))
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: the caller promises that the argument is of this type.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

// SAFETY: the datum is a `jsonb`, as RETURN_SQL declares.
unsafe impl BoxRet for JsonbText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: the datum was made for this call, in its memory context.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

// SAFETY: SQL's `jsonb` is what `FromDatum` reads and `IntoDatum` makes.
unsafe impl SqlTranslatable for JsonbText {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(JsonbText);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}

// Texts cross as UTF-8: in a database of another encoding they would be read as something else.
pgrx::extension_sql!(
    r#"
do $$
begin
    if getdatabaseencoding() <> 'UTF8' then
        raise feature_not_supported using message = 'pg_tpv needs a database with the encoding UTF8';
    end if;
end
$$;
"#,
    name = "encoding",
    bootstrap
);
