//! A node of a chain, seen from its database.

use std::error::Error as _;

use anyhow::{Context, bail};
use tokio_postgres::Client;
use tokio_postgres::error::DbError;

use crate::connection::Connection;
use crate::database;

/// A session of a superuser in the database of a node, and which node that is.
pub struct Node {
    pub client: Client,
    pub node_id: i32,
    pub code: String,
    pub kind: String,
    pub extension: String,
    pub schema: i32,
}

const WHO: &str = "
    select n.node_id, n.node_code, n.kind, e.extversion, sync.schema_version(),
           (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user), current_setting('wal_level')
      from pg_catalog.pg_extension e
      left join sync.this_node t on true
      left join org.node n on n.node_id = t.node_id
     where e.extname = 'pg_tpv'";

impl Node {
    /// Connects, and asks who is there. `option` is what named the connection.
    pub async fn open(connection: &Connection, option: &str, kind: &str) -> anyhow::Result<Self> {
        let client = database::connect(connection).await.with_context(|| format!("{option} lets nobody in"))?;
        let row = client
            .query_opt(WHO, &[])
            .await
            .with_context(|| format!("{option} is no database of tpv; tpv-migrate run makes it one"))?
            .with_context(|| {
                format!("{option} is a database without the extension pg_tpv; tpv-migrate bootstrap-sql makes it")
            })?;
        let Some(node_id) = row.get(0) else {
            bail!("{option} is a database that is no node yet; register it with org.register_{kind}");
        };
        let node = Self {
            client,
            node_id,
            code: row.get(1),
            kind: row.get(2),
            extension: row.get(3),
            schema: row.get::<_, Option<i32>>(4).unwrap_or_default(),
        };
        if node.kind != kind {
            bail!("{option} is {}, a node of the kind {}; it takes a {kind}", node.code, node.kind);
        }
        if !row.get::<_, bool>(5) {
            bail!("{option} does not connect as a superuser, who alone makes slots and subscriptions");
        }
        if row.get::<_, String>(6) != "logical" {
            bail!(
                "wal_level is {} at {}; set it to logical and restart the server",
                row.get::<_, String>(6),
                node.code
            );
        }
        Ok(node)
    }

    /// What it logs in as at its peer.
    pub async fn login(&self) -> Result<String, tokio_postgres::Error> {
        Ok(self.client.query_one("select sync.login_name($1)", &[&self.code]).await?.get(0))
    }
}

/// What a server refused, with all that it said.
pub fn told(error: &tokio_postgres::Error) -> String {
    let Some(report) = error.source().and_then(|source| source.downcast_ref::<DbError>()) else {
        return tpv_connect::with_sources(error);
    };
    let mut text = report.message().to_owned();
    for more in [report.detail(), report.hint()].into_iter().flatten() {
        text.push_str("\n    ");
        text.push_str(more);
    }
    text
}
