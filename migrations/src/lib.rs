//! `tpv-migrate`: brings a node's database to the state that a build of tpv needs.
//!
//! The migrations are in `sql/`; `assemble.rs` says how they are put together. What a superuser must have done before is in
//! `bootstrap.sql`, and `check.rs` is the list of it, read back from the database.

pub mod assemble;
mod bootstrap;
mod check;
mod config;
mod database;
mod failure;
pub mod freeze;
mod hba;
mod history;
mod release;
mod run;
mod status;
mod tls;

use std::io::Write;
use std::process::ExitCode;

use config::{Args, Command};
pub use release::Release;

/// The program, for the arguments of this process.
pub fn program(release: &Release) -> ExitCode {
    let command = match <Args as clap::Parser>::parse().command() {
        Ok(command) => command,
        Err(error) => return complain(&error, 2),
    };
    let result = match command {
        Command::BootstrapSql { database } => bootstrap::print(&database),
        Command::BootstrapHba { database, peers } => hba::print(&database, &peers),
        Command::Run { target, lock_timeout, connection } => {
            wait_for(run::run(release, &connection, target, lock_timeout))
        }
        Command::Status { json, connection } => wait_for(status::status(release, &connection, json)),
    };
    result.unwrap_or_else(|error| complain(&error, 1))
}

fn wait_for(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Says why on standard error.
pub fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "tpv-migrate: {error:#}");
    ExitCode::from(code)
}
