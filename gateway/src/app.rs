//! What all requests share.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use uuid::Uuid;

use crate::config::Config;
use crate::database::auth::ThisNode;
use crate::database::pool::Database;
use crate::http::limit::Limit;
use crate::http::problem::{Outcome, Problem};
use crate::keys::keyring::Keyring;
use crate::metrics::Metrics;
use crate::password::hashing::Hashing;
use crate::recent::Recent;
use crate::token::claims::Role;

pub struct App {
    pub config: Config,
    pub database: Database,
    pub keys: Keyring,
    pub hashing: Hashing,
    pub metrics: Metrics,
    /// The highest counter of a refresh token whose access token was used, by session.
    pub used_counters: Recent<Uuid, i32>,
    /// Until when a session of central's is known here, by session.
    pub admitted: Recent<Uuid, i64>,
    pub person_limit: Option<Limit<Uuid>>,
    pub source_limit: Option<Limit<String>>,
    /// Passwords that were not right, by address: whoever tries one on many accounts empties it.
    pub failures: Limit<String>,
    node: RwLock<Option<ThisNode>>,
    /// By role. None until the database has said it.
    permissions: RwLock<Option<HashMap<String, HashSet<String>>>>,
}

impl App {
    pub fn new(config: Config) -> anyhow::Result<Arc<Self>> {
        let keys = Keyring::open(config.keys.clone(), config.issuer.clone(), config.central_issuer.clone())?;
        // Three times the rate at once: a page that opens asks for much in its first second.
        let depth = |rate: u32| f64::from(rate) * 3.0;
        Ok(Arc::new(Self {
            database: Database::new(&config.database)?,
            keys,
            hashing: Hashing::new(),
            metrics: Metrics::new()?,
            used_counters: Recent::new(100_000),
            admitted: Recent::new(100_000),
            person_limit: config.person_rate.map(|rate| Limit::new(f64::from(rate), depth(rate))),
            source_limit: config.source_rate.map(|rate| Limit::new(f64::from(rate), depth(rate))),
            failures: Limit::new(1.0 / 6.0, 20.0),
            node: RwLock::new(None),
            permissions: RwLock::new(None),
            config,
        }))
    }

    /// What this node is, once the database has said it.
    pub fn node(&self) -> Option<ThisNode> {
        self.node.read().clone()
    }

    /// Whether a role has a permission. The database decides that again; it is asked here first so
    /// that whoever lacks it hears so, and not what is wrong with the request.
    pub fn may(&self, role: Role, permission: &str) -> bool {
        let known = self.permissions.read();
        known.as_ref().is_none_or(|known| known.get(role.name()).is_some_and(|some| some.contains(permission)))
    }

    pub fn known_node(&self) -> Outcome<ThisNode> {
        self.node().ok_or_else(|| Problem::unavailable("The database has not said yet which node this is.").into())
    }

    /// Asks again what changes seldom: the node, the signing keys, those of central.
    pub async fn look_around(&self) {
        if let Err(error) = self.keys.reload() {
            tracing::error!(error = format!("{error:#}"), "the keys folder cannot be read; the keys stay as they were");
        }
        let Ok(node) = self.database.this_gateway().await else { return };
        if !node.is_central
            && let Ok(keys) = self.database.issuer_keys().await
        {
            self.keys.set_central(keys);
        }
        *self.node.write() = Some(node);
        if let Ok(permissions) = self.database.permissions().await {
            let mut by_role: HashMap<String, HashSet<String>> = HashMap::new();
            for (role, permission) in permissions {
                by_role.entry(role).or_default().insert(permission);
            }
            *self.permissions.write() = Some(by_role);
        }
    }

    /// Looks around every ten seconds, and every half second until the database has answered once.
    pub async fn keep_looking_around(self: Arc<Self>) {
        loop {
            self.look_around().await;
            let pause = if self.node().is_some() { Duration::from_secs(10) } else { Duration::from_millis(500) };
            tokio::time::sleep(pause).await;
        }
    }
}
