//! Arguments and environment become one validated `Command` at start.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

use crate::day::{Day, Range};
use crate::hba::Peer;

/// Brings a node's database to the state that this build of tpv needs.
///
/// A superuser runs what `bootstrap-sql` prints, once per database and again after each upgrade of
/// the extension. Then `run` creates tables, roles and grants as role tpv_owner.
#[derive(Debug, Parser)]
#[command(name = "tpv-migrate", version, max_term_width = 120)]
pub struct Args {
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Apply what is missing
    ///
    /// Each migration is one transaction: it is applied whole or not at all, and the next `run`
    /// goes on from there. A second `run` at the same time waits for the first. Exit codes: 0 done
    /// or nothing to do, 1 failed, 2 usage.
    Run {
        #[command(flatten)]
        place: Place,
        /// Stop after this version; the newest when not given
        #[arg(long, value_name = "VERSION")]
        target: Option<i32>,
        /// A migration that waits longer for a lock is given up: whoever needs that table queues
        /// behind it meanwhile
        #[arg(long, env = "TPV_LOCK_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
        lock_timeout_ms: u64,
    },
    /// Show what is applied, what is pending, and what is in the way
    ///
    /// Changes nothing. Exit codes: 0 up to date, 1 something is in the way or the database cannot
    /// be asked, 2 usage, 3 migrations are pending and nothing is in the way.
    Status {
        #[command(flatten)]
        place: Place,
        /// One JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Bring what people read about receipts to what the documents say
    ///
    /// Compares receipts, lines, events and closed days with the documents, a node and a day at a
    /// time, and writes only the differences, in short transactions: receipts go on arriving. It
    /// can be killed and run again. Exit codes: 0 all is as the documents say, 1 failed, 2 usage, 3
    /// differences are left (a dry run found some, or another session keeps rows locked).
    Rebuild {
        #[command(flatten)]
        place: Place,
        /// The number or the code of a node, such as 1 or S01; all when not given
        #[arg(long, value_name = "NODE")]
        node: Option<String>,
        /// The first business date, such as 2026-06-30; from the beginning when not given
        #[arg(long, value_name = "DATE")]
        from: Option<Day>,
        /// The last business date; to the end when not given
        #[arg(long, value_name = "DATE")]
        to: Option<Day>,
        /// Count the differences and write nothing
        #[arg(long)]
        dry_run: bool,
        /// One JSON object instead of a table; progress goes to standard error
        #[arg(long)]
        json: bool,
    },
    /// Print what a superuser runs with psql, connected to database postgres
    ///
    /// It may be run any number of times. For example:
    /// tpv-migrate bootstrap-sql | sudo -u postgres psql --no-psqlrc --dbname postgres
    BootstrapSql {
        /// The node's database; made when it is missing. cron.database_name must be the same
        #[arg(long, value_name = "NAME", default_value = "tpv")]
        database: String,
    },
    /// Print lines for pg_hba.conf: who may log in as a peer, and that no peer may copy the server
    ///
    /// For example: tpv-migrate bootstrap-hba --peer central.example
    BootstrapHba {
        /// The node's database
        #[arg(long, value_name = "NAME", default_value = "tpv")]
        database: String,
        /// Where the server of a peer logs in from: an address, a network, a host name, or the word
        /// socket for this machine. Central in a store, each store at central; may be given more
        /// than once
        #[arg(long = "peer", value_name = "ADDRESS")]
        peers: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Where the node's database is, e.g. postgresql://postgres@/tpv?host=/run/postgresql;
    /// DATABASE_URL when neither is given. Connect to the server itself, not to a pooler. Across a
    /// network TLS is used when the server offers it; add sslmode=require to insist on it
    #[arg(long, env = "TPV_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A file that holds the URL, for a URL with a password in it
    #[arg(long, env = "TPV_DATABASE_URL_FILE", value_name = "FILE", conflicts_with = "database_url")]
    database_url_file: Option<PathBuf>,
    /// Certificates to trust, PEM; the system's when not given
    #[arg(long, env = "TPV_DATABASE_CA_FILE", value_name = "FILE")]
    database_ca_file: Option<PathBuf>,
}

#[derive(Debug)]
pub enum Command {
    Run { connection: Connection, target: Option<i32>, lock_timeout: Duration },
    Status { connection: Connection, json: bool },
    Rebuild { connection: Connection, range: Range, dry_run: bool, json: bool },
    BootstrapSql { database: String },
    BootstrapHba { database: String, peers: Vec<Peer> },
}

/// Where the database is and whom to trust there.
#[derive(Debug)]
pub struct Connection {
    pub database: tokio_postgres::Config,
    pub ca_file: Option<PathBuf>,
}

impl Args {
    /// What was asked for; an error is a fault of usage.
    pub fn command(self) -> anyhow::Result<Command> {
        Ok(match self.word {
            Word::Run { place, target, lock_timeout_ms } => {
                if !(100..=3_600_000).contains(&lock_timeout_ms) {
                    bail!("--lock-timeout-ms is {lock_timeout_ms}; it takes 100 to 3600000 milliseconds");
                }
                let lock_timeout = Duration::from_millis(lock_timeout_ms);
                Command::Run { connection: place.connection()?, target, lock_timeout }
            }
            Word::Status { place, json } => Command::Status { connection: place.connection()?, json },
            Word::Rebuild { place, node, from, to, dry_run, json } => {
                if let Some((from, to)) = from.zip(to).filter(|(from, to)| from > to) {
                    bail!("--from is {from}, after --to, which is {to}; --to takes the same day or a later one");
                }
                Command::Rebuild { connection: place.connection()?, range: Range { node, from, to }, dry_run, json }
            }
            Word::BootstrapSql { database } => Command::BootstrapSql { database: plain(database)? },
            Word::BootstrapHba { database, peers } => {
                let peers = peers.iter().map(|peer| Peer::from_text(peer)).collect::<anyhow::Result<_>>()?;
                Command::BootstrapHba { database: plain(database)?, peers }
            }
        })
    }
}

impl Place {
    fn connection(self) -> anyhow::Result<Connection> {
        let url = match (self.database_url, self.database_url_file) {
            (Some(url), _) => url,
            (None, Some(file)) => std::fs::read_to_string(&file)
                .with_context(|| format!("--database-url-file {} cannot be read", file.display()))?,
            (None, None) => std::env::var("DATABASE_URL")
                .ok()
                .context("give the database's address with --database-url, TPV_DATABASE_URL or DATABASE_URL")?,
        };
        Ok(Connection { database: database(url.trim())?, ca_file: self.database_ca_file })
    }
}

fn database(url: &str) -> anyhow::Result<tokio_postgres::Config> {
    let mut config: tokio_postgres::Config = url.parse().context(
        "--database-url is not a PostgreSQL URL such as postgresql://user@host:5432/database?sslmode=require",
    )?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        bail!("--database-url names no host; a socket is named so: postgresql://user@/database?host=/run/postgresql");
    }
    if config.get_dbname().is_none() {
        bail!("--database-url names no database");
    }
    if config.get_application_name().is_none() {
        config.application_name("tpv-migrate");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    Ok(config)
}

fn plain(database: String) -> anyhow::Result<String> {
    if !is_plain_name(&database) {
        bail!("--database takes a name of lower-case letters, digits and _, at most 63 of them");
    }
    Ok(database)
}

/// A name that needs no quotes anywhere, so that the script that is printed stays readable.
fn is_plain_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> anyhow::Result<Command> {
        Args::try_parse_from(["tpv-migrate"].iter().chain(words)).unwrap().command()
    }

    #[test]
    fn a_socket_folder_is_a_host() {
        let Command::Run { connection, .. } =
            command(&["run", "--database-url", "postgresql://u@/tpv?host=/run/pg"]).unwrap()
        else {
            panic!("it is no run")
        };
        assert_eq!(connection.database.get_hosts(), [tokio_postgres::config::Host::Unix("/run/pg".into())]);
    }

    #[test]
    fn an_address_without_host_or_database_is_refused() {
        assert!(command(&["status", "--database-url", "postgresql://u@/tpv"]).is_err());
        assert!(command(&["status", "--database-url", "postgresql://u@host"]).is_err());
    }

    #[test]
    fn a_fault_names_the_setting_and_what_it_accepts() {
        let error = command(&["run", "--database-url", "postgresql://u@h/d", "--lock-timeout-ms", "1"]).unwrap_err();
        assert_eq!(error.to_string(), "--lock-timeout-ms is 1; it takes 100 to 3600000 milliseconds");
    }

    #[test]
    fn a_range_of_days_does_not_end_before_it_begins() {
        let words = ["rebuild", "--database-url", "postgresql://u@h/d", "--from", "2026-07-01", "--to", "2026-06-30"];
        let told = "--from is 2026-07-01, after --to, which is 2026-06-30; --to takes the same day or a later one";
        assert_eq!(command(&words).unwrap_err().to_string(), told);
    }

    #[test]
    fn a_password_is_never_part_of_a_fault() {
        let error = database("postgresql://u:secret@h:notaport/d").unwrap_err();
        assert!(!format!("{error:#}").contains("secret"));
    }

    #[test]
    fn a_database_name_is_plain() {
        for good in ["tpv", "_a1", &"x".repeat(63)] {
            assert!(is_plain_name(good), "{good}");
        }
        for bad in ["", "1a", "Tpv", "a-b", "a'b", "a b", "ñ", &"x".repeat(64)] {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }
}
