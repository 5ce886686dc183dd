//! `GET /v1/local-codes`, `/v1/local-codes/{local_code_id}`

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
    /// Which product a code is that is no GTIN, such as the number of a scale.
    pub struct LocalCode as local_code_columns {
        local_code_id: Uuid,
        /// The only store it holds in; null for all.
        node_id: Option<i32>,
        /// The only department of that store it holds in; null for all.
        department_code: Option<String>,
        code: String,
        product_id: Uuid,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 100))]
        code: String,
        product: Uuid,
        /// What holds in this store: its own codes, and those of the chain.
        node: u16,
        /// The codes of this department alone.
        #[schemars(length(max = 16))]
        department: String,
    }
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<LocalCode>>> {
    let sql = concat!(
        "select ",
        local_code_columns!(),
        " from own.local_code
          where (code, local_code_id) > ($1, $2)
            and ($3::text is null or code = $3) and ($4::uuid is null or product_id = $4)
            and ($5::int is null or node_id is null or node_id = $5)
            and ($6::text is null or department_code = $6)
          limit $7"
    );
    let paging = paging::<(String, Uuid)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (code, id) = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&code, &id, &filter.code, &filter.product, &filter.node.map(i32::from), &filter.department, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &LocalCode| (row.code.clone(), row.local_code_id)).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<LocalCode>> {
    let sql = concat!("select ", local_code_columns!(), " from own.local_code where local_code_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &LocalCode| row.etag.clone()).await
}
