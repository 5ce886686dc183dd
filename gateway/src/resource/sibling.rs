//! `/v1/siblings`: values that two nodes wrote at once, until somebody settles it; and rows that
//! are one, made aliases.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::read;
use super::list::{Page, filter, page, paging};
use super::write::once;
use crate::database::asked::Mode;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::{NoContent, Nothing};

row! {
    /// One of the values of a column of a row.
    pub struct Sibling as sibling_columns {
        table_name: String,
        key: String,
        /// The column, or the group of columns.
        column_name: String,
        value: Option<Value>,
        /// The node that wrote it.
        node_id: i32,
        /// The number of its operation.
        seq: i64,
        at: DateTime<Utc>,
        /// Whether the row has this value.
        shown: bool,
        /// Whether a person should look at it.
        review: bool,
    }
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 100))]
        table: String,
        /// The key of a row.
        #[schemars(length(max = 100))]
        key: String,
        #[schemars(length(max = 100))]
        column: String,
        review: bool,
    }
}

/// All values of one column of one row.
#[derive(Serialize, JsonSchema)]
pub struct Conflict {
    table_name: String,
    key: String,
    column_name: String,
    values: Vec<Sibling>,
}

/// Which value wins.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    node_id: u16,
    #[schemars(range(min = 1, max = 999_999_999_999_999_999_i64))]
    seq: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The row that it is; null makes it a row of its own again.
    of_key: Option<Uuid>,
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Sibling>>> {
    let sql = concat!(
        "select ",
        sibling_columns!(),
        " from own.sibling
          where (table_name, key, column_name, node_id, seq) > ($1, $2, $3, $4, $5)
            and ($6::text is null or table_name = $6) and ($7::text is null or key = $7)
            and ($8::text is null or column_name = $8) and ($9::bool is null or review = $9)
          limit $10"
    );
    let paging = paging::<(String, String, String, i32, i64)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (in_table, of, at, node, seq) = paging.after.clone().unwrap_or_default();
    let Filter { table, key, column, review, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 10] =
        [&in_table, &of, &at, &node, &seq, table, key, column, review, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Sibling| {
        (row.table_name.clone(), row.key.clone(), row.column_name.clone(), row.node_id, row.seq)
    })
    .await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Conflict>> {
    let sql = concat!(
        "select ",
        sibling_columns!(),
        " from own.sibling where table_name = $1 and key = $2 and column_name = $3 limit 200"
    );
    let [table_name, key, column_name] = [0, 1, 2].map(|index| call.parameter(index).to_owned());
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&table_name, &key, &column_name]).await?;
    let values = rows.iter().map(read).collect::<Outcome<Vec<Sibling>>>()?;
    if values.is_empty() {
        return Err(Problem::not_found().into());
    }
    Ok(Reply::ok(Conflict { table_name, key, column_name, values }))
}

pub async fn settle(call: Call, choice: Choice) -> Outcome<Reply<NoContent>> {
    let arguments = json!({
        "table_name": call.parameter(0), "key": call.uuid(1)?, "column_name": call.parameter(2),
        "node_id": choice.node_id, "seq": choice.seq,
    });
    let done = once::<Value>(&call, "settle", arguments).await?;
    Ok(done.reply(|_| Reply::nothing()))
}

pub async fn make_alias(call: Call, alias: Alias) -> Outcome<Reply<NoContent>> {
    let arguments = json!({ "table_name": call.parameter(0), "key": call.uuid(1)?, "of_key": alias.of_key });
    let done = once::<Value>(&call, "make_alias", arguments).await?;
    Ok(done.reply(|_| Reply::nothing()))
}
