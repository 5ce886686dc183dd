//! One thing, or 404: what is not there and what somebody may not see answer alike.

use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::database::asked::Mode;
use crate::database::row::FromRow;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;

/// The one row of a statement.
pub async fn one<T: FromRow>(call: &Call, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Outcome<T> {
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, parameters).await?;
    read(rows.first().ok_or_else(Problem::not_found)?)
}

/// The same with its version in the head. The ETag of an item without one is made of its bytes.
pub async fn versioned<T: FromRow + Serialize>(
    call: &Call,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
    version: impl Fn(&T) -> String,
) -> Outcome<Reply<T>> {
    let item = one::<T>(call, sql, parameters).await?;
    let version = version(&item);
    Ok(Reply::ok(item).version(version))
}

pub fn read<T: FromRow>(row: &Row) -> Outcome<T> {
    T::from_row(row).map_err(|error| {
        tracing::error!(%error, "a view has other columns than the gateway knows");
        Problem::internal().into()
    })
}
