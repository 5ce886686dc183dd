//! Passwords, which the database lets be changed at central only: `POST /v1/auth/password`, `/v1/auth/password/link`, and the
//! admin's `POST /v1/employees/{employee_id}/password-link`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use ring::digest::{SHA256, digest};
use ring::rand::SecureRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::me::alive;
use super::proof;
use crate::http::answer::Reply;
use crate::http::problem::{Fault, Outcome, Problem};
use crate::http::request::Call;
use crate::password::accepted;
use crate::resource::write::once;
use crate::route::{NoContent, Nothing};

/// A link is handed over in person, or read out on the telephone.
const LINK_LIFE: Duration = Duration::hours(24);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[schemars(length(min = 1, max = 1024))]
    current_password: String,
    /// 8 to 1024 bytes; any of them.
    #[schemars(length(max = 1024))]
    new_password: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseLink {
    /// The secret of the link.
    #[schemars(length(max = 200))]
    link: String,
    #[schemars(length(max = 1024))]
    new_password: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Link {
    /// For `POST /v1/auth/password/link`, once. It is shown only here.
    link: String,
    expires_at: DateTime<Utc>,
}

/// Ends all other sessions of hers.
pub async fn change(call: Call, change: Change) -> Outcome<Reply<NoContent>> {
    let app = &call.app;
    let me = alive(&call).await?;
    let known = proof::of_password(app, &call.request.source, &me.code, change.current_password).await?;
    if known.map(|known| known.employee) != Some(me.employee_id) {
        let fault = Fault::new("/current_password", "wrong", "It is not your password.");
        return Err(Problem::invalid(vec![fault]).into());
    }
    if let Some(fault) = accepted::fault("/new_password", &change.new_password, &me.code) {
        return Err(Problem::invalid(vec![fault]).into());
    }
    let phc = app.hashing.hash(change.new_password).await?;
    let (by, this) = (format!("employee:{}", me.employee_id), call.person()?.session);
    app.database.set_password(me.employee_id, &phc, &by, Some(this)).await?;
    Ok(Reply::nothing())
}

/// Ends all sessions of hers.
pub async fn use_link(call: Call, body: UseLink) -> Outcome<Reply<NoContent>> {
    let app = &call.app;
    let address = &call.request.source.counted_as;
    // Whose it is, is known only when it is used; so her own code is not refused here.
    if let Some(fault) = accepted::fault("/new_password", &body.new_password, "") {
        return Err(Problem::invalid(vec![fault]).into());
    }
    let left = app.failures.take(address.clone(), std::time::Instant::now());
    if !left.allowed {
        return Err(Problem::too_many(left.reset_s).into());
    }
    let give_back = || app.failures.give_back(address);
    let phc = app.hashing.hash(body.new_password).await.inspect_err(|_| give_back())?;
    let whose = app.database.use_password_link(digest(&SHA256, body.link.as_bytes()).as_ref(), &phc).await;
    match whose {
        Ok(Some(_)) => {
            give_back();
            Ok(Reply::nothing())
        }
        // What the database does not know, and what it knows no more, read alike.
        Ok(None) => Err(link_gone()),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Err(link_gone()),
        Err(problem) => Err(problem),
    }
}

fn link_gone() -> Box<Problem> {
    Problem::new(StatusCode::GONE, "link_gone", "The link holds no more.").into()
}

pub async fn make_link(call: Call, _: Nothing) -> Outcome<Reply<Link>> {
    let mut secret = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut secret).map_err(|_| Problem::internal())?;
    let link = URL_SAFE_NO_PAD.encode(secret);
    // Whole seconds: the database reads microseconds at most.
    let expires_at = (Utc::now() + LINK_LIFE).trunc_subsecs(0);
    let hash: String = digest(&SHA256, link.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let arguments = json!({ "employee_id": call.uuid(0)?, "link_hash": hash, "expires_at": expires_at });
    // Each call makes another secret, so that none is a repetition.
    once::<Value>(&call, "make_password_link", arguments).await?;
    Ok(Reply::ok(Link { link, expires_at }))
}
