//! `POST /v1/auth/login`

use schemars::JsonSchema;
use serde::Deserialize;
use warp::http::StatusCode;

use super::issue::{self, Issued, Tokens};
use super::proof;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::token::claims::Role;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The code of the employee.
    #[schemars(length(min = 1, max = 64))]
    code: String,
    #[schemars(length(min = 1, max = 1024))]
    password: String,
    /// One of her roles; without it the one that may most.
    role: Option<Role>,
    /// The tokens come as cookies, for a page.
    cookies: Option<bool>,
}

pub async fn login(call: Call, login: Login) -> Outcome<Reply<Tokens>> {
    call.app.known_node()?;
    let outcome = attempt(&call, login).await;
    let label = match &outcome {
        Ok(_) => "ok",
        Err(problem) => match problem.status.as_u16() {
            401 => "refused",
            403 => "no_role",
            429 => "throttled",
            _ => "failed",
        },
    };
    call.app.metrics.logins.with_label_values(&[label]).inc();
    outcome
}

async fn attempt(call: &Call, login: Login) -> Outcome<Reply<Tokens>> {
    let (app, source) = (&call.app, &call.request.source);
    let known = proof::of_password(app, source, &login.code, login.password).await?.ok_or_else(refused)?;
    let agent: String = call.header(warp::http::header::USER_AGENT).unwrap_or_default().chars().take(200).collect();
    let role = login.role.map(Role::name);
    let opened = app.database.open_session(known, role, &source.address, &agent).await;
    let session = opened.map_err(|problem| match problem.status {
        // Her password was changed while this one was compared.
        StatusCode::UNAUTHORIZED => refused(),
        _ => problem,
    })?;
    let issued = Issued {
        session: session.id,
        counter: session.counter,
        employee: known.employee,
        role: Role::from_name(&session.role).ok_or_else(Problem::internal)?,
        authz: session.authz,
    };
    issue::reply(call, &issued, login.cookies == Some(true))
}

fn refused() -> Box<Problem> {
    Problem::unauthorized("login_refused", "Code or password is wrong.").into()
}
