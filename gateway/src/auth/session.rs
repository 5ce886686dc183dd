//! Sessions of the one who asks: `POST /v1/auth/logout`, `/v1/auth/logout-all`, and
//! `GET`, `DELETE /v1/auth/sessions`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::issue::without_cookies;
use super::me::alive;
use crate::database::asked::Mode;
use crate::database::row::{FromRow, row};
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::resource::write::once;
use crate::route::{NoContent, Nothing};

row! {
    /// A time that somebody logged in and did not log out yet.
    pub struct Session as session_columns {
        session_id: Uuid,
        role: String,
        created_at: DateTime<Utc>,
        last_used_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        address: Option<String>,
        user_agent: Option<String>,
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Sessions {
    items: Vec<Session>,
    /// The session that this request belongs to.
    this: Uuid,
}

/// Without asking whether the session is alive: to end it twice is no fault.
pub async fn logout(call: Call, _: Nothing) -> Outcome<Reply<NoContent>> {
    call.app.database.end_session(call.person()?.session, "LOGOUT").await?;
    Ok(without_cookies(Reply::nothing(), &call))
}

pub async fn logout_all(call: Call, _: Nothing) -> Outcome<Reply<NoContent>> {
    alive(&call).await?;
    call.app.database.end_sessions(call.person()?.employee, None, "LOGOUT_ALL").await?;
    Ok(without_cookies(Reply::nothing(), &call))
}

pub async fn list(call: Call, _: Nothing) -> Outcome<Reply<Sessions>> {
    let sql = concat!("select ", session_columns!(), " from own.session limit 200");
    let person = call.person()?;
    let rows = call.app.database.ask(person, Mode::Read, sql, &[]).await?;
    let items: Result<_, _> = rows.iter().map(Session::from_row).collect();
    let items = items.map_err(|error| {
        tracing::error!(%error, "own.session has other columns");
        Problem::internal()
    })?;
    Ok(Reply::ok(Sessions { items, this: person.session }))
}

pub async fn end(call: Call, _: Nothing) -> Outcome<Reply<NoContent>> {
    once::<serde_json::Value>(&call, "end_session", json!({ "session_id": call.uuid(0)? })).await?;
    Ok(Reply::nothing())
}
