//! Arguments and environment become one validated `Command` at start.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

use crate::chain::{Deed, Order};
use crate::connection::{self, Connection};
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
    /// Show what is applied, what is pending, and what is in the way; with --central, the whole chain
    ///
    /// Changes nothing. Exit codes: 0 up to date, 1 something is in the way or the database cannot
    /// be asked, 2 usage, 3 migrations are pending and nothing is in the way. With --central: a row
    /// for each store, with both directions, how far behind, the version and what to do; 0 nothing to
    /// do, 3 a store is to be looked at.
    Status {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        central: Central,
        /// One JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Let a store join the chain
    ///
    /// Asks central for the plan (sync.join_plan), runs each row on its node, gives each login a new
    /// password that is never printed, and waits until both directions are running. It can be killed at
    /// any moment: the same command goes on from there, and has nothing to do when the store has joined.
    /// Both nodes must be registered, of one version, and set up for replication. Exit codes: 0
    /// running, 1 failed, 2 usage, 3 all steps are done and it is not running yet, 130 interrupted.
    Join(Move),
    /// Let a store join again that lost its slot, was restored, or was away for too long
    ///
    /// Nothing is emptied, and the store goes on selling. Logins get new passwords. Exit codes as of
    /// join.
    Rejoin(Move),
    /// Give the logins of a store and of central new passwords, without a pause
    ///
    /// What streams goes on; then both connect again with the new passwords, and it waits until they have.
    /// With --store-conninfo or --central-conninfo it also changes how they reach each other. Exit codes as
    /// of join.
    Renew(Move),
    /// Let a store leave the chain
    ///
    /// What was exchanged stays on both sides. What the store has not sent yet does not come. Exit
    /// codes: 0 done, 1 failed, 2 usage, 130 interrupted.
    Leave {
        #[command(flatten)]
        central: Central,
        #[command(flatten)]
        store: Store,
        /// The code of a store whose server is gone for good: only central's steps are run
        #[arg(long, value_name = "CODE", conflicts_with_all = ["store", "store_file"])]
        gone: Option<String>,
        #[command(flatten)]
        manner: Manner,
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
    /// tpv-migrate bootstrap-sql | sudo -u postgres psql --no-psqlrc --quiet --dbname postgres
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

/// Connections of a superuser, who alone makes slots and subscriptions.
#[derive(Debug, clap::Args)]
struct Central {
    /// Where central's database is, as a superuser, e.g. postgresql://postgres@central.example/tpv
    #[arg(long, value_name = "URL")]
    central: Option<String>,
    /// A file that holds that URL, for a URL with a password in it
    #[arg(long, value_name = "FILE", conflicts_with = "central")]
    central_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Store {
    /// Where the store's database is, as a superuser
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// A file that holds that URL
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    store_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Manner {
    /// Certificates to trust, PEM; the system's when not given
    #[arg(long, env = "TPV_DATABASE_CA_FILE", value_name = "FILE")]
    database_ca_file: Option<PathBuf>,
    /// Show the steps and run none
    #[arg(long)]
    dry_run: bool,
    /// One JSON object at the end; progress goes to standard error
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Move {
    #[command(flatten)]
    central: Central,
    #[command(flatten)]
    store: Store,
    /// How central's server reaches the store's, in libpq's words and without a user, e.g. 'host=s07.example
    /// dbname=tpv sslmode=verify-full sslrootcert=/etc/tpv/ca.pem'. Files are those of that server. As
    /// before when not given, if the store has joined before
    #[arg(long, value_name = "WORDS")]
    store_conninfo: Option<String>,
    /// How the store's server reaches central's, likewise
    #[arg(long, value_name = "WORDS")]
    central_conninfo: Option<String>,
    /// Give the logins no passwords: they have some already, or pg_hba.conf lets them in by
    /// certificates
    #[arg(long)]
    keep_passwords: bool,
    /// How long to wait until both directions are running
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    wait_minutes: u32,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug)]
pub enum Command {
    Run { connection: Connection, target: Option<i32>, lock_timeout: Duration },
    Status { connection: Connection, json: bool },
    Chain { central: Connection, json: bool },
    Move(Box<Order>),
    Rebuild { connection: Connection, range: Range, dry_run: bool, json: bool },
    BootstrapSql { database: String },
    BootstrapHba { database: String, peers: Vec<Peer> },
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
            Word::Status { place, central, json } => {
                let ca_file = place.database_ca_file.clone();
                match central.connection(ca_file)? {
                    Some(central) => Command::Chain { central, json },
                    None => Command::Status { connection: place.connection()?, json },
                }
            }
            Word::Join(words) => Command::Move(Box::new(words.order(Deed::Join)?)),
            Word::Rejoin(words) => Command::Move(Box::new(words.order(Deed::Rejoin)?)),
            Word::Renew(words) => Command::Move(Box::new(words.order(Deed::Renew)?)),
            Word::Leave { central, store, gone, manner } => {
                let store = store.connection(manner.database_ca_file.clone())?;
                if store.is_none() && gone.is_none() {
                    bail!(
                        "give the store's address with --store or --store-file, or --gone CODE if its server is gone for good"
                    );
                }
                Command::Move(Box::new(Order {
                    deed: Deed::Leave,
                    central: central.needed(manner.database_ca_file.clone())?,
                    store,
                    gone,
                    store_conninfo: None,
                    central_conninfo: None,
                    draw_passwords: false,
                    dry_run: manner.dry_run,
                    json: manner.json,
                    patience: Duration::ZERO,
                }))
            }
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

impl Central {
    fn connection(self, ca_file: Option<PathBuf>) -> anyhow::Result<Option<Connection>> {
        connection::named("--central", self.central, self.central_file, ca_file)
    }

    fn needed(self, ca_file: Option<PathBuf>) -> anyhow::Result<Connection> {
        self.connection(ca_file)?.context("give central's address with --central or --central-file")
    }
}

impl Store {
    fn connection(self, ca_file: Option<PathBuf>) -> anyhow::Result<Option<Connection>> {
        connection::named("--store", self.store, self.store_file, ca_file)
    }
}

impl Move {
    fn order(self, deed: Deed) -> anyhow::Result<Order> {
        for (option, conninfo) in
            [("--store-conninfo", &self.store_conninfo), ("--central-conninfo", &self.central_conninfo)]
        {
            if conninfo.as_ref().is_some_and(|words| words.contains("password")) {
                bail!(
                    "{option} has a password; leave it out, since a new one is drawn, or name a passfile and add --keep-passwords"
                );
            }
        }
        let ca_file = self.manner.database_ca_file;
        let store = self.store.connection(ca_file.clone())?;
        Ok(Order {
            deed,
            central: self.central.needed(ca_file)?,
            store: Some(store.context("give the store's address with --store or --store-file")?),
            gone: None,
            store_conninfo: self.store_conninfo,
            central_conninfo: self.central_conninfo,
            draw_passwords: !self.keep_passwords,
            dry_run: self.manner.dry_run,
            json: self.manner.json,
            patience: Duration::from_secs(60 * u64::from(self.wait_minutes)),
        })
    }
}

impl Place {
    fn connection(self) -> anyhow::Result<Connection> {
        let given = connection::named(
            "--database-url",
            self.database_url,
            self.database_url_file,
            self.database_ca_file.clone(),
        )?;
        let known = |url: String| connection::named("--database-url", Some(url), None, self.database_ca_file);
        match given {
            Some(connection) => Ok(connection),
            None => std::env::var("DATABASE_URL")
                .ok()
                .map(known)
                .transpose()?
                .flatten()
                .context("give the database's address with --database-url, TPV_DATABASE_URL or DATABASE_URL"),
        }
    }
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
    fn a_store_that_joins_needs_both_databases_and_no_password() {
        let join = |more: &[&str]| command(&[&["join", "--central", "postgresql://u@c/tpv"], more].concat());
        let told = |more: &[&str]| join(more).unwrap_err().to_string();
        assert!(told(&[]).starts_with("give the store's address with --store"));
        assert!(told(&["--store", "s07"]).starts_with("--store is not a PostgreSQL URL"));
        let store = ["--store", "postgresql://u@s/tpv", "--store-conninfo", "host=s password=x"];
        assert!(told(&store).starts_with("--store-conninfo has a password; leave it out"));
        assert!(join(&[&store[..], &["--keep-passwords"]].concat()).is_err());
        let Command::Move(order) = join(&store[..2]).unwrap() else { panic!("it is no join") };
        assert!(order.draw_passwords);
    }

    #[test]
    fn a_store_that_is_gone_is_named() {
        let leave = |more: &[&str]| command(&[&["leave", "--central", "postgresql://u@c/tpv"], more].concat());
        assert!(leave(&[]).unwrap_err().to_string().contains("--gone CODE"));
        assert!(leave(&["--gone", "S07"]).is_ok());
    }

    #[test]
    fn status_with_central_is_of_the_chain() {
        assert!(matches!(command(&["status", "--central", "postgresql://u@c/tpv"]).unwrap(), Command::Chain { .. }));
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
