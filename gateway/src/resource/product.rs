//! `GET /v1/products`, `/v1/products/{product_id}`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, page, paging};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// What the chain sells.
    pub struct Product as product_columns {
        product_id: Uuid,
        /// The chain's own number.
        sku: String,
        description: String,
        /// What a quantity of it counts: piece, kg or litre.
        unit: String,
        /// Its tax; null for that of the department.
        tax_id: Option<Uuid>,
        deleted: bool,
        etag: String,
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[schemars(length(max = 100))]
    sku: Option<String>,
    /// How the description begins.
    #[schemars(length(max = 100))]
    q: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    #[schemars(length(max = 1000))]
    cursor: Option<String>,
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Product>>> {
    let sql = concat!(
        "select ",
        product_columns!(),
        " from own.product
          where (sku, product_id) > ($1, $2) and not deleted
            and ($3::text is null or sku = $3) and ($4::text is null or description ^@ $4)
          limit $5"
    );
    let paging = paging::<(String, Uuid)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (sku, id) = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 5] = [&sku, &id, &filter.sku, &filter.q, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Product| (row.sku.clone(), row.product_id)).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Product>> {
    let sql = concat!("select ", product_columns!(), " from own.product where product_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Product| row.etag.clone()).await
}
