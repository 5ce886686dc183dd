//! Whether a password is somebody's. Unknown, wrong, disabled and blocked look alike, and take the
//! same time: the same calls of the database, the same opening of a box, the same hash.
//!
//! Two things slow down whoever guesses. Each attempt counts before its hash is computed, and is
//! given back when the password was right: many at once count like one after the other. An account is throttled for one address at a time, so that
//! a stranger elsewhere locks nobody out. And an address that is wrong often, whoever it says it
//! is, waits too.

use std::time::Instant;

use chrono::Utc;
use ring::digest::{Context, SHA256};

use crate::app::App;
use crate::database::auth::Known;
use crate::http::problem::{Outcome, Problem};
use crate::http::source::Source;

/// Whose password it is; none when it is not of this code.
pub async fn of_password(app: &App, source: &Source, code: &str, password: String) -> Outcome<Option<Known>> {
    let code = code.trim().to_ascii_lowercase();
    let (address, subject) = (&source.counted_as, subject(&code, &source.counted_as));
    let left = app.failures.take(address.clone(), Instant::now());
    if !left.allowed {
        app.metrics.throttled.with_label_values(&["address"]).inc();
        return Err(Problem::too_many(left.reset_s).into());
    }
    let attempt = app.database.take_attempt(&subject).await;
    let until = attempt.inspect_err(|_| app.failures.give_back(address))?;
    if let Some(until) = until {
        // Nothing was compared, so the address loses nothing.
        app.failures.give_back(address);
        app.metrics.throttled.with_label_values(&["account"]).inc();
        let seconds = (until - Utc::now()).num_seconds().saturating_add(1);
        return Err(Problem::too_many(u64::try_from(seconds).unwrap_or(1)).into());
    }
    match compare(app, &code, password).await {
        Ok((Some(known), true)) => {
            app.failures.give_back(address);
            app.database.forget_attempts(&subject).await?;
            Ok(Some(known))
        }
        Ok((known, _)) => {
            let who = known.map_or("unknown".to_owned(), |known| known.employee.to_string());
            app.database.record("LOGIN_REFUSED", &who, &source.address).await?;
            Ok(None)
        }
        Err(problem) => {
            app.failures.give_back(address);
            // Best effort: the database may be what is away.
            let _ = app.database.return_attempt(&subject).await;
            Err(problem)
        }
    }
}

/// Whose code it is, and whether the password is hers.
async fn compare(app: &App, code: &str, password: String) -> Outcome<(Option<Known>, bool)> {
    let known = app.database.find_login(code).await?;
    let (known, phc, sealed) = match known {
        Some(login) => (Some(login.known), login.phc, login.sealed),
        None => (None, None, None),
    };
    // At a store the box has the string; without one, another is opened that has nothing.
    let opened = app.keys.sealing.open(sealed.as_deref());
    if sealed.is_some() && opened.is_none() {
        tracing::warn!("a sealed password cannot be opened: it was sealed for another key; register this one");
    }
    Ok((known, app.hashing.verify(phc.or(opened), password).await?))
}

/// An account at an address. A hash, so that the table holds neither.
fn subject(code: &str, address: &str) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in ["login", code, address] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}
