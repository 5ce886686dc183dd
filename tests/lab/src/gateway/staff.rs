//! The people of a chain, at least one for each role, with random passwords that are kept in a file.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::client::Client;
use super::people::add_admin;
use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::node::{CENTRAL, Node};

/// What they are called in `.tpv/users.json`, the role, and the department if it is one. The two
/// concessionaires lease departments of different lessees.
const AT_A_STORE: [(&str, &str, Option<&str>); 5] = [
    ("manager", "manager", None),
    ("supervisor", "supervisor", None),
    ("cashier", "cashier", None),
    ("concessionaire", "concessionaire", Some("01")),
    ("concessionaire_02", "concessionaire", Some("02")),
];
/// They have their role in the whole chain, and log in at central.
const AT_CENTRAL: [&str; 3] = ["admin", "manager", "auditor"];

/// Everybody.
#[derive(Clone, Debug)]
pub struct Staff(Vec<Employee>);

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub struct Employee {
    /// Where.
    pub node: Node,
    /// What `.tpv/users.json` calls her.
    pub key: &'static str,
    /// Her role there.
    pub role: &'static str,
    /// The only department that she has the role in.
    pub department: Option<&'static str>,
    /// Her code.
    pub login: String,
    /// Her password.
    pub password: String,
}

impl Staff {
    /// The people of central and these stores. A password is made once and kept in the file.
    pub fn kept_in(file: &Path, stores: &[Node]) -> Result<Self> {
        let kept = fs::read_to_string(file).unwrap_or_else(|_| "{}".to_owned());
        let mut kept: Map<String, Value> = serde_json::from_str(&kept).context("the kept passwords")?;
        let central = AT_CENTRAL.map(|role| (CENTRAL, role, role, None)).into_iter();
        let at_stores =
            stores.iter().flat_map(|node| AT_A_STORE.map(|(key, role, department)| (*node, key, role, department)));
        let mut all = Vec::new();
        for (node, key, role, department) in central.chain(at_stores) {
            let login = match node == CENTRAL {
                true => key.to_owned(),
                false => format!("{}.{}", node.code.to_lowercase(), key),
            };
            let password = match kept.get(&login).and_then(Value::as_str) {
                Some(password) => password.to_owned(),
                None => random()?,
            };
            kept.insert(login.clone(), json!(password));
            all.push(Employee { node, key, role, department, login, password });
        }
        write_private(file, &Value::Object(kept))?;
        Ok(Self(all))
    }

    /// Somebody by the node and the word in `.tpv/users.json`.
    pub fn of(&self, node: Node, key: &str) -> Result<&Employee> {
        let found = self.0.iter().find(|employee| employee.node == node && employee.key == key);
        found.with_context(|| format!("nobody at {} is called {key}", node.code))
    }

    /// All of one node.
    pub fn at(&self, node: Node) -> impl Iterator<Item = &Employee> {
        self.0.iter().filter(move |employee| employee.node == node)
    }

    /// Makes at central whoever is not there yet: the admin by the gateway's command, the passwords
    /// of all others by links of the admin's.
    pub fn hire(&self, lab: &Lab, central: &Cluster, gateway: SocketAddr) -> Result<()> {
        let mut dba = central.connect()?;
        let missing = "select not exists (select from party.employee e join sec.password using (employee_id) \
                        where e.code = $1 and not e.deleted)";
        let mut missing = |login: &str| -> Result<bool> { Ok(dba.query_one(missing, &[&login])?.get(0)) };
        let admin = self.of(CENTRAL, "admin")?;
        if missing(&admin.login)? {
            add_admin(lab, central, &admin.login, &admin.name(), &admin.password)?;
        }
        let mut client = None;
        for employee in &self.0 {
            if missing(&employee.login)? {
                let client = match &client {
                    Some(client) => client,
                    None => client.insert(admin.log_in(gateway)?),
                };
                employee.join(central, client)?;
            }
        }
        Ok(())
    }
}

impl Employee {
    fn name(&self) -> String {
        format!("{} of {}", self.key, self.node.code)
    }

    /// Makes her with her role, and sets her password by a link.
    fn join(&self, central: &Cluster, admin: &Client) -> Result<()> {
        let mut dba = central.connect()?;
        let mut work = dba.transaction()?;
        work.batch_execute("set local role tpv_owner")?;
        let known = "select employee_id from party.employee where code = $1 and not deleted";
        let id: Uuid = match work.query_opt(known, &[&self.login])? {
            Some(row) => row.get(0),
            None => {
                let insert = "insert into party.employee (code, name) values ($1, $2) returning employee_id";
                let id = work.query_one(insert, &[&self.login, &self.name()])?.get(0);
                let node = (self.node != CENTRAL).then_some(self.node.id);
                // A concessionaire sees sales since that day.
                let grant = "insert into sec.role_grant (employee_id, role, node_id, department_code, valid_from) \
                             values ($1, $2, $3, $4, current_date - 365)";
                work.execute(grant, &[&id, &self.role, &node, &self.department])?;
                id
            }
        };
        work.commit()?;
        let made = admin.post(&format!("/v1/employees/{id}/password-link"), &json!({}))?;
        let body = json!({ "link": made.json()["link"], "new_password": self.password });
        let set = Client::anonymous(admin.address).post("/v1/auth/password/link", &body)?;
        ensure!(set.status == 204, "the password of {}: {made:?} {set:?}", self.login);
        Ok(())
    }

    /// A client with her access token for her role. After wrong guesses at her password she waits
    /// as long as she is told to.
    pub fn log_in(&self, gateway: SocketAddr) -> Result<Client> {
        let client = Client::anonymous(gateway);
        let body = json!({ "code": self.login, "password": self.password, "role": self.role });
        let patience = Instant::now() + Duration::from_secs(60);
        let answer = loop {
            let answer = client.post("/v1/auth/login", &body)?;
            let pause = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
            match pause {
                Some(pause) if answer.status == 429 && Instant::now() + pause < patience => std::thread::sleep(pause),
                _ => break answer,
            }
        };
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        Ok(client.bearer(&token.with_context(|| format!("{} does not get in: {answer:?}", self.login))?))
    }

    /// What `.tpv/users.json` says of her.
    pub fn shown(&self) -> Value {
        let mut shown = json!({ "login": self.login, "password": self.password });
        if let Some(department) = self.department {
            shown["department"] = json!(department);
        }
        shown
    }
}

/// Writes a file that nobody else can read.
pub fn write_private(file: &Path, value: &Value) -> Result<()> {
    let draft = file.with_extension("draft");
    let _ = fs::remove_file(&draft);
    let mut opened = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(opened, "{value:#}")?;
    fs::rename(&draft, file).with_context(|| format!("writing {}", file.display()))
}

fn random() -> Result<String> {
    let mut bytes = [0; 12];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
