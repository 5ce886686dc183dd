//! Prometheus itself: the rules it has, whom it asks, and what it says.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::gateway::free_port;
use crate::machine::{Process, guard};

pub const RULES: &str = include_str!("../../../../examples/monitoring/alerts.yaml");
const DASHBOARD: &str = include_str!("../../../../examples/monitoring/dashboard.json");
const QUERIES: &str = include_str!("../../../../examples/monitoring/queries.yaml");

/// Minutes become seconds: a fault is not to be kept for as long as in a shop.
const QUICKER: [(&str, &str); 6] =
    [("> 3600", "> 3"), ("> 300", "> 12"), ("> 900", "> 12"), ("[15m]", "[8s]"), ("[5m]", "[8s]"), ("[2m]", "[8s]")];

/// The times of the rules, and how often Prometheus asks.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Seconds for minutes; it asks each second.
    Quicker,
    /// As they are; it asks four times a minute.
    AsInAShop,
}

/// Killed with the value, and its exporters with it.
pub struct Prometheus {
    port: u16,
    folder: PathBuf,
    children: Vec<Child>,
}

impl Prometheus {
    /// One with an exporter for each database. Whom else it asks is said by `name`.
    pub fn start(programs: &Path, pace: Pace, folder: PathBuf, databases: &[&Cluster]) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("queries.yaml"), QUERIES)?;
        fs::write(folder.join("alerts.yaml"), pace.rules())?;
        let mut this = Self { port: free_port()?, folder, children: Vec::new() };
        let mut exporters = Vec::new();
        for database in databases {
            exporters.push(this.start_exporter(programs, database)?);
        }
        fs::write(this.folder.join("prometheus.yml"), this.settings(pace, &json!(exporters)))?;
        let mut program = Command::new(programs.join("prometheus"));
        program
            .arg(format!("--config.file={}", this.folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", this.folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", this.port));
        this.spawn(program, "prometheus.log")?;
        Ok(this)
    }

    /// Answers where it is asked.
    fn start_exporter(&mut self, programs: &Path, database: &Cluster) -> Result<String> {
        let port = free_port()?;
        let mut exporter = Command::new(programs.join("prometheus-postgres-exporter"));
        exporter
            .env("DATA_SOURCE_NAME", database.url("prometheus", "tpv"))
            .arg(format!("--extend.query-path={}", self.folder.join("queries.yaml").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        self.spawn(exporter, &format!("exporter-{port}.log"))?;
        Ok(format!("127.0.0.1:{port}"))
    }

    fn settings(&self, pace: Pace, exporters: &Value) -> String {
        let (every, patience) = match pace {
            Pace::Quicker => ("1s", "900ms"),
            Pace::AsInAShop => ("15s", "10s"),
        };
        let folder = self.folder.display();
        format!(
            "global: {{scrape_interval: {every}, evaluation_interval: {every}, scrape_timeout: {patience}}}\n\
             rule_files: ['{folder}/alerts.yaml']\n\
             scrape_configs:\n\
             - job_name: postgres\n  static_configs: [{{targets: {exporters}}}]\n\
             - job_name: tpv_watcher\n  file_sd_configs: [{{files: ['{folder}/tpv_watcher.json']}}]\n\
             - job_name: tpv_gateway\n  file_sd_configs: [{{files: ['{folder}/tpv_gateway.json']}}]\n",
        )
    }

    fn spawn(&mut self, mut command: Command, log: &str) -> Result<()> {
        let log = fs::File::create(self.folder.join(log))?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).spawn()?;
        guard::group(Process::of_child(&child)?);
        self.children.push(child);
        Ok(())
    }

    /// Whom a job asks; Prometheus reads it again when it changes. The targets keep their names: what is
    /// started again has another port here, which it has in no shop.
    pub fn name(&self, job: &str, addresses: &[SocketAddr]) -> Result<()> {
        let (draft, file) = (self.folder.join(format!("{job}.draft")), self.folder.join(format!("{job}.json")));
        let group = |(index, address): (usize, &SocketAddr)| {
            let instance = format!("{job}-{index}");
            json!({ "targets": [address.to_string()], "labels": { "instance": instance } })
        };
        let groups: Vec<Value> = addresses.iter().enumerate().map(group).collect();
        fs::write(&draft, json!(groups).to_string())?;
        Ok(fs::rename(draft, file)?)
    }

    /// Whether so many targets answer, databases counted once more.
    pub fn counts_up(&self, wanted: usize) -> bool {
        let count = |up: &Value| up["data"]["result"][0]["value"][1].as_str()?.parse::<usize>().ok();
        self.ask("query?query=sum(up)%2Bsum(pg_up)").is_ok_and(|up| count(&up) == Some(wanted))
    }

    /// The alarms that fire now.
    pub fn firing(&self) -> Result<BTreeSet<String>> {
        let alerts = self.ask("alerts")?;
        let alerts = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str()).map(str::to_owned).collect())
    }

    /// The alarms that were ever `pending` or `firing` in the last so many seconds, by Prometheus'
    /// own record.
    pub fn ever(&self, state: &str, last: Duration) -> Result<BTreeSet<String>> {
        let seconds = last.as_secs();
        // group by (alertname) (last_over_time(ALERTS{alertstate="…"}[…s]))
        let record = format!("ALERTS%7Balertstate%3D%22{state}%22%7D%5B{seconds}s%5D");
        let query = format!("query?query=group%20by%20(alertname)%20(last_over_time({record}))");
        let answer = self.ask(&query)?;
        let rows = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        Ok(rows.iter().filter_map(|row| row["metric"]["alertname"].as_str()).map(str::to_owned).collect())
    }

    /// Panels of the dashboard that show nothing: their query is none, or asks for what is not there.
    pub fn empty_panels(&self) -> Result<Vec<String>> {
        let dashboard: Value = serde_json::from_str(DASHBOARD)?;
        let mut empty = Vec::new();
        for panel in dashboard["panels"].as_array().into_iter().flatten() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let query = target["expr"].as_str().unwrap_or_default().replace("$store", ".*");
                let rows =
                    self.query(&query).map_or(0, |answer| answer["data"]["result"].as_array().map_or(0, Vec::len));
                if rows == 0 {
                    empty.push(format!("{}: {query}", panel["title"]));
                }
            }
        }
        Ok(empty)
    }

    fn query(&self, query: &str) -> Result<Value> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.ask(&format!("query?query={encoded}"))
    }

    fn ask(&self, path: &str) -> Result<Value> {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        let answer = Command::new("curl").args(["--silent", "--fail", "--max-time", "5", &url]).output()?;
        if !answer.status.success() {
            bail!("{url} gives no answer");
        }
        Ok(serde_json::from_slice(&answer.stdout)?)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Pace {
    fn rules(self) -> String {
        match self {
            Self::Quicker => quicker(RULES),
            Self::AsInAShop => RULES.to_owned(),
        }
    }
}

/// The rules with seconds for minutes.
fn quicker(rules: &str) -> String {
    let line = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim_start().starts_with("for: ") { format!("{indent}for: 2s\n") } else { format!("{line}\n") }
    };
    let text: String = rules.lines().map(line).collect();
    QUICKER.iter().fold(text, |text, (from, to)| text.replace(from, to))
}
