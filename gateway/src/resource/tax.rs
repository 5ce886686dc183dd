//! `GET /v1/taxes`, `/v1/taxes/{tax_id}`: with their rates.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::item::one;
use super::list::{Page, filter, page, paging};
use crate::database::decimal::Decimal;
use crate::database::row::FromRow;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct Tax {
    tax_id: Uuid,
    code: String,
    name: String,
    /// The newest first; each holds until the next.
    rates: Vec<Rate>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct Rate {
    tax_rate_id: Uuid,
    /// Percent.
    rate: Decimal,
    /// Its first day.
    valid_from: NaiveDate,
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 100))]
        code: String,
    }
}

macro_rules! taxes {
    ($those:literal) => {
        concat!(
            "select t.tax_id, t.code, t.name, array_to_json(array(
                select json_build_object('tax_rate_id', r.tax_rate_id, 'rate', r.rate::text, 'valid_from', r.valid_from)
                  from own.tax_rate r where r.tax_id = t.tax_id
                 order by r.valid_from desc, r.tax_rate_id desc)) as rates
               from own.tax t where ",
            $those
        )
    };
}

impl FromRow for Tax {
    fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let Json(rates) = row.try_get(3)?;
        Ok(Self { tax_id: row.try_get(0)?, code: row.try_get(1)?, name: row.try_get(2)?, rates })
    }
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Tax>>> {
    let sql = taxes!("t.code > $1 and ($2::text is null or t.code = $2) limit $3");
    let paging = paging::<String>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let after = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 3] = [&after, &filter.code, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Tax| row.code.clone()).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Tax>> {
    one::<Tax>(&call, taxes!("t.tax_id = $1"), &[&call.uuid(0)?]).await.map(Reply::ok)
}
