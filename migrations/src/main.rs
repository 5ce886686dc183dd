//! `tpv-migrate`, of this build.

use std::process::ExitCode;

use tpv_migrations::{Console, Release, program};

fn main() -> anyhow::Result<ExitCode> {
    let mut console = Console { out: &mut std::io::stdout(), err: &mut std::io::stderr() };
    Ok(program(&Release::this()?, std::env::args_os(), &mut console).into())
}
