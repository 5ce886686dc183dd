//! `tpv-migrate`, of this build.

use std::process::ExitCode;

use tpv_migrations::{Release, complain, program};

fn main() -> ExitCode {
    Release::this().map_or_else(|error| complain(&error, 1), |release| program(&release))
}
