//! `/v1/stores`, and the closing of their business days.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::types::ToSql;

use super::elsewhere;
use super::item::versioned;
use super::list::{Page, filter, page, paging};
use super::write::once;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    pub struct Store as store_columns {
        node_id: i32,
        code: String,
        name: String,
        timezone: String,
        currency: String,
        /// Sales before this local hour belong to the business date before.
        cutoff_hour: i16,
        /// Where its own gateway answers; null when it has none.
        gateway_url: Option<String>,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 16))]
        code: String,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseDay {
    business_date: NaiveDate,
    /// The reason, for those who look later.
    #[schemars(length(min = 1, max = 500))]
    why: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct ClosedDay {
    node_id: i32,
    business_date: NaiveDate,
    closed_at: DateTime<Utc>,
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Store>>> {
    let sql = concat!(
        "select ",
        store_columns!(),
        " from own.store where node_id > $1 and ($2::text is null or code = $2) limit $3"
    );
    let paging = paging::<i32>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let parameters: [&(dyn ToSql + Sync); 3] = [&paging.after.unwrap_or(0), &filter.code, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Store| row.node_id).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Store>> {
    let sql = concat!("select ", store_columns!(), " from own.store where node_id = $1");
    versioned(&call, sql, &[&call.number(0)?], |row: &Store| row.etag.clone()).await
}

/// What comes later counts, is marked LATE, and gets no .dat by itself.
pub async fn close_day(call: Call, day: CloseDay) -> Outcome<Reply<ClosedDay>> {
    let node = call.number(0)?;
    if node != call.app.known_node()?.id {
        let problem = Problem::conflict("decided-by-store", "A day is closed at its store.");
        return Err(elsewhere::of_store(&call, node, problem).await?.into());
    }
    let mut arguments = json!({ "business_date": day.business_date });
    if let (Some(members), Some(why)) = (arguments.as_object_mut(), day.why) {
        members.insert("why".to_owned(), json!(why));
    }
    Ok(once::<ClosedDay>(&call, "close_day", arguments).await?.reply(Reply::ok))
}
