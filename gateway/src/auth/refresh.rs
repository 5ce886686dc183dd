//! `POST /v1/auth/refresh`

use schemars::JsonSchema;
use serde::Deserialize;

use super::issue::{self, Issued, Tokens};
use crate::database::auth::Rotation;
use crate::http::answer::Reply;
use crate::http::cookie;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::token::claims::Role;
use crate::token::refresh::Refresh as Token;
use crate::who;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Absent when it is in a cookie.
    #[schemars(length(max = 200))]
    refresh_token: Option<String>,
}

pub async fn refresh(call: Call, body: Refresh) -> Outcome<Reply<Tokens>> {
    let app = &call.app;
    let in_cookie = cookie::read(&call.request, cookie::REFRESH)?;
    let (text, by_cookie) = match (body.refresh_token, in_cookie) {
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("two_tokens", "The refresh token came twice.").into());
        }
        (Some(token), None) => (token, false),
        (None, Some(token)) => (token.to_owned(), true),
        (None, None) => return Err(Problem::unauthorized("no_token", "There is no refresh token.").into()),
    };
    let refused = || {
        app.metrics.refreshes.with_label_values(&["refused"]).inc();
        Problem::unauthorized("invalid_grant", "The refresh token does not hold; log in again.")
    };
    let token = Token::read(&app.keys.mac, &text).ok_or_else(refused)?;
    if by_cookie {
        who::require_csrf(app, &call.request, &token.session)?;
    }
    // Whoever has used what came with the next token got that answer; the one who asks now did not.
    let next_was_used = app.used_counters.get(&token.session).is_some_and(|used| used > token.counter);
    let next = app.database.refresh_session(token.session, token.counter, next_was_used).await?.ok_or_else(refused)?;
    let label = if next.rotation == Rotation::Rotated { "ok" } else { "repeated" };
    app.metrics.refreshes.with_label_values(&[label]).inc();
    let issued = Issued {
        session: token.session,
        counter: next.counter,
        employee: next.employee,
        role: Role::from_name(&next.role).ok_or_else(Problem::internal)?,
        authz: next.authz,
    };
    issue::reply(&call, &issued, by_cookie)
}
