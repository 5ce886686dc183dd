//! `up` and `down`: a store that stays, and its end.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::cluster::Cluster;
use crate::lab::Lab;
use crate::pgtree::PgTree;
use crate::process::Process;
use crate::spool::Spool;
use crate::store;
use crate::template;
use crate::watcher::{Plan, Watcher};

const NODE: &str = "S01";

struct Files {
    server: PathBuf,
    watcher: PathBuf,
    address: PathBuf,
    registered: PathBuf,
}

fn files(lab: &Lab) -> Result<Files> {
    let run = lab.folder("run")?;
    Ok(Files {
        server: run.join("S01.postgres.pid"),
        watcher: run.join("S01.watcher.pid"),
        address: run.join("S01.watcher.address"),
        registered: lab.folder("clusters")?.join(NODE).join("registered"),
    })
}

/// Starts what does not run yet and writes `.tpv/env`. Answers what to tell people.
pub fn up() -> Result<String> {
    let lab = Lab::open()?;
    let files = files(&lab)?;
    let tree = PgTree::prepare(&lab)?;
    let place = Cluster::at(&lab, &tree, NODE)?;
    let (url, folder) = (place.dba_url(), place.folder.clone());
    let watcher_url = place.url("tpv_watcher", "tpv");
    let mut note = String::new();
    let migrate = || -> Result<()> {
        if Process::read(&files.server).is_none() {
            Cluster::start_detached(&lab, NODE)?.write(&files.server)?;
        }
        // A store that was kept from an older build gets the migrations it lacks.
        template::run(std::process::Command::new(lab.program("tpv-migrate")?).args(["run", "--database-url", &url]))
    };
    let kept = folder.is_dir();
    if let Err(error) = migrate() {
        if !kept {
            return Err(error);
        }
        // Before the first release migrations still change. Nothing is thrown away that somebody may want to look at.
        down()?;
        let aside = put_aside(&lab)?;
        note = format!("The store that was kept is of another build, and lies in {aside} now: {error:#}\n");
        migrate()?;
    }
    if !files.registered.exists() {
        store::register(&mut place.connect()?)?;
        fs::write(&files.registered, "")?;
    }
    let spool = Spool::make(&lab.folder("spools")?.join(NODE))?;
    if Process::read(&files.watcher).is_none() {
        let plan = Plan {
            spool: spool.root.clone(),
            database_url: watcher_url.clone(),
            arguments: Vec::new(),
            tracer: Vec::new(),
            log: folder.join("watcher.log"),
        };
        let (process, address) = Watcher::start_detached(&lab, &plan)?;
        process.write(&files.watcher)?;
        fs::write(&files.address, address.to_string())?;
    }
    let address = fs::read_to_string(&files.address).context("the watcher's address")?;
    let env = lab.checkout.join(".tpv/env");
    let spool = spool.root.display().to_string();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let lines = [("URL", quoted(&url)), ("SPOOL", quoted(&spool)), ("WATCHER", quoted(&format!("http://{address}")))];
    let text: String = lines.iter().map(|(name, value)| format!("export {NODE}_{name}={value}\n")).collect();
    fs::write(&env, &text)?;
    let users = json!({ NODE: {
        "dba": { "login": "postgres", "url": url },
        "watcher": { "login": "tpv_watcher", "url": watcher_url },
    }});
    fs::write(lab.checkout.join(".tpv/users.json"), format!("{users:#}\n"))?;
    Ok(format!(
        "{note}{text}Store S01 is up. `. .tpv/env` sets the above; ./tpv psql S01 looks inside; ./tpv down stops it."
    ))
}

/// Moves the stopped store and its spool out of the way, and says where to.
fn put_aside(lab: &Lab) -> Result<String> {
    let kept = lab.folder("kept")?.join(chrono::Utc::now().format("%Y%m%d-%H%M%S").to_string());
    fs::create_dir_all(&kept)?;
    for (parent, name) in [("clusters", "cluster"), ("spools", "spool")] {
        let from = lab.folder(parent)?.join(NODE);
        if from.is_dir() {
            fs::rename(&from, kept.join(name)).with_context(|| format!("moving {} aside", from.display()))?;
        }
    }
    Ok(kept.display().to_string())
}

/// Stops what `up` started, the watcher first. Answers what to tell people.
pub fn down() -> Result<String> {
    let lab = Lab::open()?;
    let files = files(&lab)?;
    let mut stopped = Vec::new();
    for (name, file, polite) in
        [("watcher", &files.watcher, Signal::SIGTERM), ("PostgreSQL", &files.server, Signal::SIGINT)]
    {
        if let Some(process) = Process::read(file) {
            process.signal(polite);
            if process.wait_gone(Duration::from_secs(30)).is_err() {
                process.signal(Signal::SIGKILL);
            }
            stopped.push(name);
        }
        let _ = fs::remove_file(file);
    }
    let _ = fs::remove_file(lab.checkout.join(".tpv/env"));
    Ok(if stopped.is_empty() { "Nothing was running.".to_owned() } else { format!("Stopped: {}.", stopped.join(", ")) })
}
