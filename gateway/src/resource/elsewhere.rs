//! What only another node has or decides: the problem, with the address of that node's gateway.

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use warp::http::StatusCode;

use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;

/// Files stay where they came; central has the receipt alone.
pub fn kept_at_store() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "kept-at-store", "The store of the receipt has it, and no other node.")
}

/// About a store that the caller may see; else there is nothing.
pub async fn of_store(call: &Call, node: i32, problem: Problem) -> Outcome<Problem> {
    with_address(call, "select gateway_url from own.store where node_id = $1", &[&node], problem).await
}

/// About a receipt that the caller may see.
pub async fn of_receipt(call: &Call, node: i32, receipt: Uuid, problem: Problem) -> Outcome<Problem> {
    let sql = "select s.gateway_url from own.receipt r left join own.store s on s.node_id = r.node_id
                where r.node_id = $1 and r.receipt_id = $2";
    with_address(call, sql, &[&node, &receipt], problem).await
}

async fn with_address(
    call: &Call,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
    mut problem: Problem,
) -> Outcome<Problem> {
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, parameters).await?;
    problem.gateway_url = get(rows.first().ok_or_else(Problem::not_found)?, 0)?;
    Ok(problem)
}
