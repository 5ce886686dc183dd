//! The functions of the database that the watcher calls, and their answers.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use tpv_connect::{encryption, with_sources};

use crate::config::Config;
use crate::database::connection::Connection;
use crate::failure::fault::{Cause, DatabaseFault};
use crate::failure::gate::Gate;
use crate::spool::stage::{self, Dat};

const INGEST: &str = "select position, outcome, dat_folder, dat_name, dat, trigger_name, code, pointer, detail \
                      from sales.ingest_files($1, $2, $3)";

pub struct Database {
    pool: Pool,
    timeout: Duration,
    /// The name of this process at the server, which tells its connections from those of an earlier
    /// run.
    application_name: String,
    pub gate: Gate,
}

/// What the database says about one file.
#[derive(Debug)]
pub struct Answer {
    pub outcome: Outcome,
    pub dat: Option<Dat>,
    pub code: String,
    pub pointer: String,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Duplicate,
    Held,
    Quarantined,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Held => "held",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Something that an operator decided and that the disk does not show yet.
#[derive(Clone, Debug)]
pub struct Action {
    pub id: i64,
    pub terminal: String,
    pub kind: ActionKind,
    pub folder: String,
    pub name: String,
    pub trigger: Option<String>,
    pub sha256: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    Publish,
    Withdraw,
}

/// What the database says about a staged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staged {
    Publish,
    Withdrawn,
    Unknown,
}

pub struct Rejection<'a> {
    pub terminal: &'a str,
    pub file_name: &'a str,
    pub size_bytes: i64,
    pub sha256: &'a [u8],
    pub code: &'a str,
    pub detail: &'a str,
    pub raw: Option<&'a [u8]>,
}

impl Database {
    pub fn new(config: &Config, gate: Gate) -> anyhow::Result<Self> {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let application_name = format!("tpv-watcher/{}", &run[..12]);
        let mut database = config.database.clone();
        database.application_name(&application_name);
        if database.get_connect_timeout().is_none() {
            database.connect_timeout(Duration::from_secs(1));
        }
        // Waiting for a lock does not mean that the server is dead: it gives up well before our own
        // time-out, and says so. It also releases the locks of a watcher that is frozen in a
        // transaction.
        let options = format!(
            "{} -c lock_timeout={} -c idle_in_transaction_session_timeout=60000",
            database.get_options().unwrap_or_default(),
            (config.db_timeout / 2).as_millis()
        );
        database.options(options.trim());
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match encryption(&mut database, config.database_ca_file.as_deref())? {
            None => Manager::from_config(database, NoTls, recycling),
            Some(tls) => Manager::from_config(database, tls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(Runtime::Tokio1)
            // The connect time-out covers the handshake of the socket only, which even a frozen
            // server completes.
            .timeouts(Timeouts { wait: None, create: Some(Duration::from_secs(1)), recycle: None })
            .build()?;
        Ok(Self { pool, timeout: config.db_timeout, application_name, gate })
    }

    /// A cheap question, which any server that works can answer.
    pub async fn probe(&self) -> Result<(), String> {
        let attempt = async {
            let connection = self.connection().await?;
            connection.batch("select 1").await?;
            connection.give_back();
            Ok::<_, DatabaseFault>(())
        };
        match tokio::time::timeout(Duration::from_secs(1), attempt).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(with_sources(&fault)),
            Err(_) => Err("took longer than 1000 ms".to_owned()),
        }
    }

    /// Waits for a free connection, first come first served, and begins a transaction.
    pub async fn begin(&self) -> Result<Transaction, DatabaseFault> {
        let connection = self.connection().await?;
        connection.batch("begin").await?;
        Ok(Transaction { connection })
    }

    pub async fn pending_list(&self, most: i32) -> Result<Vec<Action>, DatabaseFault> {
        let sql = "select pending_id, terminal, action, dat_folder, dat_name, trigger_name, sha256 \
                   from dat.pending_list($1)";
        self.call(sql, &[&most]).await?.iter().map(|row| action(row).map_err(DatabaseFault::Bug)).collect()
    }

    pub async fn pending_ack(&self, id: i64, result: &str, detail: &str) -> Result<(), DatabaseFault> {
        self.call("select dat.pending_ack($1, $2, $3)", &[&id, &result, &detail]).await.map(drop)
    }

    pub async fn staged(&self, folder: &str, name: &str, sha256: &[u8]) -> Result<Staged, DatabaseFault> {
        let rows = self.call("select dat.staged($1, $2, $3)", &[&folder, &name, &sha256]).await?;
        let text: Option<&str> = rows.first().and_then(|row| row.try_get(0).ok());
        match text {
            Some("publish") => Ok(Staged::Publish),
            Some("withdrawn") => Ok(Staged::Withdrawn),
            Some("unknown") => Ok(Staged::Unknown),
            _ => Err(DatabaseFault::Bug(Cause::Answer("dat.staged gave an unknown answer".to_owned()))),
        }
    }

    pub async fn record_rejection(&self, it: &Rejection<'_>) -> Result<(), DatabaseFault> {
        let sql = "select sales.record_rejection($1, $2, $3, $4, $5, $6, $7)";
        let parameters: [&(dyn ToSql + Sync); 7] =
            [&it.terminal, &it.file_name, &it.size_bytes, &it.sha256, &it.code, &it.detail, &it.raw];
        self.call(sql, &parameters).await.map(drop)
    }

    /// Are all sessions of a watcher that was killed gone from the server? One that is left may
    /// still commit.
    pub async fn earlier_run_is_over(&self) -> Result<bool, DatabaseFault> {
        let sql = "select count(*) from pg_catalog.pg_stat_activity where datname = current_database() \
                   and usename = session_user and application_name like 'tpv-watcher/%' and application_name <> $1";
        let rows = self.call(sql, &[&self.application_name]).await?;
        Ok(rows.first().is_some_and(|row| row.try_get::<_, i64>(0).is_ok_and(|others| others == 0)))
    }

    /// One statement, a transaction of its own.
    async fn call(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseFault> {
        let connection = self.connection().await?;
        let rows = connection.query(sql, parameters).await?;
        connection.give_back();
        Ok(rows)
    }

    async fn connection(&self) -> Result<Connection, DatabaseFault> {
        let object = self.pool.get().await.map_err(|error| DatabaseFault::Machine(error.into()))?;
        Ok(Connection::new(object, self.timeout))
    }
}

/// Dropped without `commit`, it is rolled back, with its connection.
pub struct Transaction {
    connection: Connection,
}

impl Transaction {
    /// One answer for each file, in the order of the files.
    pub async fn ingest(
        &self,
        terminal: &str,
        files: &[&[u8]],
        names: &[String],
    ) -> Result<Vec<Answer>, DatabaseFault> {
        let rows = self.connection.query(INGEST, &[&terminal, &files, &names]).await?;
        if rows.len() != files.len() {
            let text = format!("{} answers for {} files", rows.len(), files.len());
            return Err(DatabaseFault::Bug(Cause::Answer(text)));
        }
        rows.iter().map(|row| answer(row).map_err(DatabaseFault::Bug)).collect()
    }

    /// Claims a publication that an operator asked for. None: it was claimed before.
    pub async fn take(&self, id: i64) -> Result<Option<Dat>, DatabaseFault> {
        let sql = "select dat_folder, dat_name, dat, trigger_name from dat.pending_take($1)";
        let rows = self.connection.query(sql, &[&id]).await?;
        rows.first().map_or(Ok(None), |row| dat(row).map_err(DatabaseFault::Bug))
    }

    /// After an error nobody knows whether it is committed. Only doing all of it again tells.
    pub async fn commit(self) -> Result<(), DatabaseFault> {
        self.connection.batch("commit").await?;
        self.connection.give_back();
        Ok(())
    }
}

fn answer(row: &Row) -> Result<Answer, Cause> {
    let outcome = match row.try_get("outcome")? {
        "accepted" => Outcome::Accepted,
        "duplicate" => Outcome::Duplicate,
        "held" => Outcome::Held,
        "quarantined" => Outcome::Quarantined,
        _ => return Err(Cause::Answer("sales.ingest_files gave an unknown outcome".to_owned())),
    };
    let text = |column| row.try_get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    Ok(Answer { outcome, dat: dat(row)?, code: text("code")?, pointer: text("pointer")?, detail: text("detail")? })
}

fn dat(row: &Row) -> Result<Option<Dat>, Cause> {
    let folder: Option<String> = row.try_get("dat_folder")?;
    let name: Option<String> = row.try_get("dat_name")?;
    let bytes: Option<Vec<u8>> = row.try_get("dat")?;
    let (Some(folder), Some(name), Some(bytes)) = (folder, name, bytes) else { return Ok(None) };
    Dat::new(folder, name, bytes, row.try_get("trigger_name")?).map(Some).map_err(Cause::Answer)
}

fn action(row: &Row) -> Result<Action, Cause> {
    let kind = match row.try_get("action")? {
        "publish" => ActionKind::Publish,
        "withdraw" => ActionKind::Withdraw,
        _ => return Err(Cause::Answer("dat.pending_list gave an unknown action".to_owned())),
    };
    let action = Action {
        id: row.try_get("pending_id")?,
        terminal: row.try_get("terminal")?,
        kind,
        folder: row.try_get("dat_folder")?,
        name: row.try_get("dat_name")?,
        trigger: row.try_get("trigger_name")?,
        sha256: row.try_get("sha256")?,
    };
    stage::check_names(&action.folder, &action.name, action.trigger.as_deref()).map_err(Cause::Answer)?;
    Ok(action)
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use crate::metrics::OUTCOMES;

    #[test]
    fn every_outcome_is_counted_from_the_start() {
        for outcome in [Outcome::Accepted, Outcome::Duplicate, Outcome::Held, Outcome::Quarantined] {
            assert!(OUTCOMES.contains(&outcome.name()));
        }
    }
}
