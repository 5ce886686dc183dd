//! One borrowed connection, and faults sorted by what to do about them.
//!
//! A connection goes back to the pool only after a clean end. Whatever else happens (an error, a time-out, a future that
//! is dropped) it is closed, so that no transaction of one terminal is ever continued by another.

use std::time::Duration;

use deadpool_postgres::{Object, PoolError};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

#[derive(Debug, thiserror::Error)]
pub enum DbFault {
    /// The server, or the way to it. Everybody waits.
    #[error("no answer that can be relied on")]
    Machine(#[source] Cause),
    /// Somebody else was in the way. Only this terminal tries again.
    #[error("a lock or a conflict was in the way")]
    Contention(#[source] Cause),
    /// Our mistake or the schema's. Trying again at once would not help.
    #[error("the call was refused")]
    Bug(#[source] Cause),
}

#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// What the server said, without DETAIL: that part quotes values, and they are a customer's.
    #[error("{code}: {message}")]
    Server { code: String, message: String },
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("{0}")]
    Answer(String),
}

pub struct Connection {
    /// None only while it is being given back.
    object: Option<Object>,
    timeout: Duration,
}

impl Connection {
    pub const fn new(object: Object, timeout: Duration) -> Self {
        Self { object: Some(object), timeout }
    }

    pub async fn batch(&self, sql: &str) -> Result<(), DbFault> {
        let object = self.object()?;
        self.within(object.batch_execute(sql)).await
    }

    pub async fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbFault> {
        let object = self.object()?;
        self.within(async {
            let statement = object.prepare_cached(sql).await?;
            object.query(&statement, parameters).await
        })
        .await
    }

    /// To be called only outside a transaction.
    pub fn give_back(mut self) {
        drop(self.object.take());
    }

    fn object(&self) -> Result<&Object, DbFault> {
        self.object.as_ref().ok_or_else(|| DbFault::Bug(Cause::Answer("the connection was given back".to_owned())))
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, DbFault> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result.map_err(sorted),
            Err(_) => Err(DbFault::Machine(Cause::Timeout(self.timeout))),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// Which fault an error is, by its SQLSTATE (PostgreSQL manual, appendix A).
fn sorted(error: tokio_postgres::Error) -> DbFault {
    // No SQLSTATE: the answer did not come, or was none.
    let Some(server) = error.as_db_error() else { return DbFault::Machine(error.into()) };
    let (code, state) = (server.code(), server.code().code());
    // Messages of these two classes are about values, and quote them.
    let quotes = state.starts_with("22") || state.starts_with("23");
    let message = if quotes { "a value was refused" } else { server.message() };
    let cause = Cause::Server { code: state.to_owned(), message: message.to_owned() };
    match state.get(..2) {
        // A standby, or a server that is being handed over.
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => DbFault::Machine(cause),
        _ if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => DbFault::Contention(cause),
        Some("08" | "53" | "57" | "58" | "XX") => DbFault::Machine(cause),
        Some("40" | "55") => DbFault::Contention(cause),
        _ => DbFault::Bug(cause),
    }
}
