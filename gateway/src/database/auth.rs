//! The functions of `sec` for logins and sessions, as `tpv_gateway_auth`. Each is one statement.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::pool::{Database, away};
use super::sqlstate::refused;
use crate::http::problem::{Outcome, Problem};

/// What is known of somebody who wants to log in.
pub struct Login {
    pub known: Known,
    /// At central.
    pub phc: Option<String>,
    /// At a store.
    pub sealed: Option<String>,
}

/// Somebody as she was when her password was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub employee: Uuid,
    /// How often what she may, or her password, was changed.
    pub authz: i32,
}

pub struct Session {
    pub id: Uuid,
    pub counter: i32,
    pub authz: i32,
    pub role: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The next token.
    Rotated,
    /// The same next token once more: its answer was lost.
    Repeated,
}

pub struct Rotated {
    pub rotation: Rotation,
    pub counter: i32,
    pub employee: Uuid,
    pub role: String,
    pub authz: i32,
}

/// What this node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThisNode {
    pub id: i32,
    pub code: String,
    pub is_central: bool,
    pub central_url: Option<String>,
}

/// A password that a store is to get.
pub struct Due {
    pub employee: Uuid,
    pub node: i32,
    pub key: Uuid,
    pub public_key: String,
    pub phc: String,
    /// Which password it is: handed back with what was sealed.
    changed_at: DateTime<Utc>,
}

impl Database {
    pub async fn find_login(&self, code: &str) -> Outcome<Option<Login>> {
        let sql = "select employee_id, authz, phc, sealed from sec.find_login($1)";
        let rows = self.auth_call(sql, &[&code]).await?;
        let login = |row| -> Outcome<Login> {
            let known = Known { employee: get(row, 0)?, authz: get(row, 1)? };
            Ok(Login { known, phc: get(row, 2)?, sealed: get(row, 3)? })
        };
        rows.first().map(login).transpose()
    }

    /// Counts an attempt to log in. Until when it has to wait, if it does.
    pub async fn take_attempt(&self, subject: &[u8]) -> Outcome<Option<DateTime<Utc>>> {
        one(self.auth_call("select sec.take_attempt($1)", &[&subject]).await?)
    }

    /// One that was counted came to nothing.
    pub async fn return_attempt(&self, subject: &[u8]) -> Outcome<()> {
        self.auth_call("select sec.return_attempt($1)", &[&subject]).await.map(drop)
    }

    /// The password was right.
    pub async fn forget_attempts(&self, subject: &[u8]) -> Outcome<()> {
        self.auth_call("select sec.forget_attempts($1)", &[&subject]).await.map(drop)
    }

    /// A security event.
    pub async fn record(&self, event: &str, subject: &str, detail: &str) -> Outcome<()> {
        self.auth_call("select sec.record($1, $2, $3)", &[&event, &subject, &detail]).await.map(drop)
    }

    pub async fn open_session(
        &self,
        known: Known,
        role: Option<&str>,
        address: &str,
        user_agent: &str,
    ) -> Outcome<Session> {
        let sql = "select session_id, counter, authz, role from sec.open_session($1, $2, $3, $4, $5)";
        let rows = self.auth_call(sql, &[&known.employee, &role, &address, &user_agent, &known.authz]).await?;
        let row = rows.first().ok_or_else(Problem::internal)?;
        Ok(Session { id: get(row, 0)?, counter: get(row, 1)?, authz: get(row, 2)?, role: get(row, 3)? })
    }

    /// At a store: a session of central's is known here from now on.
    pub async fn admit(
        &self,
        session: Uuid,
        employee: Uuid,
        role: &str,
        authz: i32,
        expires_at: DateTime<Utc>,
    ) -> Outcome<()> {
        let sql = "select sec.admit($1, $2, $3, $4, $5)";
        self.auth_call(sql, &[&session, &employee, &role, &authz, &expires_at]).await.map(drop)
    }

    pub async fn refresh_session(&self, session: Uuid, counter: i32, next_was_used: bool) -> Outcome<Option<Rotated>> {
        let sql = "select outcome, counter, employee_id, role, authz from sec.refresh_session($1, $2, $3)";
        let rows = self.auth_call(sql, &[&session, &counter, &next_was_used]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let rotation = match get::<&str>(row, 0)? {
            "rotated" => Rotation::Rotated,
            "repeated" => Rotation::Repeated,
            // The other columns are null then.
            _ => return Ok(None),
        };
        Ok(Some(Rotated {
            rotation,
            counter: get(row, 1)?,
            employee: get(row, 2)?,
            role: get(row, 3)?,
            authz: get(row, 4)?,
        }))
    }

    pub async fn end_session(&self, session: Uuid, why: &str) -> Outcome<()> {
        self.auth_call("select sec.end_session($1, $2)", &[&session, &why]).await.map(drop)
    }

    /// Answers how many there were.
    pub async fn end_sessions(&self, employee: Uuid, but: Option<Uuid>, why: &str) -> Outcome<i32> {
        one(self.auth_call("select sec.end_sessions($1, $2, $3)", &[&employee, &but, &why]).await?)
    }

    /// Ends all sessions of hers but one.
    pub async fn set_password(&self, employee: Uuid, phc: &str, by: &str, but: Option<Uuid>) -> Outcome<()> {
        self.auth_call("select sec.set_password($1, $2, $3, $4)", &[&employee, &phc, &by, &but]).await.map(drop)
    }

    /// Whose link it was; none when it holds no more.
    pub async fn use_password_link(&self, hash: &[u8], phc: &str) -> Outcome<Option<Uuid>> {
        one(self.auth_call("select sec.use_password_link($1, $2)", &[&hash, &phc]).await?)
    }

    pub async fn verifiers_due(&self, most: i32) -> Outcome<Vec<Due>> {
        let sql =
            "select employee_id, node_id, gateway_key_id, gateway_key, phc, changed_at from sec.verifiers_due($1)";
        let rows = self.auth_call(sql, &[&most]).await?;
        let due = |row| -> Outcome<Due> {
            Ok(Due {
                employee: get(row, 0)?,
                node: get(row, 1)?,
                key: get(row, 2)?,
                public_key: get(row, 3)?,
                phc: get(row, 4)?,
                changed_at: get(row, 5)?,
            })
        };
        rows.iter().map(due).collect()
    }

    pub async fn save_verifier(&self, due: &Due, sealed: &str) -> Outcome<()> {
        let sql = "select sec.save_verifier($1, $2, $3, $4, $5)";
        self.auth_call(sql, &[&due.employee, &due.node, &due.key, &sealed, &due.changed_at]).await.map(drop)
    }

    /// `url` is where central's gateway answers, which stores tell those whom they send there.
    pub async fn publish_issuer_key(&self, kid: &str, public_key: &str, url: Option<&str>) -> Outcome<()> {
        self.auth_call("select sec.publish_issuer_key($1, $2, $3)", &[&kid, &public_key, &url]).await.map(drop)
    }

    pub async fn retire_issuer_key(&self, kid: &str) -> Outcome<()> {
        self.auth_call("select sec.retire_issuer_key($1)", &[&kid]).await.map(drop)
    }

    /// Names and public keys of central's.
    pub async fn issuer_keys(&self) -> Outcome<Vec<(String, String)>> {
        let rows = self.auth_call("select kid, public_key from sec.issuer_keys()", &[]).await?;
        rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
    }

    pub async fn this_gateway(&self) -> Outcome<ThisNode> {
        let rows = self.auth_call("select node_id, node_code, kind, central_url from sec.this_gateway()", &[]).await?;
        let row = rows.first().ok_or_else(|| Problem::unavailable("This database is no node of a chain yet."))?;
        Ok(ThisNode {
            id: get(row, 0)?,
            code: get(row, 1)?,
            is_central: get::<&str>(row, 2)? == "central",
            central_url: get(row, 3)?,
        })
    }

    /// Role and permission.
    pub async fn permissions(&self) -> Outcome<Vec<(String, String)>> {
        let rows = self.auth_call("select role, permission from sec.permissions()", &[]).await?;
        rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
    }

    pub async fn make_admin(&self, code: &str, name: &str, phc: &str) -> Outcome<Uuid> {
        one(self.auth_call("select sec.make_admin($1, $2, $3)", &[&code, &name, &phc]).await?)
    }

    async fn auth_call(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Outcome<Vec<Row>> {
        let lent = self.auth().await?;
        let client = lent.client()?;
        let work = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, parameters).await
        };
        match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(rows)) => {
                lent.give_back();
                Ok(rows)
            }
            // A statement alone is its own transaction, which has ended with the error.
            Ok(Err(error)) => {
                let ours = error.as_db_error().is_some_and(|server| server.code().code().starts_with("TP"));
                if ours {
                    lent.give_back();
                }
                Err(refused(&error).into())
            }
            Err(_) => Err(away()),
        }
    }
}

fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(rows: Vec<Row>) -> Outcome<T> {
    get(rows.first().ok_or_else(Problem::internal)?, 0)
}

/// A column; another type than the one we know is a mistake of ours or of the schema's.
pub fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Outcome<T> {
    row.try_get(column).map_err(|error| {
        tracing::error!(%error, "the database answers another type");
        Problem::internal().into()
    })
}
