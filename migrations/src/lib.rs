//! `tpv-migrate`: brings a node's database to the state that a build of tpv needs.
//!
//! The migrations are in `sql/`; `assemble.rs` says how they are put together. What a superuser
//! must have done before is in `bootstrap.sql`, and `check.rs` is the list of it, read back from
//! the database.

pub mod assemble;
mod bootstrap;
mod chain;
mod check;
mod config;
mod connection;
mod console;
mod database;
mod day;
mod failure;
pub mod freeze;
mod hba;
mod history;
mod rebuild;
mod release;
mod run;
mod status;

use std::ffi::OsString;

use clap::Parser;
use config::{Args, Command};
pub use console::Console;
use console::FAILURE;
pub use release::Release;

/// Runs the program with these arguments, the first of which is its name, and answers its exit
/// code.
pub fn program(release: &Release, args: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> u8 {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(told) => {
            let _ = told.print();
            return u8::try_from(told.exit_code()).unwrap_or(2);
        }
    };
    let command = match args.command() {
        Ok(command) => command,
        Err(error) => return complain(&error, 2, console),
    };
    let result = match command {
        Command::BootstrapSql { database } => bootstrap::print(&database, console),
        Command::BootstrapHba { database, peers } => hba::print(&database, &peers, console),
        Command::Run { target, lock_timeout, connection } => {
            wait_for(run::run(release, &connection, target, lock_timeout, console))
        }
        Command::Rebuild { connection, range, dry_run, json } => {
            wait_for(rebuild::rebuild(&connection, &range, dry_run, json, console))
        }
        Command::Chain { central, json } => wait_for(chain::show(&central, json, console)),
        Command::Move(order) => wait_for(chain::run(&order, console)),
        Command::Status { json, connection } => wait_for(status::status(release, &connection, json, console)),
    };
    result.unwrap_or_else(|error| complain(&error, FAILURE, console))
}

fn wait_for(work: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn complain(error: &anyhow::Error, code: u8, console: &mut Console<'_>) -> u8 {
    let _ = writeln!(console.err, "tpv-migrate: {error:#}");
    code
}
