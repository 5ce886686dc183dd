//! One session for everything: how it is opened, and what it looks like before each migration.

use std::future::poll_fn;
use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, NoTls, Socket};
use tpv_connect::encryption;

use crate::connection::Connection;

pub async fn connect(connection: &Connection) -> anyhow::Result<Client> {
    let mut database = connection.database.clone();
    let opened = match encryption(&mut database, connection.ca_file.as_deref())? {
        None => open(&database, NoTls).await,
        Some(tls) => open(&database, tls).await,
    };
    let client = opened.context("the database cannot be reached")?;
    // An empty path: what a migration does not qualify fails instead of landing in somebody's
    // schema.
    client
        .batch_execute("set search_path = ''; set client_min_messages = warning; set statement_timeout = 0")
        .await
        .context("the session could not be set up")?;
    Ok(client)
}

async fn open<T>(database: &tokio_postgres::Config, tls: T) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket> + 'static,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = database.connect(tls).await?;
    tokio::spawn(async move {
        // Ends when the client is dropped, or with an error that the client's next call reports.
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message {
                let _ = writeln!(std::io::stderr(), "{}: {}", notice.severity().to_lowercase(), notice.message());
            }
        }
    });
    Ok(client)
}

/// What every migration starts from, whatever the one before it has set.
pub async fn prepare(client: &Client, lock_timeout: Duration) -> Result<(), tokio_postgres::Error> {
    let lock_timeout_ms = lock_timeout.as_millis();
    client
        .batch_execute(&format!(
            "reset all; set role tpv_owner; set search_path = ''; set client_min_messages = warning; \
             set statement_timeout = 0; set lock_timeout = {lock_timeout_ms}"
        ))
        .await
}
