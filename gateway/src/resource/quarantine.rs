//! `/v1/quarantine`: rows of the chain that wait at this node, and what is decided about them.

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
    /// A document or an operation that could not be worked with yet, or was refused.
    pub struct Quarantined as quarantine_columns {
        quarantine_id: i64,
        /// When it was last tried.
        at: DateTime<Utc>,
        /// The node that wrote it.
        node_id: i32,
        code: String,
        /// The kind of a document; the table of an operation.
        kind: String,
        detail: String,
        /// When it was done after all, or dismissed; null while it waits.
        resolved_at: Option<DateTime<Utc>>,
    }
}

filter! {
    pub struct Filter {
        /// Whether it waits.
        open: bool,
        /// The node that wrote it.
        node: u16,
        #[schemars(length(max = 64))]
        code: String,
        #[schemars(length(max = 64))]
        kind: String,
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Resolved {
    quarantine_id: i64,
    /// Whether it waits no longer.
    resolved: bool,
}

/// The newest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Quarantined>>> {
    let sql = concat!(
        "select ",
        quarantine_columns!(),
        " from own.quarantine
          where quarantine_id < $1 and ($2::bool is null or (resolved_at is null) = $2)
            and ($3::int is null or node_id = $3) and ($4::text is null or code = $4)
            and ($5::text is null or kind = $5)
          limit $6"
    );
    let paging = paging::<i64>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(i64::MAX);
    let Filter { open, code, kind, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 6] = [&before, open, &filter.node.map(i32::from), code, kind, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Quarantined| row.quarantine_id).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Quarantined>> {
    let sql = concat!("select ", quarantine_columns!(), " from own.quarantine where quarantine_id = $1");
    one::<Quarantined>(&call, sql, &[&call.long_number(0)?]).await.map(Reply::ok)
}

pub async fn replay(call: Call, _: Nothing) -> Outcome<Reply<Resolved>> {
    let arguments = json!({ "quarantine_id": call.long_number(0)? });
    Ok(once::<Resolved>(&call, "replay", arguments).await?.reply(Reply::ok))
}

pub async fn dismiss(call: Call, why: Why) -> Outcome<Reply<Resolved>> {
    let arguments = json!({ "quarantine_id": call.long_number(0)?, "why": why.why });
    Ok(once::<Resolved>(&call, "dismiss", arguments).await?.reply(Reply::ok))
}
