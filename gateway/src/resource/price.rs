//! `GET /v1/products/{product_id}/prices`, `/v1/prices/{price_id}`: what held, holds and will hold.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, filter, page, paging};
use crate::database::decimal::Decimal;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// A unit price with tax, which holds until the next of the same product and store.
    pub struct Price as price_columns {
        price_id: Uuid,
        product_id: Uuid,
        /// The only store it holds in; null for all. A store's own goes before the chain's.
        node_id: Option<i32>,
        /// Null ends what was before: in a store the chain's price holds again.
        price: Option<Decimal>,
        valid_from: DateTime<Utc>,
        /// before, now or later, among the prices of the same product and store.
        holds: String,
        etag: String,
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    Before,
    Now,
    Later,
}

filter! {
    pub struct Filter {
        /// What holds in this store: its own prices, and those of the chain.
        node: u16,
        holds: When,
    }
}

/// The prices of a product (`$1`), with whether each holds now. Of two from one moment on it is
/// that with the greater key.
macro_rules! prices {
    ($of:literal) => {
        concat!(
            "select p.*, case
                when p.valid_from > now() then 'later'
                when exists (select from own.price n
                              where n.product_id = p.product_id and n.node_id is not distinct from p.node_id
                                and n.valid_from <= now()
                                and (n.valid_from, n.price_id) > (p.valid_from, p.price_id)) then 'before'
                else 'now' end as holds
               from own.price p where ",
            $of
        )
    };
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Price>>> {
    let sql = concat!(
        "select ",
        price_columns!(),
        " from (",
        prices!("p.product_id = $1"),
        ") p
          where ($2::timestamptz is null or (valid_from, price_id) < ($2, $3))
            and ($4::int is null or node_id is null or node_id = $4) and ($5::text is null or holds = $5)
          order by valid_from desc, price_id desc limit $6"
    );
    let paging = paging::<(DateTime<Utc>, Uuid)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (from, id) = paging.after.unzip();
    let holds = filter.holds.map(|holds| match holds {
        When::Before => "before",
        When::Now => "now",
        When::Later => "later",
    });
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&call.uuid(0)?, &from, &id, &filter.node.map(i32::from), &holds, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Price| (row.valid_from, row.price_id)).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Price>> {
    let sql = concat!("select ", price_columns!(), " from (", prices!("p.price_id = $1"), ") p");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Price| format!("{}-{}", row.etag, row.holds)).await
}
