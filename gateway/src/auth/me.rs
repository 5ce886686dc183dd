//! `GET /v1/me`

use serde_json::Value;
use uuid::Uuid;

use crate::database::asked::Mode;
use crate::database::row::{FromRow, row};
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// Who is logged in, with which role, and for what.
    pub struct Me as me_columns {
        employee_id: Uuid,
        code: String,
        name: String,
        role: String,
        permissions: Vec<String>,
        /// Where the role holds: node (null for the chain), department (null for all of it), dates.
        scope: Value,
    }
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Me>> {
    alive(&call).await.map(Reply::ok)
}

/// Who asks, if the session is alive.
pub async fn alive(call: &Call) -> Outcome<Me> {
    let sql = concat!("select ", me_columns!(), " from own.me");
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[]).await?;
    let row = rows.first().ok_or_else(Problem::not_found)?;
    Me::from_row(row).map_err(|error| {
        tracing::error!(%error, "own.me has other columns");
        Problem::internal().into()
    })
}
