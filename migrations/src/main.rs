//! `tpv-migrate`: brings a node's database to the state that this build of tpv needs.
//!
//! The migrations are in `sql/`. What a superuser must have done before is in `bootstrap.sql`, and `check.rs` is the
//! list of it, read back from the database.

mod bootstrap;
mod check;
mod config;
mod database;
mod failure;
mod hba;
mod history;
mod run;
mod status;
mod tls;

use std::io::Write;
use std::process::ExitCode;

use config::{Args, Command};

/// The SQL files, as they were when this program was built.
mod embedded {
    refinery::embed_migrations!("sql");
}

fn main() -> ExitCode {
    let command = match <Args as clap::Parser>::parse().command() {
        Ok(command) => command,
        Err(error) => return complain(&error, 2),
    };
    let result = match command {
        Command::BootstrapSql { database } => bootstrap::print(&database),
        Command::BootstrapHba { database, peers } => hba::print(&database, &peers),
        Command::Run { target, lock_timeout, connection } => wait_for(run::run(&connection, target, lock_timeout)),
        Command::Status { json, connection } => wait_for(status::status(&connection, json)),
    };
    result.unwrap_or_else(|error| complain(&error, 1))
}

fn wait_for(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "tpv-migrate: {error:#}");
    ExitCode::from(code)
}
