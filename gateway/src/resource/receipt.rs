//! `/v1/receipts/{node_id}/{receipt_id}`: one, its lines, its events, and the decisions.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::elsewhere;
use super::item::read;
use super::list::{Page, page, paging};
use super::write::once;
use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::database::decimal::Decimal;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// A receipt of a terminal, as this node knows it.
    pub struct Receipt as receipt_columns {
        node_id: i32,
        receipt_id: Uuid,
        business_date: NaiveDate,
        terminal: String,
        department: String,
        series: String,
        receipt_number: String,
        /// The time as it is printed.
        printed_text: String,
        printed_at: DateTime<Utc>,
        recorded_at: DateTime<Utc>,
        line_count: i32,
        total: Decimal,
        lines_total: Decimal,
        total_difference: Decimal,
        /// accepted, held, released or voided.
        state: String,
        hold_code: Option<String>,
        hold_pointer: Option<String>,
        hold_detail: Option<String>,
        flags: Vec<String>,
    }
}

pub(super) use receipt_columns;

/// One receipt, and where it is decided about.
#[derive(Serialize, JsonSchema)]
pub struct Shown {
    #[serde(flatten)]
    receipt: Receipt,
    /// The gateway of its store; null when that is this one, or when it has none.
    gateway_url: Option<String>,
}

row! {
    pub struct Line as line_columns {
        line_number: i32,
        barcode: String,
        gtin14: Option<String>,
        description: String,
        price: Decimal,
        quantity: Option<Decimal>,
        tax_rate: Option<Decimal>,
        total: Decimal,
    }
}

row! {
    /// Something that was decided about a receipt.
    pub struct Event as event_columns {
        doc_id: Uuid,
        kind: String,
        at: DateTime<Utc>,
        actor: Option<String>,
        why: Option<String>,
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineFilter {
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    #[schemars(length(max = 1000))]
    cursor: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// The reason, for those who look later. It names no person.
    #[schemars(length(min = 1, max = 500))]
    pub why: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    #[schemars(length(min = 1, max = 500))]
    why: String,
    /// The name of the .dat, where the usual one is taken.
    #[schemars(length(min = 1, max = 64))]
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Shown>> {
    let sql = concat!(
        "select ",
        receipt_columns!(),
        ", case when node_id <> $3 then (select s.gateway_url from own.store s where s.node_id = $1) end
           from own.receipt where node_id = $1 and receipt_id = $2"
    );
    let (node, receipt, here) = (call.number(0)?, call.uuid(1)?, call.app.known_node()?.id);
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&node, &receipt, &here]).await?;
    let row = rows.first().ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(Shown { receipt: read(row)?, gateway_url: get(row, row.len() - 1)? }))
}

pub async fn lines(call: Call, filter: LineFilter) -> Outcome<Reply<Page<Line>>> {
    let sql = concat!(
        "select ",
        line_columns!(),
        " from own.receipt_line
          where node_id = $1 and receipt_id = $2 and line_number > $3 limit $4"
    );
    let paging = paging::<i32>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let after = paging.after.unwrap_or(-1);
    let parameters: [&(dyn ToSql + Sync); 4] = [&call.number(0)?, &call.uuid(1)?, &after, &paging.fetch];
    of_receipt(&call, page(&call, &paging, sql, &parameters, |row: &Line| row.line_number).await?).await
}

pub async fn events(call: Call, filter: LineFilter) -> Outcome<Reply<Page<Event>>> {
    let sql = concat!(
        "select ",
        event_columns!(),
        " from own.receipt_event
          where node_id = $1 and receipt_id = $2 and doc_id > $3 limit $4"
    );
    let paging = paging::<Uuid>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let after = paging.after.unwrap_or(Uuid::nil());
    let parameters: [&(dyn ToSql + Sync); 4] = [&call.number(0)?, &call.uuid(1)?, &after, &paging.fetch];
    of_receipt(&call, page(&call, &paging, sql, &parameters, |row: &Event| row.doc_id).await?).await
}

/// An empty list may be one of no receipt.
async fn of_receipt<T>(call: &Call, list: Reply<Page<T>>) -> Outcome<Reply<Page<T>>> {
    if list.value.as_ref().is_some_and(|page| page.items.is_empty()) {
        let sql = "select from own.receipt where node_id = $1 and receipt_id = $2";
        let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&call.number(0)?, &call.uuid(1)?]).await?;
        rows.first().ok_or_else(Problem::not_found)?;
    }
    Ok(list)
}

pub async fn release(call: Call, release: Release) -> Outcome<Reply<Receipt>> {
    decide(call, "release", json!(release)).await
}

pub async fn void(call: Call, why: Why) -> Outcome<Reply<Receipt>> {
    decide(call, "void", json!(why)).await
}

pub async fn withdraw(call: Call, why: Why) -> Outcome<Reply<Receipt>> {
    decide(call, "withdraw", json!(why)).await
}

pub async fn render_again(call: Call, why: Why) -> Outcome<Reply<Receipt>> {
    decide(call, "render_again", json!(why)).await
}

/// The database decides about receipts of its own store, whatever the path says; so the path is
/// compared first.
async fn decide(call: Call, verb: &'static str, mut arguments: Value) -> Outcome<Reply<Receipt>> {
    let (node, receipt) = (call.number(0)?, call.uuid(1)?);
    if node != call.app.known_node()?.id {
        let problem = Problem::conflict("decided-by-store", "That is decided at the store of the receipt.");
        return Err(elsewhere::of_receipt(&call, node, receipt, problem).await?.into());
    }
    if let Some(members) = arguments.as_object_mut() {
        members.insert("receipt_id".to_owned(), json!(receipt));
    }
    Ok(once::<Receipt>(&call, verb, arguments).await?.reply(Reply::ok))
}
