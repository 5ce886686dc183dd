//! `/v1/drift`: what a peer has and this node has not, and its acceptance.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::types::ToSql;

use super::item::one;
use super::list::{Page, filter, page, paging};
use super::receipt::Why;
use super::write::once;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    pub struct Drift as drift_columns {
        drift_id: i64,
        found_at: DateTime<Utc>,
        /// The peer.
        node_id: i32,
        /// operations, hash_chain, broken or restored.
        what: String,
        subject: String,
        detail: String,
        /// When it was mended or accepted; null while it is open.
        resolved_at: Option<DateTime<Utc>>,
    }
}

filter! {
    pub struct Filter {
        /// Whether it is open.
        open: bool,
        /// The peer.
        node: u16,
        #[schemars(length(max = 64))]
        what: String,
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Accepted {
    drift_id: i64,
    resolved: bool,
}

/// The newest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Drift>>> {
    let sql = concat!(
        "select ",
        drift_columns!(),
        " from own.drift
          where drift_id < $1 and ($2::bool is null or (resolved_at is null) = $2)
            and ($3::int is null or node_id = $3) and ($4::text is null or what = $4)
          limit $5"
    );
    let paging = paging::<i64>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(i64::MAX);
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&before, &filter.open, &filter.node.map(i32::from), &filter.what, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Drift| row.drift_id).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Drift>> {
    let sql = concat!("select ", drift_columns!(), " from own.drift where drift_id = $1");
    one::<Drift>(&call, sql, &[&call.long_number(0)?]).await.map(Reply::ok)
}

/// Somebody has looked at the difference; comparing goes on after it.
pub async fn accept(call: Call, why: Why) -> Outcome<Reply<Accepted>> {
    let arguments = json!({ "drift_id": call.long_number(0)?, "why": why.why });
    Ok(once::<Accepted>(&call, "accept_drift", arguments).await?.reply(Reply::ok))
}
