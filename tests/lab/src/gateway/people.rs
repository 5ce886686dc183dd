//! People with a role and a password.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use postgres::Client as Sql;
use serde_json::json;
use uuid::Uuid;

use super::client::{Answer, Client};
use super::process::Gateway;
use crate::cluster::Cluster;
use crate::machine::Lab;

/// Everybody's.
pub const PASSWORD: &str = "tres tristes tigres";

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Key.
    pub employee: Uuid,
    /// Login name.
    pub code: String,
}

/// Makes an employee with one role; `node` and `department` null for all. The first one is made by
/// the gateway's own command, and lends all others the string of her password.
pub fn hire(
    lab: &Lab,
    cluster: &Cluster,
    code: &str,
    role: &str,
    node: Option<i32>,
    department: Option<&str>,
) -> Result<Person> {
    let mut dba = cluster.connect()?;
    if dba.query("select from sec.password", &[])?.is_empty() {
        add_admin(lab, cluster, "chief", "The first", PASSWORD)?;
    }
    let mut work = dba.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    let made = work
        .query_one("insert into party.employee (code, name) values ($1, 'Somebody') returning employee_id", &[&code])?;
    let employee: Uuid = made.get(0);
    work.execute(
        "insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from) \
         values ($1, $2, $3, $4, current_date - 7)",
        &[&employee, &role, &node, &department],
    )?;
    work.execute("select sec.set_password($1, (select phc from sec.password limit 1), 'test')", &[&employee])?;
    work.commit()?;
    Ok(Person { employee, code: code.to_owned() })
}

/// `tpv-gateway admin add`
pub(super) fn add_admin(lab: &Lab, cluster: &Cluster, code: &str, name: &str, password: &str) -> Result<()> {
    let mut command = Command::new(lab.program("tpv-gateway")?);
    command.args(["admin", "add", code, "--name", name, "--database-url", &cluster.address()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    writeln!(child.stdin.take().context("no standard input")?, "{password}")?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "admin add: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

impl Person {
    /// Logs in with everybody's password.
    pub fn try_log_in(&self, gateway: &Gateway) -> Result<Answer> {
        gateway.client().post("/v1/auth/login", &json!({ "code": self.code, "password": PASSWORD }))
    }

    /// A client with her access token.
    pub fn log_in(&self, gateway: &Gateway) -> Result<Client> {
        let answer = self.try_log_in(gateway)?;
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        Ok(gateway.client().bearer(&token.with_context(|| format!("{answer:?}"))?))
    }

    /// Counts her rights up, as a change of her grants does.
    pub fn deactivate(&self, dba: &mut Sql) -> Result<()> {
        dba.execute("update party.employee set active = false where employee_id = $1", &[&self.employee])?;
        Ok(())
    }
}
