//! `up` and `down`: a chain that stays, and its end.

mod gateways;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::chain::{self, Plan};
use crate::cluster::{Cluster, PgTree};
use crate::gateway::write_private;
use crate::machine::{Lab, Process, run};
use crate::node::{CENTRAL, Node, STORES};
use crate::store::{self, Spool, Watcher, WatcherOptions};

struct Files {
    server: PathBuf,
    watcher: PathBuf,
    address: PathBuf,
    gateway: PathBuf,
    /// The port that its gateway had, and takes again.
    port: PathBuf,
}

fn files(lab: &Lab, node: Node) -> Result<Files> {
    let run = lab.folder("run")?;
    let file = |end: &str| run.join(format!("{}.{end}", node.code));
    Ok(Files {
        server: file("postgres.pid"),
        watcher: file("watcher.pid"),
        address: file("watcher.address"),
        gateway: file("gateway.pid"),
        port: file("gateway.port"),
    })
}

/// All nodes, central first.
fn nodes() -> impl Iterator<Item = Node> + Clone {
    std::iter::once(CENTRAL).chain(STORES)
}

/// Starts what does not run yet and writes `.tpv/env`. Answers what to tell people.
pub fn up() -> Result<String> {
    let lab = Lab::open()?;
    let tree = PgTree::prepare(&lab)?;
    let mut note = String::new();
    let kept = lab.home.join("clusters").join(CENTRAL.code).is_dir();
    if let Err(error) = start_servers(&lab, &tree) {
        if !kept {
            return Err(error);
        }
        // Before the first release migrations still change. Nothing is thrown away that somebody
        // may want to look at.
        down()?;
        let aside = put_aside(&lab)?;
        note = format!("The chain that was kept is of another build, and lies in {aside} now: {error:#}\n");
        start_servers(&lab, &tree)?;
    }
    let central = Cluster::at(&lab, &tree, CENTRAL.code)?;
    let joined = lab.folder("clusters")?.join(CENTRAL.code).join("joined");
    if !joined.exists() {
        chain::register_central(&mut central.connect()?)?;
        for node in STORES {
            let store = Cluster::at(&lab, &tree, node.code)?;
            store::register(&mut store.connect()?, node)?;
            Plan::Join.run(node, &store, &central)?;
        }
        let all = nodes().map(|node| Cluster::at(&lab, &tree, node.code)).collect::<Result<Vec<_>>>()?;
        chain::compare(&all)?;
        fs::write(&joined, "")?;
    }
    let clusters = nodes().map(|node| Ok((node, Cluster::at(&lab, &tree, node.code)?))).collect::<Result<Vec<_>>>()?;
    let (staff, apis) = gateways::open(&lab, &clusters)?;
    let (mut env, mut users) = (String::new(), serde_json::Map::new());
    for ((node, cluster), api) in clusters.iter().zip(&apis) {
        let url = cluster.dba_url();
        let mut of_node = serde_json::Map::new();
        of_node.insert("dba".into(), json!({ "login": "postgres", "url": url }));
        let mut lines = vec![("URL", url), ("API", api.clone())];
        if *node != CENTRAL {
            let (spool, address) = start_watcher(&lab, *node, cluster)?;
            of_node
                .insert("watcher".into(), json!({ "login": "tpv_watcher", "url": cluster.url("tpv_watcher", "tpv") }));
            lines.extend([("SPOOL", spool), ("WATCHER", format!("http://{address}"))]);
        }
        of_node.extend(staff.at(*node).map(|employee| (employee.key.to_owned(), employee.shown())));
        users.insert(node.code.into(), of_node.into());
        env.extend(lines.iter().map(|(name, value)| format!("export {}_{name}={}\n", node.code, quoted(value))));
    }
    fs::write(lab.checkout.join(".tpv/env"), &env)?;
    write_private(&lab.checkout.join(".tpv/users.json"), &serde_json::Value::Object(users))?;
    Ok(format!(
        "{note}{env}Central and stores S01, S02, S03 are up and joined, each with its gateway.\n\
         `. .tpv/env` sets the above; .tpv/users.json has a login and a password for each role.\n\
         ./tpv psql S01 looks inside; ./tpv down stops it all."
    ))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Starts the servers that do not run, and migrates them.
fn start_servers(lab: &Lab, tree: &PgTree) -> Result<()> {
    for node in nodes() {
        let file = files(lab, node)?.server;
        if Process::read(&file).is_none() {
            Cluster::start_detached(lab, node.code)?.write(&file)?;
        }
        // A node that was kept from an older build gets the migrations it lacks.
        let url = Cluster::at(lab, tree, node.code)?.dba_url();
        run(std::process::Command::new(lab.program("tpv-migrate")?).args(["run", "--database-url", &url]))?;
    }
    Ok(())
}

/// Starts the watcher of a store if it does not run. Answers its spool and its address.
fn start_watcher(lab: &Lab, node: Node, store: &Cluster) -> Result<(String, String)> {
    let files = files(lab, node)?;
    let spool = Spool::make(&lab.folder("spools")?.join(node.code))?;
    if Process::read(&files.watcher).is_none() {
        let options = WatcherOptions {
            spool: spool.root.clone(),
            database_url: store.url("tpv_watcher", "tpv"),
            arguments: Vec::new(),
            tracer: Vec::new(),
            log: store.folder.join("watcher.log"),
        };
        let (process, address) = Watcher::start_detached(lab, &options)?;
        process.write(&files.watcher)?;
        fs::write(&files.address, address.to_string())?;
    }
    let address = fs::read_to_string(&files.address).context("the watcher's address")?;
    Ok((spool.root.display().to_string(), address))
}

/// Moves the stopped chain and its spools out of the way, and says where to.
fn put_aside(lab: &Lab) -> Result<String> {
    let kept = lab.folder("kept")?.join(chrono::Utc::now().format("%Y%m%d-%H%M%S").to_string());
    for node in nodes() {
        for parent in ["clusters", "spools"] {
            let from = lab.folder(parent)?.join(node.code);
            if from.is_dir() {
                fs::create_dir_all(kept.join(parent))?;
                let to = kept.join(parent).join(node.code);
                fs::rename(&from, to).with_context(|| format!("moving {} aside", from.display()))?;
            }
        }
    }
    Ok(kept.display().to_string())
}

/// Stops what `up` started: gateways, then watchers, then servers. Answers what to tell people.
pub fn down() -> Result<String> {
    let lab = Lab::open()?;
    let mut stopped = 0;
    type Part = fn(Files) -> PathBuf;
    let parts: [(Signal, Part); 3] = [
        (Signal::SIGTERM, |files| files.gateway),
        (Signal::SIGTERM, |files| files.watcher),
        (Signal::SIGINT, |files| files.server),
    ];
    for (polite, part) in parts {
        let mut running = Vec::new();
        for node in nodes() {
            let file = part(files(&lab, node)?);
            if let Some(process) = Process::read(&file) {
                process.signal(polite);
                running.push(process);
            }
            let _ = fs::remove_file(file);
        }
        stopped += running.len();
        for process in running {
            if process.wait_gone(Duration::from_secs(30)).is_err() {
                process.signal(Signal::SIGKILL);
            }
        }
    }
    let _ = fs::remove_file(lab.checkout.join(".tpv/env"));
    Ok(if stopped == 0 { "Nothing was running.".to_owned() } else { format!("Stopped {stopped} processes.") })
}
