//! The start and the end of the program: its parts are made and handed to each other here.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use tokio::sync::watch;
use tpv_connect::with_sources;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::cli::{AdminTask, Cli, LogFormat, LogLevel, Task};
use crate::config::{Config, ConfigError, DatabaseConfig, keys_folder};
use crate::dispatch::Dispatcher;
use crate::server::connection::Serving;
use crate::server::listen::{self, Listener};
use crate::server::tls::Certificate;
use crate::token::provider;
use crate::{admin_command, admin_port, central, keys, routes, service};

/// The program. Exit codes: 0 told to stop, or done; 1 failed; 2 the settings are wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    provider::install();
    match begin(cli) {
        Ok(result) => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "tpv-gateway: {error:#}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tpv-gateway: {}", with_sources(&error));
            ExitCode::from(2)
        }
    }
}

/// The outer error is for settings, the inner one for what went wrong with right ones.
fn begin(cli: Cli) -> Result<anyhow::Result<()>, ConfigError> {
    match cli.task.unwrap_or(Task::Serve) {
        Task::Key { task } => Ok(keys::command::run(task, &keys_folder(&cli.settings)?)),
        Task::Admin { task: AdminTask::Add { code, name } } => {
            let config = DatabaseConfig::from_settings(&cli.settings)?;
            start_log(LogFormat::Human, LogLevel::Warn);
            Ok(runtime().and_then(|runtime| runtime.block_on(admin_command::add(&config, &code, &name))))
        }
        Task::Serve => {
            let check_only = cli.settings.check_config;
            let config = Config::from_settings(cli.settings)?;
            if check_only {
                let _ = writeln!(std::io::stdout(), "{:#}", config.shown());
                return Ok(Ok(()));
            }
            start_log(config.log_format, config.log_level);
            Ok(runtime().and_then(|runtime| {
                let result = runtime.block_on(serve(config));
                // A password that is being hashed must not keep the process from ending.
                runtime.shutdown_timeout(Duration::from_secs(1));
                result
            }))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn start_log(format: LogFormat, level: LogLevel) {
    // At debug, tokio_postgres logs bound values, and these are people's.
    let filter = format!("{level:?},tokio_postgres=info,deadpool=error,hyper=info,warp=info").to_lowercase();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Human => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    std::panic::set_hook(Box::new(log_panic));
}

/// One line, in the format of all others, with the request that it happened in. A message that was
/// made of values stays out: it may hold what a person said.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("its message may hold values");
    tracing::error!(place, "a panic: {message}");
}

/// Serves until it is told to stop.
async fn serve(config: Config) -> anyhow::Result<()> {
    let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
    let app = App::new(config)?;
    let listener = Listener::bind(&app.config.listen).await?;
    let (address, admin) = (listener.address()?, admin_port::serve(Arc::clone(&app)).await?);
    let (stop, stopping) = watch::channel(false);
    let serving = Serving {
        dispatcher: Arc::new(Dispatcher { app: Arc::clone(&app), routes: routes::all() }),
        clients: app.config.clients,
        tls: certificate.as_ref().map(Certificate::acceptor).transpose()?,
        stop: stopping,
    };
    app.look_around().await;
    let mut background = vec![
        tokio::spawn(Arc::clone(&app).keep_looking_around()),
        tokio::spawn(central::keep_working(Arc::clone(&app))),
    ];
    background.extend(certificate.map(|certificate| tokio::spawn(certificate.keep_reading(Arc::clone(&app)))));
    let accepting = tokio::spawn(listen::serve(Arc::clone(&app), Arc::new(serving), listener));
    if let Some(file) = &app.config.address_file {
        write_addresses(file, &address, &admin.to_string())?;
    }
    tracing::info!(listen = address, admin = %admin, issuer = app.keys.issuer(), "serving");
    service::ready();
    service::until_told_to_stop().await;
    service::stopping();
    tracing::info!("stopping, requests in flight are answered first");
    stop.send_replace(true);
    accepting.await?;
    for task in background {
        task.abort();
    }
    if let Some(file) = &app.config.address_file {
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// Whole or not at all: somebody waits for the file.
fn write_addresses(file: &std::path::Path, listen: &str, admin: &str) -> anyhow::Result<()> {
    let text = json!({ "pid": std::process::id(), "listen": listen, "admin": admin }).to_string();
    let draft = file.with_extension("draft");
    std::fs::write(&draft, text)?;
    Ok(std::fs::rename(&draft, file)?)
}
