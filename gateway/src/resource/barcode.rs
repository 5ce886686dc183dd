//! `GET /v1/barcodes`, `/v1/barcodes/{barcode_id}`

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
    /// Which product a barcode is.
    pub struct Barcode as barcode_columns {
        barcode_id: Uuid,
        gtin14: String,
        product_id: Uuid,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        /// The codes of one product.
        product: Uuid,
        /// All 14 digits, with leading zeros.
        #[schemars(length(min = 14, max = 14))]
        gtin14: String,
    }
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Barcode>>> {
    let sql = concat!(
        "select ",
        barcode_columns!(),
        " from own.barcode
          where gtin14 > $1 and ($2::uuid is null or product_id = $2) and ($3::text is null or gtin14 = $3)
          limit $4"
    );
    let paging = paging::<String>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let after = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 4] = [&after, &filter.product, &filter.gtin14, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Barcode| row.gtin14.clone()).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Barcode>> {
    let sql = concat!("select ", barcode_columns!(), " from own.barcode where barcode_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Barcode| row.etag.clone()).await
}
