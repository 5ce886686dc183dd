//! Arguments and environment become one validated `Config` at start; a fault names the setting and
//! what it accepts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Parser, ValueEnum};
use serde_json::json;

/// Takes terminals' files to PostgreSQL and publishes the .dat files that come back.
#[derive(Debug, Parser)]
#[command(name = "tpv-watcher", version, max_term_width = 120)]
pub struct Args {
    /// The spool: in/, stage/, out/, archive/ and quarantine/ are made in it
    #[arg(long, env = "TPV_SPOOL", value_name = "DIR")]
    spool: PathBuf,
    /// Where the store's database is, e.g. postgresql://tpv_watcher@/tpv?host=/run/postgresql
    #[arg(long, env = "TPV_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A file that holds the URL, for a URL with a password in it
    #[arg(long, env = "TPV_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
    /// Certificates to trust, PEM; the system's when not given
    #[arg(long, env = "TPV_DATABASE_CA_FILE", value_name = "FILE")]
    database_ca_file: Option<PathBuf>,
    /// Connections to the database, shared by all terminals (more than 4 is seldom quicker)
    #[arg(long, env = "TPV_CONNECTIONS", default_value_t = 4)]
    connections: usize,
    /// A transaction that takes longer is given up, and its connection is dropped
    #[arg(long, env = "TPV_DB_TIMEOUT_MS", default_value_t = 10_000)]
    db_timeout_ms: u64,
    /// Every inbox is read this often, whatever notifications say
    #[arg(long, env = "TPV_SCAN_INTERVAL_MS", default_value_t = 150)]
    scan_interval_ms: u64,
    /// A file that is incomplete and unchanged for this long is quarantined
    #[arg(long, env = "TPV_GRACE_MS", default_value_t = 3_000)]
    grace_ms: u64,
    /// Where the kernel cannot tell whether a file has a writer, the file must be unchanged for
    /// this long
    #[arg(long = "settle-ms", env = "TPV_SETTLE_MS", value_name = "SETTLE_MS", default_value_t = 100)]
    stable_ms: u64,
    /// Scan only: no inotify
    #[arg(long, env = "TPV_NO_NOTIFY", value_parser = BoolishValueParser::new())]
    no_notify: bool,
    /// Treat every inbox as a network share: no notifications, no leases, and a file must be
    /// unchanged for at least a second. Shares are recognised without it; this is for those that
    /// look like a local disk
    #[arg(long, env = "TPV_SHARE", value_parser = BoolishValueParser::new())]
    share: bool,
    /// A larger file is quarantined unread
    #[arg(long, env = "TPV_MAX_FILE_BYTES", default_value_t = 2 * 1024 * 1024)]
    max_file_bytes: u64,
    /// The files come out of the archive's folder of this day, e.g. 20260629: they arrived then
    #[arg(long, env = "TPV_ARCHIVED_ON", value_name = "YYYYMMDD")]
    archived_on: Option<String>,
    /// Where /livez, /readyz and /metrics answer; port 0 takes a free one, found in .watcher.lock
    #[arg(long, env = "TPV_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9611")]
    listen: SocketAddr,
    /// Allow --listen on an address that others can reach
    #[arg(long, env = "TPV_LISTEN_PUBLIC", value_parser = BoolishValueParser::new())]
    listen_public: bool,
    /// How log lines look
    #[arg(long, env = "TPV_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// The least important line to log
    #[arg(long, env = "TPV_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info)]
    log_level: LogLevel,
    /// Check the settings, print them without secrets, and exit: 0 when they are right, 2 when not
    #[arg(long)]
    check_config: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub spool: PathBuf,
    pub database: tokio_postgres::Config,
    pub database_ca_file: Option<PathBuf>,
    pub connections: usize,
    pub db_timeout: Duration,
    pub scan_interval: Duration,
    pub grace: Duration,
    pub stable_for: Duration,
    pub notify: bool,
    pub share: bool,
    pub max_file_bytes: u64,
    /// The folder of the archive that the files come out of, if they do.
    pub archived_on: Option<String>,
    pub listen: SocketAddr,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
    pub check_only: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("--{setting} is {given}; it takes {accepts}")]
    Range { setting: &'static str, given: u64, accepts: &'static str },
    #[error("give the database's address with --database-url (TPV_DATABASE_URL) or --database-url-file")]
    NoDatabase,
    #[error("--database-url and --database-url-file exclude each other")]
    TwoDatabases,
    #[error("--database-url-file {file} cannot be read")]
    UrlFile { file: String, source: std::io::Error },
    #[error("--database-url is not a PostgreSQL URL such as postgresql://user@host:5432/database?sslmode=require")]
    Url(#[source] tokio_postgres::Error),
    #[error("--database-url names no {0}")]
    UrlLacks(&'static str),
    #[error("--archived-on takes the name of a folder of the archive: a day such as 20260629")]
    ArchivedOn,
    #[error("--listen {0} can be reached by others; use a loopback address, or add --listen-public")]
    Public(SocketAddr),
}

impl Config {
    pub fn from_args(args: Args) -> Result<Self, ConfigError> {
        within("connections", args.connections as u64, 1, 64, "1 to 64")?;
        within("db-timeout-ms", args.db_timeout_ms, 500, 600_000, "500 to 600000 milliseconds")?;
        within("scan-interval-ms", args.scan_interval_ms, 10, 60_000, "10 to 60000 milliseconds")?;
        within("grace-ms", args.grace_ms, 100, 3_600_000, "100 to 3600000 milliseconds")?;
        within("settle-ms", args.stable_ms, 1, 600_000, "1 to 600000 milliseconds")?;
        within("max-file-bytes", args.max_file_bytes, 1_024, 64 << 20, "1024 to 67108864 bytes")?;
        if !args.listen.ip().is_loopback() && !args.listen_public {
            return Err(ConfigError::Public(args.listen));
        }
        Ok(Self {
            database: database(args.database_url, args.database_url_file)?,
            database_ca_file: args.database_ca_file,
            spool: args.spool,
            connections: args.connections,
            db_timeout: Duration::from_millis(args.db_timeout_ms),
            scan_interval: Duration::from_millis(args.scan_interval_ms),
            grace: Duration::from_millis(args.grace_ms),
            stable_for: Duration::from_millis(args.stable_ms),
            notify: !args.no_notify,
            share: args.share,
            max_file_bytes: args.max_file_bytes,
            archived_on: args.archived_on.map(archive_folder).transpose()?,
            listen: args.listen,
            log_format: args.log_format,
            log_level: args.log_level,
            check_only: args.check_config,
        })
    }

    /// The effective settings, without the password.
    pub fn shown(&self) -> serde_json::Value {
        json!({
            "spool": self.spool,
            "database": {
                "hosts": self.database.get_hosts().iter().map(|host| format!("{host:?}")).collect::<Vec<_>>(),
                "ports": self.database.get_ports(),
                "user": self.database.get_user(),
                "name": self.database.get_dbname(),
                "ssl_mode": format!("{:?}", self.database.get_ssl_mode()),
                "ca_file": self.database_ca_file,
            },
            "connections": self.connections,
            "db_timeout_ms": ms(self.db_timeout),
            "scan_interval_ms": ms(self.scan_interval),
            "grace_ms": ms(self.grace),
            "settle_ms": ms(self.stable_for),
            "notify": self.notify,
            "share": self.share,
            "max_file_bytes": self.max_file_bytes,
            "archived_on": self.archived_on,
            "listen": self.listen,
            "log_format": format!("{:?}", self.log_format).to_lowercase(),
            "log_level": format!("{:?}", self.log_level).to_lowercase(),
        })
    }
}

fn archive_folder(name: String) -> Result<String, ConfigError> {
    let digits = name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_digit());
    match digits && chrono::NaiveDate::parse_from_str(&name, "%Y%m%d").is_ok() {
        true => Ok(name),
        false => Err(ConfigError::ArchivedOn),
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn within(setting: &'static str, given: u64, least: u64, most: u64, accepts: &'static str) -> Result<(), ConfigError> {
    if (least..=most).contains(&given) { Ok(()) } else { Err(ConfigError::Range { setting, given, accepts }) }
}

fn database(url: Option<String>, file: Option<PathBuf>) -> Result<tokio_postgres::Config, ConfigError> {
    let url = match (url, file) {
        (Some(_), Some(_)) => return Err(ConfigError::TwoDatabases),
        (None, None) => return Err(ConfigError::NoDatabase),
        (Some(url), None) => url,
        (None, Some(file)) => std::fs::read_to_string(&file)
            .map_err(|source| ConfigError::UrlFile { file: file.display().to_string(), source })?,
    };
    let config: tokio_postgres::Config = url.trim().parse().map_err(ConfigError::Url)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(ConfigError::UrlLacks("host"));
    }
    if config.get_dbname().is_none() {
        return Err(ConfigError::UrlLacks("database"));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(extra: &[&str]) -> Result<Config, ConfigError> {
        let given = ["tpv-watcher", "--spool", "/s", "--database-url", "postgresql://u:secret@/tpv?host=/run/pg"];
        Config::from_args(Args::try_parse_from(given.iter().chain(extra)).unwrap())
    }

    #[test]
    fn a_socket_folder_is_a_host() {
        let config = config(&[]).unwrap();
        assert_eq!(config.database.get_hosts(), [tokio_postgres::config::Host::Unix("/run/pg".into())]);
    }

    #[test]
    fn a_fault_names_the_setting_and_what_it_accepts() {
        let error = config(&["--connections", "0"]).unwrap_err().to_string();
        assert_eq!(error, "--connections is 0; it takes 1 to 64");
    }

    #[test]
    fn a_folder_of_the_archive_is_a_day() {
        let day = |name| config(&["--archived-on", name]).map(|config| config.archived_on);
        assert_eq!(day("20260629").unwrap().as_deref(), Some("20260629"));
        for name in ["20261329", "2026-06-29", "today", "", "/20260629"] {
            assert!(matches!(day(name), Err(ConfigError::ArchivedOn)), "{name}");
        }
        assert_eq!(config(&[]).unwrap().archived_on, None);
    }

    #[test]
    fn an_address_that_others_can_reach_must_be_asked_for() {
        assert!(matches!(config(&["--listen", "0.0.0.0:9611"]), Err(ConfigError::Public(_))));
        assert!(config(&["--listen", "0.0.0.0:9611", "--listen-public"]).is_ok());
    }

    #[test]
    fn what_is_shown_has_no_password() {
        assert!(!config(&[]).unwrap().shown().to_string().contains("secret"));
    }
}
