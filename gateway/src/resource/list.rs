//! Lists: a page at a time, in the order of a key. The cursor is the key of the last row; rows that
//! come or go meanwhile shift nothing.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::ToSql;
use warp::http::HeaderValue;
use warp::http::header::LINK;

use super::item::read;
use crate::database::asked::Mode;
use crate::database::row::FromRow;
use crate::http::answer::Reply;
use crate::http::cursor;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;

const USUAL: u16 = 50;

/// The query of a list: what it is filtered by, and which page of it. Nothing else is taken.
macro_rules! filter {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$what:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$what])* pub $member: Option<$type>,)*
            /// How many at most.
            #[schemars(range(min = 1, max = 200))]
            pub limit: Option<u16>,
            /// Where it goes on: `next` of the page before.
            #[schemars(length(max = 1000))]
            pub cursor: Option<String>,
        }
    };
}

pub(crate) use filter;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

/// Where a page begins, and how long it is.
pub struct Paging<K> {
    /// The key of the last row of the page before.
    pub after: Option<K>,
    /// One more than is shown: whether it comes says whether there is a next page.
    pub fetch: i64,
    list: String,
}

/// Reads `limit` and `cursor`. `filter` is all that was asked for: the cursor belongs to it.
pub fn paging<K: DeserializeOwned>(
    call: &Call,
    filter: &impl Serialize,
    limit: Option<u16>,
    given: Option<&str>,
) -> Outcome<Paging<K>> {
    let mut filter = serde_json::to_value(filter).map_err(|_| Problem::internal())?;
    if let Some(members) = filter.as_object_mut() {
        members.remove("cursor");
        members.remove("limit");
    }
    let list = format!("{}?{filter}", call.request.path);
    let after = given.map(|given| cursor::decode(&call.app.keys.mac, &list, given)).transpose()?;
    Ok(Paging { after, fetch: i64::from(limit.unwrap_or(USUAL)) + 1, list })
}

/// Asks, and makes a page of the rows. `key` is what the statement orders by.
pub async fn page<T: FromRow + Serialize, K: Serialize + DeserializeOwned>(
    call: &Call,
    paging: &Paging<K>,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
    key: impl Fn(&T) -> K,
) -> Outcome<Reply<Page<T>>> {
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, parameters).await?;
    let mut items = rows.iter().map(read).collect::<Outcome<Vec<T>>>()?;
    let shown = usize::try_from(paging.fetch - 1).unwrap_or_default();
    let more = items.len() > shown;
    items.truncate(shown);
    let last = items.last().filter(|_| more).map(key);
    let next = last.map(|last| cursor::encode(&call.app.keys.mac, &paging.list, &last)).transpose()?;
    let link = next.as_deref().and_then(|next| next_link(call, next));
    let reply = Reply::ok(Page { items, next });
    Ok(match link {
        Some(link) => reply.with(LINK, link),
        None => reply,
    })
}

/// RFC 8288: the same address, with another cursor.
fn next_link(call: &Call, next: &str) -> Option<HeaderValue> {
    let kept = call.request.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let cursor = format!("cursor={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
    let query: Vec<_> = kept.map(str::to_owned).chain([cursor]).collect();
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", call.request.path, query.join("&"))).ok()
}
