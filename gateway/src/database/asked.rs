//! One request of a person: one transaction, in one round trip.
//!
//! `begin; set local role`, `sec.enter`, the statement and `commit` go out together, and their
//! answers are looked at in order. Some errors come only at commit; and a commit answers "done"
//! although the transaction was rolled back, so the ones before it count first.

use futures_util::join;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::pool::{Database, Lent, away};
use super::sqlstate::refused;
use crate::http::problem::Outcome;
use crate::token::claims::Person;

const ENTER: &str = "select sec.enter($1, $2, $3, $4)";

/// How often a transaction that others pushed aside is tried. It was rolled back each time, so
/// that a write is no exception.
const TRIES: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Read,
    Write,
}

impl Database {
    /// The rows that this person gets.
    pub async fn ask(
        &self,
        person: &Person,
        mode: Mode,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Outcome<Vec<Row>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let lent = self.user().await?;
            let answer = tokio::time::timeout(self.timeout, round_trip(&lent, person, mode, sql, parameters)).await;
            // Without an answer nobody knows what the connection is in the middle of.
            let answers = answer.map_err(|_| away())??;
            match answers {
                Ok(rows) => {
                    lent.give_back();
                    return Ok(rows);
                }
                Err(error) => {
                    let refused = refused(&error);
                    if leaves_clean(&error) {
                        lent.give_back();
                    }
                    // A write whose connection broke may have been committed; a read is read again.
                    let again = refused.again || mode == Mode::Read && is_broken(&error);
                    if !again || tries == TRIES {
                        return Err(refused.into());
                    }
                }
            }
        }
    }
}

/// The rows, or the first error.
async fn round_trip(
    lent: &Lent,
    person: &Person,
    mode: Mode,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Outcome<Result<Vec<Row>, Error>> {
    let client = lent.client()?;
    let (enter, statement) = match (client.prepare_cached(ENTER).await, client.prepare_cached(sql).await) {
        (Ok(enter), Ok(statement)) => (enter, statement),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    let begin = match mode {
        Mode::Read => format!("begin read only; set local role tpv_{}", person.role.name()),
        Mode::Write => format!("begin; set local role tpv_{}", person.role.name()),
    };
    let role = person.role.name();
    let who: [&(dyn ToSql + Sync); 4] = [&person.session, &person.employee, &role, &person.authz];
    let (begun, entered, rows, committed) = join!(
        client.batch_execute(&begin),
        client.query(&enter, &who),
        client.query(&statement, parameters),
        client.batch_execute("commit"),
    );
    // In order: the first that failed is the reason for those after it.
    Ok(begun.and(entered).and(rows).and_then(|rows| committed.map(|()| rows)))
}

/// The server ended the connection, and will be there for another one.
fn is_broken(error: &Error) -> bool {
    error.is_closed() || error.code().is_some_and(|code| matches!(code.code(), "57P01" | "57P02"))
}

/// Errors after which a connection is as good as before: the transaction has ended, and the
/// prepared statements are right. After all others it is closed.
fn leaves_clean(error: &Error) -> bool {
    let Some(server) = error.as_db_error() else { return false };
    let state = server.code().code();
    matches!(state.get(..2), Some("TP" | "22" | "23" | "40" | "55")) || matches!(state, "42501" | "57014")
}
