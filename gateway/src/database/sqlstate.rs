//! What an SQL error is over HTTP. The only table of this kind.
//!
//! Messages of our own codes (class TP) are sentences for people, without values; all other
//! messages stay in the log, and of classes 22 and 23, which quote values, not even there.

use serde::Deserialize;
use tokio_postgres::error::{DbError, SqlState};
use tpv_connect::with_sources;
use warp::http::StatusCode;

use super::pool::away;
use crate::http::problem::{Fault, Problem};

/// A refusal of the database.
#[derive(Debug)]
pub struct Refused {
    pub problem: Box<Problem>,
    /// The transaction was rolled back through no fault of its own: the same may work now.
    pub again: bool,
}

impl From<Refused> for Box<Problem> {
    fn from(refused: Refused) -> Self {
        refused.problem
    }
}

pub fn refused(error: &tokio_postgres::Error) -> Refused {
    let Some(server) = error.as_db_error() else {
        tracing::warn!(error = with_sources(error), "the database broke off");
        return Refused { problem: away(), again: false };
    };
    let again = matches!(*server.code(), SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED);
    Refused { problem: problem(server.code().code(), server.message(), server.detail()).into(), again }.logged(server)
}

impl Refused {
    fn logged(self, server: &DbError) -> Self {
        let state = server.code().code();
        let quotes = state.starts_with("22") || state.starts_with("23");
        let message = if quotes { "a value was refused" } else { server.message() };
        match self.problem.status {
            StatusCode::INTERNAL_SERVER_ERROR => tracing::error!(state, message, "the database refused a statement"),
            StatusCode::SERVICE_UNAVAILABLE => tracing::warn!(state, message, "the database is not at our service"),
            _ => tracing::debug!(state, "the database refused"),
        }
        self
    }
}

/// The table: SQLSTATE, our message, our DETAIL → what the client reads.
pub fn problem(state: &str, message: &str, detail: Option<&str>) -> Problem {
    match state {
        "TP401" => Problem::unauthorized("session_ended", "You are not logged in any more."),
        "TP403" => Problem::forbidden(),
        "TP404" => Problem::not_found(),
        "TP409" => decided_elsewhere(message, detail),
        "TP412" => Problem::new(StatusCode::PRECONDITION_FAILED, "version_moved_on", "Somebody changed it meanwhile."),
        "TP422" => refused_values(message, detail),
        "TP428" => version_needed(),
        "TPIDK" => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This Idempotency-Key came with another request.",
        ),
        "23505" => Problem::conflict("exists", "Something like it exists already."),
        "55P03" => Problem::conflict("in_progress", "Somebody else is at it; try again in a moment."),
        "42501" => Problem::forbidden(),
        "57014" => Problem::unavailable("It took too long."),
        "40001" | "40P01" => Problem::unavailable("Others were in the way."),
        _ => match state.get(..2) {
            Some("22") => Problem::invalid(vec![Fault::new("", "value", "A value was refused.")]),
            Some("23") => Problem::invalid(vec![Fault::new("", "constraint", "A value does not go with the others.")]),
            Some("08" | "53" | "57" | "58") => Problem::unavailable("The database does not answer."),
            _ => Problem::internal(),
        },
    }
}

pub fn version_needed() -> Problem {
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "version_needed", "Name the version that you saw in If-Match.")
}

#[derive(Deserialize)]
struct Conflict {
    code: String,
    gateway_url: Option<String>,
}

fn decided_elsewhere(message: &str, detail: Option<&str>) -> Problem {
    let conflict = detail.and_then(|detail| serde_json::from_str::<Conflict>(detail).ok());
    let (code, url) = conflict.map_or(("conflict".to_owned(), None), |told| (told.code, told.gateway_url));
    let mut problem = Problem::conflict(&code, message);
    problem.gateway_url = url;
    problem
}

fn refused_values(message: &str, detail: Option<&str>) -> Problem {
    let faults = detail.and_then(|detail| serde_json::from_str::<Vec<Fault>>(detail).ok());
    Problem::invalid(faults.unwrap_or_else(|| vec![Fault::new("", "value", message)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_status() {
        for (state, status) in [
            ("TP401", 401),
            ("TP403", 403),
            ("TP404", 404),
            ("TP409", 409),
            ("TP412", 412),
            ("TP422", 422),
            ("TP428", 428),
            ("TPIDK", 422),
            ("23505", 409),
            ("23503", 422),
            ("23514", 422),
            ("22P02", 422),
            ("22021", 422),
            ("40001", 503),
            ("40P01", 503),
            ("55P03", 409),
            ("57014", 503),
            ("42501", 403),
            ("53300", 503),
            ("57P01", 503),
            ("08006", 503),
            ("42P01", 500),
            ("XX000", 500),
            ("P0001", 500),
        ] {
            assert_eq!(problem(state, "m", None).status.as_u16(), status, "{state}");
        }
    }

    #[test]
    fn only_our_own_words_reach_a_client() {
        for state in ["42P01", "23505", "22P02", "XX000", "57014", "42501"] {
            let text = format!("{:?}", problem(state, "relation secret.thing", Some("Key (email)=(a@b.c)")));
            assert!(!text.contains("secret") && !text.contains("a@b.c"), "{state}: {text}");
        }
    }

    #[test]
    fn a_conflict_says_where_it_is_decided() {
        let detail = r#"{"code": "decided-by-store", "gateway_url": "https://s01.example"}"#;
        let problem = problem("TP409", "The store decides.", Some(detail));
        assert_eq!(
            (problem.code.as_str(), problem.gateway_url.as_deref()),
            ("decided-by-store", Some("https://s01.example"))
        );
    }

    #[test]
    fn all_faults_arrive() {
        let detail = r#"[{"pointer": "/email", "code": "format", "detail": "x"}, {"pointer": "/name", "code": "empty", "detail": "y"}]"#;
        assert_eq!(problem("TP422", "m", Some(detail)).errors.len(), 2);
    }
}
