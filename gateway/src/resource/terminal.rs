//! `GET /v1/terminals`, `/v1/terminals/{terminal_id}`

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, filter, page, paging};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// A scale or a till that drops receipts as files.
    pub struct Terminal as terminal_columns {
        terminal_id: Uuid,
        node_id: i32,
        code: String,
        /// department: it issues the tickets of a department; till: it is where customers pay.
        kind: String,
        department_code: Option<String>,
        active: bool,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        /// One store.
        node: u16,
        #[schemars(length(max = 32))]
        code: String,
        #[schemars(length(max = 16))]
        department: String,
        active: bool,
    }
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Terminal>>> {
    let sql = concat!(
        "select ",
        terminal_columns!(),
        " from own.terminal
          where (node_id, code) > ($1, $2) and ($3::int is null or node_id = $3) and ($4::text is null or code = $4)
            and ($5::text is null or department_code = $5) and ($6::bool is null or active = $6)
          limit $7"
    );
    let paging = paging::<(i32, String)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (node, code) = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&node, &code, &filter.node.map(i32::from), &filter.code, &filter.department, &filter.active, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Terminal| (row.node_id, row.code.clone())).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Terminal>> {
    let sql = concat!("select ", terminal_columns!(), " from own.terminal where terminal_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Terminal| row.etag.clone()).await
}
