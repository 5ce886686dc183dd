//! The settings become one validated `Config` at start; a fault names the setting and what it
//! accepts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::cli::{LogFormat, LogLevel, Settings};

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: Listen,
    pub admin_listen: SocketAddr,
    pub address_file: Option<PathBuf>,
    pub tls: Option<TlsFiles>,
    pub behind_proxy: bool,
    pub database: DatabaseConfig,
    pub keys: PathBuf,
    pub issuer: String,
    pub central_issuer: Option<String>,
    pub clients: Clients,
    /// Requests a second; `None` for no limit.
    pub person_rate: Option<u32>,
    pub source_rate: Option<u32>,
    pub drain: Duration,
    pub cors_origins: Vec<String>,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Without user and password.
    pub server: tokio_postgres::Config,
    pub ca_file: Option<PathBuf>,
    pub user_password_file: Option<PathBuf>,
    pub auth_password_file: Option<PathBuf>,
    pub connections: usize,
    pub auth_connections: usize,
    pub timeout: Duration,
}

/// What clients are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Clients {
    pub most: usize,
    pub most_per_address: usize,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("--{setting} is {given}; it takes {accepts}")]
    Range { setting: &'static str, given: u64, accepts: &'static str },
    #[error("--{setting} is needed: {what}")]
    Missing { setting: &'static str, what: &'static str },
    #[error("--listen takes an address such as 127.0.0.1:9620, or a socket such as unix:/run/tpv/gateway.sock")]
    Listen,
    #[error("--listen {0} can be reached by others: give --tls-certificate and --tls-key, or use a loopback address")]
    Public(SocketAddr),
    #[error("--admin-listen {0} can be reached by others; it takes a loopback address")]
    PublicAdmin(SocketAddr),
    #[error("--database-url is not a PostgreSQL URL such as postgresql:///tpv?host=/run/postgresql")]
    Url(#[source] tokio_postgres::Error),
    #[error("--database-url names no {0}")]
    UrlLacks(&'static str),
    #[error("--database-url names a user or a password; the gateway has its own logins, and files for their passwords")]
    UrlHasUser,
    #[error("--{setting} takes 1 to 200 visible characters")]
    Name { setting: &'static str },
    #[error("--central-issuer is the name of this node itself; a store names central, and central nobody")]
    SameIssuer,
    #[error("--cors-origin takes origins such as https://till.example, and no *")]
    Origin,
}

impl Config {
    pub fn from_settings(settings: Settings) -> Result<Self, ConfigError> {
        within("max-clients", settings.max_clients as u64, 1, 100_000, "1 to 100000")?;
        within("max-clients-per-address", settings.max_clients_per_address as u64, 1, 100_000, "1 to 100000")?;
        let milliseconds = "100 to 600000 milliseconds";
        within("header-timeout-ms", settings.header_timeout_ms, 100, 600_000, milliseconds)?;
        within("body-timeout-ms", settings.body_timeout_ms, 100, 600_000, milliseconds)?;
        within("idle-timeout-ms", settings.idle_timeout_ms, 100, 600_000, milliseconds)?;
        within("drain-ms", settings.drain_ms, 0, 600_000, "0 to 600000 milliseconds")?;
        within("person-rate", settings.person_rate.into(), 0, 1_000_000, "0 to 1000000 requests a second")?;
        within("source-rate", settings.source_rate.into(), 0, 1_000_000, "0 to 1000000 requests a second")?;
        if !settings.admin_listen.ip().is_loopback() {
            return Err(ConfigError::PublicAdmin(settings.admin_listen));
        }
        let tls = settings.tls_certificate.clone().zip(settings.tls_key.clone());
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        let issuer = settings.issuer.clone().ok_or(ConfigError::Missing {
            setting: "issuer",
            what: "what this node is called in tokens, e.g. --issuer https://s01.example",
        })?;
        name("issuer", &issuer)?;
        if let Some(central) = &settings.central_issuer {
            name("central-issuer", central)?;
            if *central == issuer {
                return Err(ConfigError::SameIssuer);
            }
        }
        if !settings.cors_origins.iter().all(|origin| is_origin(origin)) {
            return Err(ConfigError::Origin);
        }
        Ok(Self {
            listen: listen(&settings.listen, tls.is_some())?,
            admin_listen: settings.admin_listen,
            address_file: settings.address_file.clone(),
            tls,
            behind_proxy: settings.behind_proxy,
            keys: keys_folder(&settings)?,
            database: DatabaseConfig::from_settings(&settings)?,
            issuer,
            central_issuer: settings.central_issuer,
            clients: Clients {
                most: settings.max_clients,
                most_per_address: settings.max_clients_per_address,
                header_timeout: Duration::from_millis(settings.header_timeout_ms),
                body_timeout: Duration::from_millis(settings.body_timeout_ms),
                idle_timeout: Duration::from_millis(settings.idle_timeout_ms),
            },
            person_rate: Some(settings.person_rate).filter(|rate| *rate > 0),
            source_rate: Some(settings.source_rate).filter(|rate| *rate > 0),
            drain: Duration::from_millis(settings.drain_ms),
            cors_origins: settings.cors_origins,
            log_format: settings.log_format,
            log_level: settings.log_level,
        })
    }

    /// The effective settings. There is no secret among them: passwords and keys are in files.
    pub fn shown(&self) -> serde_json::Value {
        json!({
            "listen": match &self.listen {
                Listen::Tcp(address) => address.to_string(),
                Listen::Unix(path) => format!("unix:{}", path.display()),
            },
            "admin_listen": self.admin_listen,
            "address_file": self.address_file,
            "tls_certificate": self.tls.as_ref().map(|tls| &tls.certificate),
            "tls_key": self.tls.as_ref().map(|tls| &tls.key),
            "behind_proxy": self.behind_proxy,
            "database": {
                "hosts": self.database.server.get_hosts().iter().map(|host| format!("{host:?}")).collect::<Vec<_>>(),
                "ports": self.database.server.get_ports(),
                "name": self.database.server.get_dbname(),
                "ssl_mode": format!("{:?}", self.database.server.get_ssl_mode()),
                "ca_file": self.database.ca_file,
                "user_password_file": self.database.user_password_file,
                "auth_password_file": self.database.auth_password_file,
            },
            "connections": self.database.connections,
            "auth_connections": self.database.auth_connections,
            "db_timeout_ms": ms(self.database.timeout),
            "keys": self.keys,
            "issuer": self.issuer,
            "central_issuer": self.central_issuer,
            "max_clients": self.clients.most,
            "max_clients_per_address": self.clients.most_per_address,
            "header_timeout_ms": ms(self.clients.header_timeout),
            "body_timeout_ms": ms(self.clients.body_timeout),
            "idle_timeout_ms": ms(self.clients.idle_timeout),
            "person_rate": self.person_rate.unwrap_or(0),
            "source_rate": self.source_rate.unwrap_or(0),
            "drain_ms": ms(self.drain),
            "cors_origins": self.cors_origins,
            "log_format": format!("{:?}", self.log_format).to_lowercase(),
            "log_level": format!("{:?}", self.log_level).to_lowercase(),
        })
    }
}

impl DatabaseConfig {
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        within("connections", settings.connections as u64, 1, 1_000, "1 to 1000")?;
        within("auth-connections", settings.auth_connections as u64, 1, 1_000, "1 to 1000")?;
        within("db-timeout-ms", settings.db_timeout_ms, 100, 600_000, "100 to 600000 milliseconds")?;
        let url = settings.database_url.as_deref().ok_or(ConfigError::Missing {
            setting: "database-url",
            what: "where the database is, e.g. postgresql:///tpv?host=/run/postgresql",
        })?;
        let server: tokio_postgres::Config = url.trim().parse().map_err(ConfigError::Url)?;
        if server.get_hosts().is_empty() && server.get_hostaddrs().is_empty() {
            return Err(ConfigError::UrlLacks("host"));
        }
        if server.get_dbname().is_none() {
            return Err(ConfigError::UrlLacks("database"));
        }
        if server.get_user().is_some() || server.get_password().is_some() {
            return Err(ConfigError::UrlHasUser);
        }
        Ok(Self {
            server,
            ca_file: settings.database_ca_file.clone(),
            user_password_file: settings.user_password_file.clone(),
            auth_password_file: settings.auth_password_file.clone(),
            connections: settings.connections,
            auth_connections: settings.auth_connections,
            timeout: Duration::from_millis(settings.db_timeout_ms),
        })
    }
}

pub fn keys_folder(settings: &Settings) -> Result<PathBuf, ConfigError> {
    settings.keys.clone().ok_or(ConfigError::Missing {
        setting: "keys",
        what: "the folder of the private keys, which tpv-gateway key init makes",
    })
}

fn listen(text: &str, tls: bool) -> Result<Listen, ConfigError> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.starts_with('/') { Ok(Listen::Unix(path.into())) } else { Err(ConfigError::Listen) };
    }
    let address: SocketAddr = text.parse().map_err(|_| ConfigError::Listen)?;
    if tls || address.ip().is_loopback() { Ok(Listen::Tcp(address)) } else { Err(ConfigError::Public(address)) }
}

/// `scheme://host[:port]` as a browser sends it (RFC 6454, 6.2).
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'*' | b'@'))
    })
}

fn name(setting: &'static str, text: &str) -> Result<(), ConfigError> {
    let fits = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(ConfigError::Name { setting }) }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn within(setting: &'static str, given: u64, least: u64, most: u64, accepts: &'static str) -> Result<(), ConfigError> {
    if (least..=most).contains(&given) { Ok(()) } else { Err(ConfigError::Range { setting, given, accepts }) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn config(extra: &[&str]) -> Result<Config, ConfigError> {
        let given = ["g", "--database-url", "postgresql:///tpv?host=/run/pg", "--keys", "/k", "--issuer", "S01"];
        Config::from_settings(Cli::try_parse_from(given.iter().chain(extra)).unwrap().settings)
    }

    #[test]
    fn a_fault_names_the_setting_and_what_it_accepts() {
        let error = config(&["--connections", "0"]).unwrap_err().to_string();
        assert_eq!(error, "--connections is 0; it takes 1 to 1000");
    }

    #[test]
    fn an_address_that_others_can_reach_needs_a_certificate() {
        assert!(matches!(config(&["--listen", "0.0.0.0:9620"]), Err(ConfigError::Public(_))));
        assert!(config(&["--listen", "0.0.0.0:9620", "--tls-certificate", "/c", "--tls-key", "/k"]).is_ok());
        assert!(matches!(config(&["--admin-listen", "0.0.0.0:1"]), Err(ConfigError::PublicAdmin(_))));
        assert_eq!(config(&["--listen", "unix:/run/g"]).unwrap().listen, Listen::Unix("/run/g".into()));
        assert!(matches!(config(&["--listen", "localhost"]), Err(ConfigError::Listen)));
    }

    #[test]
    fn the_url_brings_no_login_of_its_own() {
        let settings =
            Cli::try_parse_from(["g", "--database-url", "postgresql://u:p@/tpv?host=/run/pg"]).unwrap().settings;
        assert!(matches!(DatabaseConfig::from_settings(&settings), Err(ConfigError::UrlHasUser)));
    }

    #[test]
    fn an_origin_is_no_pattern() {
        assert!(config(&["--cors-origin", "https://a.example,http://localhost:3000"]).is_ok());
        for origin in ["*", "https://*.example", "https://a.example/", "a.example"] {
            assert!(matches!(config(&["--cors-origin", origin]), Err(ConfigError::Origin)), "{origin}");
        }
    }

    #[test]
    fn central_is_another_issuer() {
        assert!(matches!(config(&["--central-issuer", "S01"]), Err(ConfigError::SameIssuer)));
    }
}
