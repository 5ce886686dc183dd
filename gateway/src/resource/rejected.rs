//! `GET /v1/rejected`, `/v1/rejected/{rejected_id}`: files that are no receipts, where they came.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::item::one;
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
    /// A file that is no usable receipt.
    pub struct Rejected as rejected_columns {
        rejected_id: i64,
        at: DateTime<Utc>,
        terminal: String,
        /// The department of the terminal; null when nobody registered it.
        department: Option<String>,
        file_name: Option<String>,
        size_bytes: i64,
        /// Why; docs/codes.md has them all.
        code: String,
        /// Where in the file, as a JSON pointer.
        pointer: String,
        detail: String,
    }
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 32))]
        terminal: String,
        #[schemars(length(max = 16))]
        department: String,
        #[schemars(length(max = 64))]
        code: String,
        /// From this moment on.
        since: DateTime<Utc>,
        /// Before this moment.
        until: DateTime<Utc>,
    }
}

/// The newest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Rejected>>> {
    let sql = concat!(
        "select ",
        rejected_columns!(),
        " from own.rejected
          where rejected_id < $1 and ($2::text is null or terminal = $2) and ($3::text is null or department = $3)
            and ($4::text is null or code = $4) and ($5::timestamptz is null or at >= $5)
            and ($6::timestamptz is null or at < $6)
          limit $7"
    );
    let paging = paging::<i64>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(i64::MAX);
    let Filter { terminal, department, code, since, until, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 7] = [&before, terminal, department, code, since, until, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Rejected| row.rejected_id).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Rejected>> {
    let sql = concat!("select ", rejected_columns!(), " from own.rejected where rejected_id = $1");
    one::<Rejected>(&call, sql, &[&call.long_number(0)?]).await.map(Reply::ok)
}

/// A file that was too large to be kept is only in the quarantine folder.
pub async fn download(call: Call, _: Nothing) -> Outcome<Download> {
    let sql = "select coalesce(file_name, concat(rejected_id, '.json')), raw from own.rejected
                where rejected_id = $1 and raw is not null";
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&call.long_number(0)?]).await?;
    let row = rows.first().ok_or_else(Problem::not_found)?;
    Ok(Download { name: get(row, 0)?, bytes: get(row, 1)? })
}
