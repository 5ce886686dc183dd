//! The tokens of a session.

use chrono::Utc;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;
use warp::http::header::SET_COOKIE;

use crate::http::answer::Reply;
use crate::http::cookie::{self, Cookie};
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::token::claims::{AUDIENCE, Claims, LIFE_S, Role};
use crate::token::refresh::Refresh;
use crate::who;

/// A session, as far as its tokens tell of it.
pub struct Issued {
    pub session: Uuid,
    pub counter: i32,
    pub employee: Uuid,
    pub role: Role,
    pub authz: i32,
}

#[derive(Serialize, JsonSchema)]
pub struct Tokens {
    /// To be sent as `Authorization: Bearer`; absent when it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// For `POST /v1/auth/refresh`, once; absent when it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// With cookies: to be sent as `X-CSRF-Token` with whatever changes something.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    token_type: &'static str,
    /// Seconds that the access token holds.
    expires_in: i64,
    session_id: Uuid,
    role: Role,
}

pub fn reply(call: &Call, issued: &Issued, in_cookies: bool) -> Outcome<Reply<Tokens>> {
    let now = Utc::now().timestamp();
    let claims = Claims {
        iss: call.app.keys.issuer().to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: Claims::subject_of(issued.employee),
        client_id: "tpv-gateway".to_owned(),
        iat: now,
        nbf: now,
        exp: now + LIFE_S,
        jti: Uuid::new_v4(),
        sid: issued.session,
        role: issued.role.name().to_owned(),
        authz: issued.authz,
        rfc: issued.counter,
    };
    let access = call.app.keys.write(&claims).ok_or_else(|| {
        tracing::error!("no access token could be signed");
        Problem::internal()
    })?;
    let refresh = Refresh { session: issued.session, counter: issued.counter }.write(&call.app.keys.mac);
    let mut tokens = Tokens {
        access_token: None,
        refresh_token: None,
        csrf_token: None,
        token_type: "Bearer",
        expires_in: LIFE_S,
        session_id: issued.session,
        role: issued.role,
    };
    if !in_cookies {
        (tokens.access_token, tokens.refresh_token) = (Some(access), Some(refresh));
        return Ok(Reply::ok(tokens));
    }
    let csrf = who::csrf_of(&call.app, &issued.session);
    tokens.csrf_token = Some(csrf.clone());
    Ok(with_cookies(Reply::ok(tokens), call, &access, &refresh, &csrf, 30 * 24 * 3_600))
}

/// Takes the cookies back.
pub fn without_cookies<A: Serialize>(reply: Reply<A>, call: &Call) -> Reply<A> {
    if call.by_cookie { with_cookies(reply, call, "", "", "", 0) } else { reply }
}

fn with_cookies<A: Serialize>(
    mut reply: Reply<A>,
    call: &Call,
    access: &str,
    refresh: &str,
    csrf: &str,
    max_age_s: i64,
) -> Reply<A> {
    let secure = call.request.source.secure;
    for (name, value, path, max_age_s, for_scripts) in [
        (cookie::ACCESS, access, "/", max_age_s.min(LIFE_S), false),
        // The refresh token goes where it is needed and nowhere else.
        (cookie::REFRESH, refresh, "/v1/auth", max_age_s, false),
        (cookie::CSRF, csrf, "/", max_age_s, true),
    ] {
        if let Some(header) = (Cookie { name, value, path, max_age_s, for_scripts, secure }).header() {
            reply = reply.with(SET_COOKIE, header);
        }
    }
    reply
}
