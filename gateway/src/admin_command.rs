//! `tpv-gateway admin add`: the first person who may make others. There is no default password.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};

use crate::config::DatabaseConfig;
use crate::database::pool::Database;
use crate::password::accepted;
use crate::password::hashing::Hashing;

pub async fn add(config: &DatabaseConfig, code: &str, name: &str) -> anyhow::Result<()> {
    let password = password()?;
    if let Some(fault) = accepted::fault("", &password, code) {
        bail!("the password is refused: {}", fault.detail);
    }
    let database = Database::new(config)?;
    let said = |problem: Box<crate::http::problem::Problem>| match problem.errors.is_empty() {
        true => anyhow::anyhow!("{}", problem.detail),
        false => anyhow::anyhow!("{} {:?}", problem.detail, problem.errors),
    };
    let phc = Hashing::new().hash(password).await.map_err(said)?;
    let employee = database.make_admin(code, name, &phc).await.map_err(said)?;
    writeln!(std::io::stdout(), "{code} is an admin: employee {employee}")?;
    Ok(())
}

/// Typed twice at a terminal; else the first line of standard input.
fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("password: ")?;
    if first != rpassword::prompt_password("once more: ")? {
        bail!("these were two different passwords");
    }
    Ok(first)
}
