//! `GET /v1/departments`, `/v1/departments/{department_id}`

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
    pub struct Department as department_columns {
        department_id: Uuid,
        node_id: i32,
        code: String,
        name: String,
        /// Registered name of whoever leases it; null for the store itself.
        concessionaire: Option<String>,
        /// The tax of what is sold there, where neither the receipt nor the product says one.
        tax_id: Option<Uuid>,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        /// One store.
        node: u16,
        #[schemars(length(max = 16))]
        code: String,
    }
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Department>>> {
    let sql = concat!(
        "select ",
        department_columns!(),
        " from own.department
          where (node_id, code) > ($1, $2) and ($3::int is null or node_id = $3) and ($4::text is null or code = $4)
          limit $5"
    );
    let paging = paging::<(i32, String)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (node, code) = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 5] = [&node, &code, &filter.node.map(i32::from), &filter.code, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Department| (row.node_id, row.code.clone())).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Department>> {
    let sql = concat!("select ", department_columns!(), " from own.department where department_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Department| row.etag.clone()).await
}
