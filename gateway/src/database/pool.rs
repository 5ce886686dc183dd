//! Two pools, one for each login. A connection goes back only when its transaction has ended for
//! certain; deadpool itself would hand role and open transaction to the next request.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Status};
use tokio_postgres::NoTls;
use tpv_connect::{encryption, with_sources};

use crate::config::DatabaseConfig;
use crate::http::problem::{Outcome, Problem};

pub struct Database {
    user: Pool,
    auth: Pool,
    pub timeout: Duration,
}

/// A connection that is closed when it is dropped, unless it was given back.
pub struct Lent {
    object: Option<Object>,
}

impl Database {
    pub fn new(config: &DatabaseConfig) -> anyhow::Result<Self> {
        let user = pool(config, "tpv_gateway_user", config.user_password_file.as_deref(), config.connections)?;
        let auth = pool(config, "tpv_gateway_auth", config.auth_password_file.as_deref(), config.auth_connections)?;
        Ok(Self { user, auth, timeout: config.timeout })
    }

    pub async fn user(&self) -> Outcome<Lent> {
        lend(&self.user).await
    }

    pub async fn auth(&self) -> Outcome<Lent> {
        lend(&self.auth).await
    }

    /// Name and state of each pool.
    pub fn pools(&self) -> [(&'static str, Status); 2] {
        [("user", self.user.status()), ("auth", self.auth.status())]
    }

    /// Whether both logins get an answer.
    pub async fn probe(&self) -> Outcome<()> {
        for pool in [&self.user, &self.auth] {
            let lent = lend(pool).await?;
            let answer = tokio::time::timeout(self.timeout, lent.client()?.simple_query("select 1")).await;
            if !matches!(answer, Ok(Ok(_))) {
                return Err(away());
            }
            lent.give_back();
        }
        Ok(())
    }
}

impl Lent {
    pub fn client(&self) -> Outcome<&Object> {
        self.object.as_ref().ok_or_else(|| Problem::internal().into())
    }

    /// To be called only when no transaction is open.
    pub fn give_back(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// The database, or the way to it, is away.
pub fn away() -> Box<Problem> {
    Problem::unavailable("The database does not answer.").into()
}

async fn lend(pool: &Pool) -> Outcome<Lent> {
    match pool.get().await {
        Ok(object) => Ok(Lent { object: Some(object) }),
        Err(error) => {
            tracing::warn!(error = with_sources(&error), "no connection to the database");
            Err(away())
        }
    }
}

fn pool(config: &DatabaseConfig, login: &str, password: Option<&Path>, size: usize) -> anyhow::Result<Pool> {
    let mut server = config.server.clone();
    server.user(login).application_name("tpv-gateway");
    if let Some(file) = password {
        let shown = file.display();
        let password = fs::read_to_string(file).with_context(|| format!("the password file {shown} cannot be read"))?;
        server.password(password.trim_end_matches(['\r', '\n']));
    }
    if server.get_connect_timeout().is_none() {
        server.connect_timeout(Duration::from_secs(1));
    }
    // The server gives up first, and says so; what is frozen in a transaction lets go in the end.
    let (statement, lock) = (config.timeout * 4 / 5, (config.timeout * 2 / 5).min(Duration::from_secs(2)));
    let options = format!(
        "{} -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=10000 \
         -c timezone=UTC -c search_path=",
        server.get_options().unwrap_or_default(),
        statement.as_millis(),
        lock.as_millis()
    );
    server.options(options.trim());
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match encryption(&mut server, config.ca_file.as_deref())? {
        None => Manager::from_config(server, NoTls, recycling),
        Some(tls) => Manager::from_config(server, tls, recycling),
    };
    let wait = config.timeout.min(Duration::from_secs(2));
    Ok(Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(wait))
        .create_timeout(Some(wait))
        .recycle_timeout(Some(Duration::from_secs(1)))
        .build()?)
}
