//! Runs every `tests/sql/*.sql`, each in a fresh copy of the migrated database; a file is one
//! behaviour.
//!
//! `./tpv test sql WORD …` runs the files with one of the words in their names, and fails when a
//! word is in none.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test program, but none that clippy recognises as such")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tpv_lab::cluster::Cluster;
use tpv_lab::cluster::Watched;
use tpv_lab::machine::Lab;
use tpv_lab::machine::run;

/// As many as the machine of the least size has processors.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "sql"));
    if let Some(word) = wanted.iter().find(|word| !files.iter().any(|file| named(file, word))) {
        println!("sql: no file in tests/sql has {word} in its name");
        return ExitCode::FAILURE;
    }
    files.retain(|file| wanted.is_empty() || wanted.iter().any(|word| named(file, word)));
    files.sort();
    let cluster = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let _watched = Watched::server_of("sql".to_owned(), cluster.dba_url());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = file.file_stem().unwrap_or_default().to_string_lossy();
                    match run_file(&cluster, file, &name) {
                        Ok(()) => println!("sql {name} ... ok"),
                        Err(error) => {
                            println!("sql {name} ... FAILED\n{error:#}");
                            failed.lock().unwrap().push(name.into_owned());
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("\nsql: {} passed, {} failed {}", files.len() - failed.len(), failed.len(), failed.join(" "));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn named(file: &Path, word: &str) -> bool {
    file.file_name().unwrap_or_default().to_string_lossy().contains(word)
}

fn run_file(cluster: &Cluster, file: &Path, name: &str) -> anyhow::Result<()> {
    let database = format!("sql_{}", name.replace('-', "_"));
    // Cloning wants the original without sessions; pg_cron keeps one open in `tpv`, so the copy is
    // of its twin.
    CLONE.with_lock(cluster, &database)?;
    let result = run(Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname"])
        .arg(cluster.url("postgres", &database))
        .arg("--file")
        .arg(file));
    cluster.connect_as("postgres", "postgres")?.batch_execute(&format!("drop database \"{database}\" with (force)"))?;
    result
}

static CLONE: Clone = Clone(Mutex::new(false));

/// The first call stops pg_cron for good and makes a twin; `create database` itself runs one at a time.
struct Clone(Mutex<bool>);

impl Clone {
    fn with_lock(&self, cluster: &Cluster, database: &str) -> anyhow::Result<()> {
        let mut prepared = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut maintenance = cluster.connect_as("postgres", "postgres")?;
        if !*prepared {
            maintenance.batch_execute("alter database tpv with allow_connections false")?;
            maintenance
                .batch_execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'tpv'")?;
            *prepared = true;
        }
        maintenance.batch_execute(&format!("create database \"{database}\" template tpv"))?;
        Ok(())
    }
}
