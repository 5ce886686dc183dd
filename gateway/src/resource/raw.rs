//! `GET /v1/receipts/{node_id}/{receipt_id}/raw`: the files as the terminal wrote them.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::dat_file::here;
use super::list::{Page, filter, page, paging};
use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::download::Download;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// One arrival of a receipt.
    pub struct Raw as raw_columns {
        raw_id: i64,
        received_at: DateTime<Utc>,
        terminal: String,
        file_name: Option<String>,
        /// The answer to it: accepted, duplicate or held.
        outcome: String,
        size_bytes: i32,
    }
}

filter! {
    pub struct Filter {}
}

/// The newest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Raw>>> {
    let sql = concat!(
        "select ",
        raw_columns!(),
        " from (select raw_id, received_at, terminal, file_name, outcome, octet_length(bytes) as size_bytes
                  from own.raw where receipt_id = $1 and raw_id < $2 limit $3) r"
    );
    here(&call).await?;
    let paging = paging::<i64>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(i64::MAX);
    let parameters: [&(dyn ToSql + Sync); 3] = [&call.uuid(1)?, &before, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Raw| row.raw_id).await
}

pub async fn download(call: Call, _: Nothing) -> Outcome<Download> {
    here(&call).await?;
    let (receipt, raw) = (call.uuid(1)?, call.long_number(2)?);
    let sql =
        "select coalesce(file_name, concat(raw_id, '.json')), bytes from own.raw where receipt_id = $1 and raw_id = $2";
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&receipt, &raw]).await?;
    let row = rows.first().ok_or_else(Problem::not_found)?;
    Ok(Download { name: get(row, 0)?, bytes: get(row, 1)? })
}
