//! What the programs have in common when they reach their database: when the way is encrypted, and
//! an error in one line.

mod tls;

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

pub use tokio_postgres_rustls::MakeRustlsConnect;

/// What encrypts the way to a server across the network. None over a socket, and where
/// `sslmode=disable` says so.
pub fn encryption(config: &mut Config, ca_file: Option<&Path>) -> anyhow::Result<Option<MakeRustlsConnect>> {
    let hosts = config.get_hosts();
    let sockets_only = !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    if sockets_only || config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    // `prefer` would go on in the clear when somebody in between says that there is no TLS. On this
    // machine nobody is in between.
    if config.get_ssl_mode() == SslMode::Prefer && !hosts.iter().all(is_here) {
        config.ssl_mode(SslMode::Require);
    }
    tls::connector(ca_file).map(Some)
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// An error and all its sources on one line.
pub fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(conninfo: &str) -> (bool, SslMode) {
        let mut config: Config = conninfo.parse().unwrap();
        let encrypted = encryption(&mut config, None).unwrap().is_some();
        (encrypted, config.get_ssl_mode())
    }

    #[test]
    fn only_a_socket_or_its_owner_leaves_the_way_in_the_clear() {
        assert!(!encrypted("host=/run/postgresql").0);
        assert!(!encrypted("host=10.0.0.1 sslmode=disable").0);
        for conninfo in ["host=10.0.0.1", "host=10.0.0.1 sslmode=require", "host=/run/postgresql,10.0.0.1"] {
            assert_eq!(encrypted(conninfo), (true, SslMode::Require), "{conninfo}");
        }
        for conninfo in ["host=127.0.0.1", "host=localhost", "host=/run/postgresql,::1"] {
            assert_eq!(encrypted(conninfo), (true, SslMode::Prefer), "{conninfo}");
        }
    }
}
