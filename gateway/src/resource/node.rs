//! `GET /v1/nodes`, `/v1/nodes/{node_id}/{direction}`: the chain, as this node sees it.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::item::one;
use super::list::{Page, filter, page, paging};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// This node, or one direction of what it exchanges with another.
    pub struct Node as node_columns {
        node_id: i32,
        /// Its code.
        node: String,
        /// here (this node), receives or sends.
        direction: String,
        state: String,
        lag_bytes: Option<i64>,
        lag_operations: Option<i64>,
        /// Seconds since its last heartbeat; null of this node.
        silent_for_s: Option<i64>,
        /// All that it wrote until then has come.
        received_until: Option<DateTime<Utc>>,
        /// All that it wrote until then was compared, and is equal.
        verified_until: Option<DateTime<Utc>>,
        /// Receipts of it that wait for a person.
        held: Option<i64>,
        quarantined: Option<i64>,
        drift: Option<i64>,
        version: Option<String>,
        /// What to do.
        advice: Option<String>,
        /// Where its own gateway answers, for what only it decides.
        gateway_url: Option<String>,
    }
}

filter! {
    pub struct Filter {
        /// One node.
        node: u16,
    }
}

macro_rules! nodes {
    () => {
        concat!(
            "select ",
            node_columns!(),
            " from (select n.*, (select s.gateway_url from own.store s where s.node_id = n.node_id) as gateway_url
                      from own.node n) n where "
        )
    };
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Node>>> {
    let sql = concat!(
        nodes!(),
        "(node, direction) > ($1, $2) and ($3::int is null or node_id = $3) order by node, direction limit $4"
    );
    let paging = paging::<(String, String)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (node, direction) = paging.after.clone().unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 4] = [&node, &direction, &filter.node.map(i32::from), &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Node| (row.node.clone(), row.direction.clone())).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Node>> {
    let sql = concat!(nodes!(), "node_id = $1 and direction = $2");
    one::<Node>(&call, sql, &[&call.number(0)?, &call.parameter(1)]).await.map(Reply::ok)
}
