//! Where a database is, out of what was given: a URL, or a file that holds one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

/// Where the database is and whom to trust there.
#[derive(Debug)]
pub struct Connection {
    pub database: tokio_postgres::Config,
    pub ca_file: Option<PathBuf>,
}

/// The connection that an option names, by a URL or by a file; none when neither is given.
pub fn named(
    option: &str,
    given: Option<String>,
    file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
) -> anyhow::Result<Option<Connection>> {
    let given = url(option, given, file)?;
    given.map(|url| Ok(Connection { database: database(option, url.trim())?, ca_file })).transpose()
}

/// The URL that was given, or is in the file that was given.
fn url(option: &str, url: Option<String>, file: Option<PathBuf>) -> anyhow::Result<Option<String>> {
    match (url, file) {
        (Some(url), _) => Ok(Some(url)),
        (None, Some(file)) => std::fs::read_to_string(&file)
            .map(Some)
            .with_context(|| format!("{option}-file {} cannot be read", file.display())),
        (None, None) => Ok(None),
    }
}

fn database(option: &str, url: &str) -> anyhow::Result<tokio_postgres::Config> {
    let mut config: tokio_postgres::Config = url.parse().with_context(|| {
        format!("{option} is not a PostgreSQL URL such as postgresql://user@host:5432/database?sslmode=require")
    })?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        bail!("{option} names no host; a socket is named so: postgresql://user@/database?host=/run/postgresql");
    }
    if config.get_dbname().is_none() {
        bail!("{option} names no database");
    }
    if config.get_application_name().is_none() {
        config.application_name("tpv-migrate");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_part_of_a_fault() {
        let error = database("--store", "postgresql://u:secret@h:notaport/d").unwrap_err();
        assert!(!format!("{error:#}").contains("secret"));
    }
}
