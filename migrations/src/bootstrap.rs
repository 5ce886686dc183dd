//! `tpv-migrate bootstrap-sql`: prints the script for a superuser. Nothing is sent anywhere.

use anyhow::Context;

use crate::console::{Console, SUCCESS};

const SCRIPT: &str = include_str!("bootstrap.sql");

pub fn print(database: &str, console: &mut Console<'_>) -> anyhow::Result<u8> {
    console.out.write_all(script(database).as_bytes()).context("the script could not be written")?;
    Ok(SUCCESS)
}

/// The name was checked: it needs no quotes.
fn script(database: &str) -> String {
    format!("\\set database {database}\n{SCRIPT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_begins_with_the_name_of_the_database() {
        assert!(script("tpv").starts_with("\\set database tpv\n--"));
    }

    #[test]
    fn the_script_stops_at_the_first_fault() {
        assert!(SCRIPT.contains("\\set ON_ERROR_STOP on"));
    }
}
