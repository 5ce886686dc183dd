//! Rules that are SQL functions: `f(heads jsonb) returns jsonb`. The argument has all heads,
//! ordered by version.

use std::panic::AssertUnwindSafe;

use pgrx::PgTryBuilder;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;
use pgrx::spi::quote_qualified_identifier;
use tpv_core::json::Value;
use tpv_core::merge::{Head, Rule};

use super::tracked::{POLICY, Tracked};
use crate::postgres::{DataFault, JsonbText, attempt, sql, sqlstate_of};

/// The apply worker calls the function, so only the owner of the tables or a superuser may have
/// made it.
const FUNCTION: &str = r"
    select p.prokind = 'f' and not p.proretset and p.prorettype = 'jsonb'::regtype, p.provolatile = 'i',
      r.rolsuper or r.rolname = 'tpv_owner',
      has_function_privilege('tpv_apply', p.oid, 'execute') and has_schema_privilege('tpv_apply', n.oid, 'usage')
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    join pg_catalog.pg_roles r on r.oid = p.proowner
    where n.nspname = $1 and p.proname = $2 and p.pronargs = 1 and p.proargtypes[0] = 'jsonb'::regtype";

/// Whether this node has the function, and may call it.
///
/// # Errors
/// What is wrong with it, as the text of a sentence.
pub fn check(name: &str) -> Result<(), &'static str> {
    let (schema, function) = name.split_once('.').ok_or("a function is named with its schema, as in sync.longest")?;
    let found = sql::row(FUNCTION, &[schema.into(), function.into()], |row| {
        [row.must::<bool>(1), row.must(2), row.must(3), row.must(4)]
    });
    match found {
        None => Err("this node has no such function of one jsonb"),
        Some([false, ..]) => Err("the function must give one jsonb"),
        Some([_, false, ..]) => {
            Err("the function must be immutable, since its answer has to be the same at every node")
        }
        Some([_, _, false, _]) => Err("the function must belong to tpv_owner or to a superuser"),
        Some([.., false]) => Err("the role tpv_apply must be allowed to execute the function, and to use its schema"),
        Some(_) => Ok(()),
    }
}

/// Whether this node can follow the policy whose row is written, where it is one. The row is
/// written in any case; until the policy can be followed, the last writer wins.
///
/// # Errors
/// A rule of a later version, or a function that this node does not have.
pub fn check_policy_row(tracked: &Tracked, register: &str, value: &Value) -> Result<(), DataFault> {
    if tracked.table_name != POLICY || register != "rule" {
        return Ok(());
    }
    match Rule::from_text(&value.to_canonical()) {
        Err(fault) => Err(fault.into()),
        Ok(Rule::Custom(function)) => check(&function).map_err(|detail| DataFault::new("UNKNOWN_FUNCTION", detail)),
        Ok(_) => Ok(()),
    }
}

/// The value that the function makes of the heads.
///
/// # Errors
/// It does not exist here, or not yet; or it fails.
pub fn evaluate(name: &str, heads: &[Head]) -> Result<Value, DataFault> {
    check(name).map_err(|detail| DataFault::new("UNKNOWN_FUNCTION", detail))?;
    let (schema, function) = name.split_once('.').unwrap_or_default();
    let call = format!("select {}($1)", quote_qualified_identifier(schema, function));
    let argument = JsonbText::from(Value::Array(heads.iter().map(head).collect()));
    attempt(|| {
        let called = AssertUnwindSafe(|| {
            Spi::connect_mut(|client| {
                let table = client.update(&call, None, &[argument.into()]).unwrap_or_else(|error| sql::broken(error));
                table.first().get_one::<JsonbText>().unwrap_or_else(|error| sql::broken(error))
            })
        });
        let answer =
            PgTryBuilder::new(|| Ok(called())).catch_others(|cause| Err(fault_of_function(cause))).execute()?;
        let value = answer.map_or(Ok(Value::Null), |answer| answer.read());
        value.map_err(|_| DataFault::new("CUSTOM_FUNCTION", "the answer of a policy's function has too many levels"))
    })
}

fn head(head: &Head) -> Value {
    let number = |name: &str, number: i64| (name.to_owned(), Value::Number(number.to_string()));
    Value::Object(vec![
        number("hlc", head.hlc),
        number("node_id", head.version.node_id.into()),
        number("seq", head.version.seq),
        ("value".to_owned(), head.value.clone()),
    ])
}

/// Whatever the function raises is its own fault, except an error of the machine, which is raised
/// on.
fn fault_of_function(cause: CaughtError) -> DataFault {
    let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = &cause else { cause.rethrow() };
    let code = sqlstate_of(report);
    if ["08", "40", "53", "55", "57", "58", "XX"].iter().any(|machine| code.starts_with(machine)) {
        cause.rethrow();
    }
    DataFault::new("CUSTOM_FUNCTION", format!("{code}: {}", report.message()))
}
