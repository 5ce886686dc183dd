//! `tpv-migrate status`: what is applied, what is pending, what is in the way. Changes nothing.

use std::fmt::Write as _;

use anyhow::Context;
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::check::{self, Fault};
use crate::connection::Connection;
use crate::console::{Console, FAILURE, SUCCESS};
use crate::database;
use crate::history::{self, Entry, State};
use crate::release::Release;

/// Told apart from failure, so that a script can ask whether there is something to do.
const PENDING: u8 = 3;

pub async fn status(
    release: &Release,
    connection: &Connection,
    as_json: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let client = database::connect(connection).await?;
    let facts = check::facts(&client).await.context("the database could not be checked")?;
    let faults = check::faults(&facts, &release.extension);
    if facts.may_set_owner {
        client.batch_execute("set role tpv_owner").await.context("the session could not become tpv_owner")?;
    }
    let entries = entries(release, &client).await?;
    let in_the_way = history::faults(&entries);
    let odd = check::setup_faults(&client).await.context("triggers, owners and settings could not be looked at")?;
    let pending = entries.iter().filter(|entry| entry.state == State::Pending).count();
    let text = if as_json {
        let faults: Vec<_> = faults.iter().map(|it| json!({ "what": it.what, "remedy": it.remedy })).collect();
        let setup: Vec<_> = odd.iter().map(|it| json!({ "what": it.what, "remedy": it.remedy })).collect();
        let ready = faults.is_empty() && in_the_way.is_empty();
        let up_to_date = ready && odd.is_empty() && pending == 0;
        format!(
            "{:#}\n",
            json!({ "up_to_date": up_to_date, "pending": pending, "migrations": entries, "faults": faults,
                    "history_faults": in_the_way, "setup_faults": setup })
        )
    } else {
        let mut text = table(&entries);
        for sentence in &in_the_way {
            let _ = writeln!(text, "{sentence}");
        }
        text + &told(&faults) + &told_of_setup(&odd)
    };
    let _ = console.out.write_all(text.as_bytes());
    Ok(match (faults.is_empty() && in_the_way.is_empty() && odd.is_empty(), pending) {
        (true, 0) => SUCCESS,
        (true, _) => PENDING,
        (false, _) => FAILURE,
    })
}

async fn entries(release: &Release, client: &Client) -> anyhow::Result<Vec<Entry>> {
    let applied = match history::read(client).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Err(error).context("this role may not read the history; connect as one that may become tpv_owner");
        }
        other => other.context("the history could not be read")?,
    };
    Ok(history::compare(&release.migrations, &applied))
}

/// Faults as a person reads them; nothing when there are none.
pub fn told(faults: &[Fault]) -> String {
    let mut text = String::new();
    if !faults.is_empty() {
        let _ = writeln!(text, "not ready for migrations, {} in the way:", count(faults.len()));
    }
    listed(&mut text, faults);
    text
}

/// The same of what stands in no migration's way.
fn told_of_setup(faults: &[Fault]) -> String {
    let mut text = String::new();
    if !faults.is_empty() {
        let _ = writeln!(text, "not as the migrations made it, {} found:", count(faults.len()));
    }
    listed(&mut text, faults);
    text
}

fn listed(text: &mut String, faults: &[Fault]) {
    for fault in faults {
        let _ = writeln!(text, "  - {}\n    {}", fault.what, fault.remedy);
    }
}

fn count(number: usize) -> String {
    if number == 1 { "1 fault is".to_owned() } else { format!("{number} faults are") }
}

fn table(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0).max("name".len());
    let mut text = format!("{:>7}  {:width$}  state\n", "version", "name");
    for entry in entries {
        let state = match (entry.state, &entry.applied_on) {
            (State::Applied, Some(on)) => format!("applied {}", to_the_second(on)),
            (State::Applied, None) => "applied".to_owned(),
            (State::Pending, _) => "pending".to_owned(),
            (State::Changed, _) => "changed after it was applied".to_owned(),
            (State::Unknown, _) => "applied by a newer program".to_owned(),
            (State::Skipped, _) => "not applied, a later one is".to_owned(),
            (State::Unsupported, _) => "applied by tpv 0.1.0".to_owned(),
        };
        let _ = writeln!(text, "{:>7}  {:width$}  {state}", entry.version, entry.name);
    }
    text
}

/// `2026-06-30T10:00:00.123456Z` → `2026-06-30T10:00:00Z`
fn to_the_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned() {
        let entry = |version, name: &str, state, applied_on: Option<&str>| Entry {
            version,
            name: name.to_owned(),
            state,
            applied_on: applied_on.map(str::to_owned),
        };
        let text = table(&[
            entry(1, "schemas", State::Applied, Some("2026-06-30T10:00:00.123456Z")),
            entry(2, "dat", State::Pending, None),
        ]);
        assert_eq!(
            text,
            "version  name     state\n      1  schemas  applied 2026-06-30T10:00:00Z\n      2  dat      pending\n"
        );
    }

    #[test]
    fn no_fault_is_told_as_nothing() {
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn what_stands_in_no_migrations_way_is_told_as_such() {
        let fault = Fault { what: "66 triggers are not enabled".to_owned(), remedy: "run: x".to_owned() };
        assert_eq!(
            told_of_setup(&[fault]),
            "not as the migrations made it, 1 fault is found:\n  - 66 triggers are not enabled\n    run: x\n"
        );
        assert_eq!(told_of_setup(&[]), "");
    }

    #[test]
    fn a_fault_is_told_with_its_remedy() {
        let fault = Fault { what: "x is missing".to_owned(), remedy: "make x".to_owned() };
        assert_eq!(told(&[fault]), "not ready for migrations, 1 fault is in the way:\n  - x is missing\n    make x\n");
    }
}
