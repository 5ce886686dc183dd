//! A data folder that is initialised, bootstrapped and migrated once, and then copied: 0.3 s for a
//! cluster, not 6.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::pgtree::PgTree;
use super::server::{Cluster, SETTINGS};
use crate::machine::{Lab, hash_of, open_folder, run};

/// A stopped cluster to copy from.
#[derive(Debug)]
pub struct Template {
    data: PathBuf,
}

impl Template {
    /// The template for this extension, these migrations and these settings; made if it is not
    /// there yet.
    pub fn prepare(lab: &Lab, tree: &PgTree) -> Result<Self> {
        let migrate = lab.program("tpv-migrate")?;
        let stamp = hash_of(&[tree.stamp.as_bytes(), SETTINGS.as_bytes(), &fs::read(&migrate)?]);
        let folder = lab.folder_for(tree.major, "templates")?;
        // One maker at a time; the others wait here and find it done.
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let data = folder.join(&stamp);
        if !data.is_dir() {
            remove_old(&folder);
            make(lab, tree, &migrate, &data)?;
        }
        Ok(Self { data })
    }

    /// Copies the data folder, sharing blocks where the file system can.
    pub fn copy_to(&self, target: &Path) -> Result<()> {
        open_folder(target.parent().context("a data folder without a parent")?)?;
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&self.data).arg(target))
    }
}

fn make(lab: &Lab, tree: &PgTree, migrate: &Path, data: &Path) -> Result<()> {
    let mut cluster = Cluster::at(lab, tree, &format!("t{}-template", std::process::id()))?.thrown_away();
    let draft = cluster.data();
    open_folder(&cluster.folder)?;
    lab.owner.give(&cluster.folder)?;
    run(lab
        .owner
        .command(tree.bin.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--pgdata"])
        .arg(&draft)
        .current_dir(&cluster.folder))?;
    let conf = draft.join("postgresql.conf");
    let text = fs::read_to_string(&conf)?;
    fs::write(&conf, text + SETTINGS)?;
    put_hba_first(migrate, &draft.join("pg_hba.conf"))?;
    cluster.start()?;
    bootstrap(&cluster, migrate)?;
    let dba = cluster.dba_url();
    run(Command::new(migrate).arg("run").arg("--database-url").arg(&dba))?;
    cluster.stop()?;
    fs::rename(&draft, data).context("keeping the template")
}

/// The lines that a DBA is told to put first. Peers are on this machine, and nobody has a password
/// here.
fn put_hba_first(migrate: &Path, file: &Path) -> Result<()> {
    let lines = Command::new(migrate).args(["bootstrap-hba", "--peer", "socket"]).output()?;
    if !lines.status.success() {
        bail!("tpv-migrate bootstrap-hba: {}", String::from_utf8_lossy(&lines.stderr));
    }
    let ours = String::from_utf8(lines.stdout)?.replace("scram-sha-256", "trust");
    let before = fs::read_to_string(file)?;
    fs::write(file, ours + &before).context("writing pg_hba.conf")
}

/// What a superuser does once, and after each upgrade of the extension, as `tpv-migrate
/// bootstrap-sql` prints it for psql.
pub fn bootstrap(cluster: &Cluster, migrate: &Path) -> Result<()> {
    let sql = Command::new(migrate).arg("bootstrap-sql").output()?;
    if !sql.status.success() {
        bail!("tpv-migrate bootstrap-sql: {}", String::from_utf8_lossy(&sql.stderr));
    }
    let script = cluster.folder.join("bootstrap.sql");
    fs::write(&script, sql.stdout)?;
    run(Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname"])
        .arg(cluster.url("postgres", "postgres"))
        .arg("--file")
        .arg(&script))
}

/// Every build of the migrations makes one; only the newest are of use.
fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut all: Vec<_> = folders.filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path()))).collect();
    all.sort();
    for (_, path) in all.iter().rev().skip(2) {
        let _ = fs::remove_dir_all(path);
    }
}
