//! One borrowed connection, and the server's errors sorted by what to do about them.
//!
//! A connection goes back to the pool only after a clean end. After anything else (an error, a
//! time-out, a future that is dropped) it is closed, so that no terminal ever continues the
//! transaction of another.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::failure::fault::{Cause, DatabaseFault};

pub struct Connection {
    /// None only while it is being given back.
    object: Option<Object>,
    timeout: Duration,
}

impl Connection {
    pub const fn new(object: Object, timeout: Duration) -> Self {
        Self { object: Some(object), timeout }
    }

    pub async fn batch(&self, sql: &str) -> Result<(), DatabaseFault> {
        let object = self.object()?;
        self.within(object.batch_execute(sql)).await
    }

    pub async fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseFault> {
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

    fn object(&self) -> Result<&Object, DatabaseFault> {
        self.object
            .as_ref()
            .ok_or_else(|| DatabaseFault::Bug(Cause::Answer("the connection was given back".to_owned())))
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseFault> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result.map_err(sort),
            Err(_) => Err(DatabaseFault::Machine(Cause::Timeout(self.timeout))),
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
fn sort(error: tokio_postgres::Error) -> DatabaseFault {
    // No SQLSTATE: no answer came, or none that could be read.
    let Some(server) = error.as_db_error() else { return DatabaseFault::Machine(error.into()) };
    let (code, state) = (server.code(), server.code().code());
    // Messages of these two classes quote values.
    let quotes = state.starts_with("22") || state.starts_with("23");
    let message = if quotes { "a value was refused" } else { server.message() };
    let cause = Cause::Server { code: state.to_owned(), message: message.to_owned() };
    match state.get(..2) {
        // A standby, or a server in the middle of a switchover.
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => DatabaseFault::Machine(cause),
        _ if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => DatabaseFault::Contention(cause),
        Some("08" | "53" | "57" | "58" | "XX") => DatabaseFault::Machine(cause),
        Some("40" | "55") => DatabaseFault::Contention(cause),
        _ => DatabaseFault::Bug(cause),
    }
}
