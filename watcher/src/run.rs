//! The start and the end of the program: its parts are made and handed to each other here.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tpv_connect::with_sources;
use tracing_subscriber::EnvFilter;

use crate::blocking::blocking;
use crate::config::{Args, Config, LogFormat};
use crate::failure::fault::Fault;
use crate::inbox::supervise::supervise;
use crate::recovery::{self, Leftovers};
use crate::shared::Shared;
use crate::spool::folders::{Spool, identity};
use crate::spool::lock::{LOCK_FILE, Lock};
use crate::terminals::map::Terminals;
use crate::work::fairness::Fairness;
use crate::work::unrecorded::{self, Unrecorded};
use crate::work::{operator, queue};
use crate::{service, status};

/// How long batches in flight may take to end when the process is told to.
const DRAIN: Duration = Duration::from_secs(10);

/// The program. Exit codes: 0 told to stop, 1 failed (start it again, it recovers), 2 the settings
/// are wrong.
pub fn main() -> ExitCode {
    let config = match Config::from_args(Args::parse()) {
        Ok(config) => config,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tpv-watcher: {}", with_sources(&error));
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

fn start_log(config: &Config) {
    // At debug, tokio_postgres logs bound values, and these are receipts.
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

fn run(config: Config) -> anyhow::Result<()> {
    let spool = Spool::open(&config.spool)?;
    let mut lock = Lock::take(&config.spool)?;
    let shared = Shared::new(config, spool)?;
    // Before anything else writes there.
    let leftovers = Leftovers::find(&shared.spool)?;
    let unrecorded = Unrecorded::find(&shared.spool);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        // A terminal that opens a file while we hold its lease makes the kernel send SIGIO, which
        // ends a process that does not handle it. There is nothing else to do about it.
        let _handled = signal(SignalKind::io())?;
        watch(Arc::new(shared), Arc::new(leftovers), Arc::new(unrecorded), &mut lock).await
    });
    // A thread that hangs in the file system must not keep the process from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Works until it is told to stop. An error means that only a restart can help.
async fn watch(
    shared: Arc<Shared>,
    leftovers: Arc<Leftovers>,
    unrecorded: Arc<Unrecorded>,
    lock: &mut Lock,
) -> anyhow::Result<()> {
    let terminals = Arc::new(Terminals::new(&shared.config, &shared.spool));
    let listen = status::serve(Arc::clone(&shared), Arc::clone(&terminals)).await?;
    lock.write(Some(listen))?;
    tracing::info!(spool = %shared.spool.root.display(), %listen, "watching");

    let mut background = JoinSet::new();
    background.spawn(probe_database(Arc::clone(&shared)));
    background.spawn(probe_disk(Arc::clone(&shared)));
    background.spawn(check_lock(Arc::clone(&shared), lock.identity()?));
    background.spawn(unrecorded::keep_recording(Arc::clone(&shared), Arc::clone(&unrecorded)));
    background.spawn(operator::keep_polling(Arc::clone(&shared), Arc::clone(&terminals)));
    background.spawn(recovery::run(Arc::clone(&shared), Arc::clone(&terminals), Arc::clone(&leftovers)));

    let (ours, fairness) = (Arc::clone(&shared), Arc::new(Fairness::new()));
    let work = move |terminal| {
        let (fairness, leftovers) = (Arc::clone(&fairness), Arc::clone(&leftovers));
        queue::run(Arc::clone(&ours), terminal, fairness, leftovers, Arc::clone(&unrecorded))
    };
    let inboxes = tokio::spawn(supervise(Arc::clone(&shared), terminals, work));

    service::ready();
    service::until_told_to_stop(&shared).await;
    service::stopping();
    tracing::info!("stopping, batches in flight are finished first");
    shared.stop();
    if tokio::time::timeout(DRAIN, inboxes).await.is_err() {
        tracing::warn!("a batch is still in flight after {} s; the next start finishes it", DRAIN.as_secs());
    }
    background.shutdown().await;
    shared.take_failure().map_or(Ok(()), |fault| Err(fault.into()))
}

async fn probe_database(shared: Arc<Shared>) {
    shared.database.gate.keep_probing(|| shared.database.probe()).await;
}

async fn probe_disk(shared: Arc<Shared>) {
    shared
        .disk
        .keep_probing(|| {
            let shared = Arc::clone(&shared);
            blocking(move || shared.spool.probe().map_err(|error| error.to_string()))
        })
        .await;
}

/// Another lock file in the place of ours means another spool, where another watcher may work
/// already.
async fn check_lock(shared: Arc<Shared>, ours: (u64, u64)) {
    let path = shared.spool.root.join(LOCK_FILE);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let path = path.clone();
        if blocking(move || identity(&path)).await.is_ok_and(|now| now != ours) {
            shared.report(Fault::SpoolReplaced);
            return;
        }
    }
}
