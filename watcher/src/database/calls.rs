//! The database as the watcher sees it: the few functions that it calls, and their answers.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use crate::config::Config;
pub use crate::database::connection::DbFault;
use crate::database::connection::{Cause, Connection};
use crate::failure::gate::Gate;
use crate::spool::stage::Dat;

const INGEST: &str = "select position, outcome, dat_folder, dat_name, dat, trigger_name, code, pointer, detail \
                      from sales.ingest_files($1, $2, $3)";

pub struct Db {
    pool: Pool,
    timeout: Duration,
    /// What this process calls itself at the server, so that connections of an earlier life can be told apart.
    application_name: String,
    pub gate: Arc<Gate>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Publish,
    Withdraw,
}

/// Something an operator decided that the disk does not show yet.
#[derive(Clone, Debug)]
pub struct Pending {
    pub id: i64,
    pub terminal: String,
    pub action: Action,
    pub folder: String,
    pub name: String,
    pub trigger: Option<String>,
    pub sha256: Vec<u8>,
}

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

impl Db {
    pub fn new(config: &Config, gate: Arc<Gate>) -> anyhow::Result<Self> {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let application_name = format!("tpv-watcher/{}", &run[..12]);
        let mut database = config.database.clone();
        database.application_name(&application_name);
        if database.get_connect_timeout().is_none() {
            database.connect_timeout(Duration::from_secs(1));
        }
        // A lock that is not given up in time is the other session's trouble, not a dead server: the server says so
        // itself, well before our own time-out. And a watcher that is frozen in a transaction lets go of its locks.
        let options = format!(
            "{} -c lock_timeout={} -c idle_in_transaction_session_timeout=60000",
            database.get_options().unwrap_or_default(),
            (config.db_timeout / 2).as_millis()
        );
        database.options(options.trim());
        let sockets_only = database.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if sockets_only || database.get_ssl_mode() == SslMode::Disable {
            Manager::from_config(database, NoTls, recycling)
        } else {
            Manager::from_config(
                database,
                crate::database::tls::connector(config.database_ca_file.as_deref())?,
                recycling,
            )
        };
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(Runtime::Tokio1)
            // The connect time-out ends with the handshake of the socket; a frozen server still takes that.
            .timeouts(Timeouts { wait: None, create: Some(Duration::from_secs(1)), recycle: None })
            .build()?;
        Ok(Self { pool, timeout: config.db_timeout, application_name, gate })
    }

    /// Cheap, and what a server that has just come back must be able to give.
    pub async fn probe(&self) -> Result<(), String> {
        let attempt = async {
            let connection = self.connection().await?;
            connection.batch("select 1").await?;
            connection.give_back();
            Ok::<_, DbFault>(())
        };
        match tokio::time::timeout(Duration::from_secs(1), attempt).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(crate::failure::fault::chain(&fault)),
            Err(_) => Err("took longer than 1000 ms".to_owned()),
        }
    }

    /// Waits for a free connection, first come first served, and begins a transaction.
    pub async fn begin(&self) -> Result<Transaction, DbFault> {
        let connection = self.connection().await?;
        connection.batch("begin").await?;
        Ok(Transaction { connection })
    }

    pub async fn pending_list(&self, most: i32) -> Result<Vec<Pending>, DbFault> {
        let sql = "select pending_id, terminal, action, dat_folder, dat_name, trigger_name, sha256 \
                   from dat.pending_list($1)";
        self.call(sql, &[&most]).await?.iter().map(|row| pending(row).map_err(DbFault::Bug)).collect()
    }

    pub async fn pending_ack(&self, id: i64, result: &str, detail: &str) -> Result<(), DbFault> {
        self.call("select dat.pending_ack($1, $2, $3)", &[&id, &result, &detail]).await.map(drop)
    }

    pub async fn staged(&self, folder: &str, name: &str, sha256: &[u8]) -> Result<Staged, DbFault> {
        let rows = self.call("select dat.staged($1, $2, $3)", &[&folder, &name, &sha256]).await?;
        let text: Option<&str> = rows.first().and_then(|row| row.try_get(0).ok());
        match text {
            Some("publish") => Ok(Staged::Publish),
            Some("withdrawn") => Ok(Staged::Withdrawn),
            Some("unknown") => Ok(Staged::Unknown),
            _ => Err(DbFault::Bug(Cause::Answer("dat.staged gave no answer that is known here".to_owned()))),
        }
    }

    pub async fn record_rejection(&self, it: &Rejection<'_>) -> Result<(), DbFault> {
        let sql = "select sales.record_rejection($1, $2, $3, $4, $5, $6, $7)";
        let parameters: [&(dyn ToSql + Sync); 7] =
            [&it.terminal, &it.file_name, &it.size_bytes, &it.sha256, &it.code, &it.detail, &it.raw];
        self.call(sql, &parameters).await.map(drop)
    }

    /// Has the server finished with a watcher that was killed? What that one had in hand may yet be committed.
    pub async fn earlier_life_is_over(&self) -> Result<bool, DbFault> {
        let sql = "select count(*) from pg_catalog.pg_stat_activity where datname = current_database() \
                   and usename = session_user and application_name like 'tpv-watcher/%' and application_name <> $1";
        let rows = self.call(sql, &[&self.application_name]).await?;
        Ok(rows.first().is_some_and(|row| row.try_get::<_, i64>(0).is_ok_and(|others| others == 0)))
    }

    /// One statement, a transaction of its own.
    async fn call(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbFault> {
        let connection = self.connection().await?;
        let rows = connection.query(sql, parameters).await?;
        connection.give_back();
        Ok(rows)
    }

    async fn connection(&self) -> Result<Connection, DbFault> {
        let object = self.pool.get().await.map_err(|error| DbFault::Machine(error.into()))?;
        Ok(Connection::new(object, self.timeout))
    }
}

/// Dropped without `commit`, it is rolled back, with its connection.
pub struct Transaction {
    connection: Connection,
}

impl Transaction {
    /// One answer for each file, in the order of the files.
    pub async fn ingest(&self, terminal: &str, files: &[&[u8]], names: &[String]) -> Result<Vec<Answer>, DbFault> {
        let rows = self.connection.query(INGEST, &[&terminal, &files, &names]).await?;
        if rows.len() != files.len() {
            let text = format!("{} answers for {} files", rows.len(), files.len());
            return Err(DbFault::Bug(Cause::Answer(text)));
        }
        rows.iter().map(|row| answer(row).map_err(DbFault::Bug)).collect()
    }

    /// Claims a publication that an operator asked for. None: somebody has done it.
    pub async fn take(&self, id: i64) -> Result<Option<Dat>, DbFault> {
        let sql = "select dat_folder, dat_name, dat, trigger_name from dat.pending_take($1)";
        let rows = self.connection.query(sql, &[&id]).await?;
        rows.first().map_or(Ok(None), |row| dat(row).map_err(DbFault::Bug))
    }

    /// After an error here nobody knows whether it is committed; only doing it all again tells.
    pub async fn commit(self) -> Result<(), DbFault> {
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
        _ => return Err(Cause::Answer("an outcome that is not known here".to_owned())),
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

fn pending(row: &Row) -> Result<Pending, Cause> {
    let action = match row.try_get("action")? {
        "publish" => Action::Publish,
        "withdraw" => Action::Withdraw,
        _ => return Err(Cause::Answer("a pending action that is not known here".to_owned())),
    };
    let pending = Pending {
        id: row.try_get("pending_id")?,
        terminal: row.try_get("terminal")?,
        action,
        folder: row.try_get("dat_folder")?,
        name: row.try_get("dat_name")?,
        trigger: row.try_get("trigger_name")?,
        sha256: row.try_get("sha256")?,
    };
    crate::spool::stage::check_names(&pending.folder, &pending.name, pending.trigger.as_deref())
        .map_err(Cause::Answer)?;
    Ok(pending)
}
