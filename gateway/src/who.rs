//! Who asks. An access token is checked here and nowhere else (`token/access.rs` says how); that
//! its session is alive is asked in the round trip of the request itself.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use subtle::ConstantTimeEq;
use warp::http::{Method, StatusCode, header};

use crate::app::App;
use crate::http::cookie;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::{Request, no_token};
use crate::token::claims::Person;

/// The person, and whether a cookie said so.
pub async fn asks(app: &App, request: &Request) -> Outcome<(Person, bool)> {
    let (token, by_cookie) = token(request)?;
    let person = app
        .keys
        .read(token)
        .ok_or_else(|| Problem::unauthorized("invalid_token", "The access token does not hold, or holds no more."))?;
    if by_cookie && !is_safe(&request.method) {
        require_csrf(app, request, &person.session)?;
    }
    if person.from_central {
        admit(app, &person).await?;
    } else {
        app.used_counters.raise(person.session, person.counter);
    }
    Ok((person, by_cookie))
}

fn token(request: &Request) -> Outcome<(&str, bool)> {
    let mut given = request.headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next(), given.next());
    let cookie = cookie::read(request, cookie::ACCESS)?;
    match (first, cookie) {
        _ if second.is_some() => Err(Problem::bad_request("two_tokens", "Authorization came twice.").into()),
        (Some(_), Some(_)) => {
            Err(Problem::bad_request("two_tokens", "Send the token as Bearer or as a cookie, not both.").into())
        }
        (Some(value), None) => {
            let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
            if scheme.eq_ignore_ascii_case("bearer") { Ok((token.trim(), false)) } else { Err(no_token().into()) }
        }
        (None, Some(token)) => Ok((token, true)),
        (None, None) => Err(no_token().into()),
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Another site can make a browser send our cookies, but it cannot read the one with this value.
pub fn require_csrf(app: &App, request: &Request, session: &uuid::Uuid) -> Outcome<()> {
    let given = request.headers.get(cookie::CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let expected = csrf_of(app, session);
    if given.as_bytes().ct_eq(expected.as_bytes()).into() {
        return Ok(());
    }
    let detail = "Send csrf_token of the login, which the cookie tpv_csrf has too, as X-CSRF-Token.";
    Err(Problem::new(StatusCode::FORBIDDEN, "csrf", detail).into())
}

pub fn csrf_of(app: &App, session: &uuid::Uuid) -> String {
    let mac = app.keys.mac.sign("csrf", &[session.as_bytes()]);
    URL_SAFE_NO_PAD.encode(mac)
}

/// A session of central's is not in our database. It is entered with the first token of it that
/// comes, and again when a later one lives longer.
async fn admit(app: &App, person: &Person) -> Outcome<()> {
    if app.admitted.get(&person.session).is_some_and(|until| until >= person.expires_at) {
        return Ok(());
    }
    let expires_at = DateTime::from_timestamp(person.expires_at, 0).ok_or_else(Problem::internal)?;
    let role = person.role.name();
    app.database.admit(person.session, person.employee, role, person.authz, expires_at).await?;
    app.admitted.raise(person.session, person.expires_at);
    Ok(())
}
