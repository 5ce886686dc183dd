//! The watcher: a terminal's file → PostgreSQL → a .dat on disk.
//!
//! It knows files; the database knows receipts. Start reading at `work/batch.rs`, the order of work; a file is renamed in
//! `spool/`: by `publish.rs` (to out/), `archive.rs`, `quarantine.rs`, all by way of `rename.rs`.

// What it shares, its start and its end.
mod config;
mod service;
mod status;
mod watcher;
// Terminals and their files.
mod inbox;
mod terminals;
// The order of work.
mod recovery;
mod spool;
mod work;
// The database, and what to do when something fails.
mod database;
mod failure;
mod metrics;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use config::{Args, Config, LogFormat};
use failure::fault::chain;
use spool::folders::{Lock, Spool};
use watcher::Watcher;

/// The program. Exit codes: 0 told to stop, 1 failed (start it again, it recovers), 2 the settings are wrong.
pub fn main() -> ExitCode {
    let config = match Config::from_args(Args::parse()) {
        Ok(config) => config,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tpv-watcher: {}", chain(&error));
            return ExitCode::from(2);
        }
    };
    if config.check_only {
        let _ = writeln!(std::io::stdout(), "{:#}", config.shown());
        return ExitCode::SUCCESS;
    }
    start_log(&config);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> anyhow::Result<()> {
    let spool = Spool::open(&config.spool)?;
    let mut lock = Lock::take(&config.spool)?;
    let watcher = Arc::new(Watcher::new(config, spool)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        // A terminal that opens a file while we hold its lease makes the kernel send SIGIO, which ends a process that
        // does not handle it. That we were told is all there is to do about it.
        let _handled = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::io())?;
        watcher.run(&mut lock).await
    });
    // A thread that hangs in the file system must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

fn start_log(config: &Config) {
    // tokio_postgres logs bound values, that is receipts, at debug.
    let filter = format!("{:?},tokio_postgres=warn,deadpool=error,hyper=info", config.log_level).to_lowercase();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Human => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
