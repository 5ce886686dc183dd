//! `tpv-migrate run`: check, lock, apply.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use refinery::Target;
use tokio_postgres::Client;

use crate::connection::Connection;
use crate::console::{Console, FAILURE, SUCCESS};
use crate::history::State;
use crate::release::Release;
use crate::{check, database, failure, history, status};

/// "tpv-mig" in ASCII. Advisory locks are per database, so a number that nobody else uses is all it
/// takes.
const LOCK: i64 = 0x74_7076_2d6d_6967;

pub async fn run(
    release: &Release,
    connection: &Connection,
    target: Option<i32>,
    lock_timeout: Duration,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let known = |target: i32| release.migrations.iter().any(|it| it.version() == target);
    if let Some(target) = target.filter(|target| !known(*target)) {
        let _ = writeln!(
            console.err,
            "tpv-migrate: --target {target} is none of this program's migrations; `tpv-migrate status` lists them"
        );
        return Ok(2);
    }
    let mut client = database::connect(connection).await?;
    let facts = check::facts(&client).await.context("the database could not be checked")?;
    let faults = check::faults(&facts, &release.extension);
    if !faults.is_empty() {
        let _ = write!(console.err, "{}", status::told(&faults));
        return Ok(FAILURE);
    }
    lock(&client, console).await.context("the lock could not be taken")?;
    apply(release, &mut client, target, lock_timeout, console).await
}

/// Held until the session ends, so that of two runs the second finds the work done.
async fn lock(client: &Client, console: &mut Console<'_>) -> Result<(), tokio_postgres::Error> {
    if client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).await?.get(0) {
        return Ok(());
    }
    let _ = writeln!(console.err, "another tpv-migrate run is at work on this database; waiting for it");
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    Ok(())
}

async fn apply(
    release: &Release,
    client: &mut Client,
    target: Option<i32>,
    lock_timeout: Duration,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let setting_up = "the session could not become tpv_owner";
    database::prepare(client, lock_timeout).await.context(setting_up)?;
    history::create(client).await.context("the table of applied migrations could not be made")?;
    let ours = &release.migrations;
    let entries = history::compare(ours, &history::read(client).await.context("the history could not be read")?);
    let faults = history::faults(&entries);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  and "));
    }
    let last = target.unwrap_or(i32::MAX);
    let started = Instant::now();
    let mut applied = 0;
    for entry in entries.iter().filter(|entry| entry.state == State::Pending && entry.version <= last) {
        let Some(migration) = ours.iter().find(|migration| migration.version() == entry.version) else { continue };
        database::prepare(client, lock_timeout).await.context(setting_up)?;
        let before = Instant::now();
        // One at a time, each in its own transaction, so that each is reported as soon as it is
        // done.
        let mut runner = release
            .runner()
            .set_target(Target::Version(entry.version))
            .set_grouped(false)
            .set_abort_divergent(true)
            .set_abort_missing(true);
        runner.set_migration_table_name(history::TABLE);
        if let Err(error) = runner.run_async(client).await {
            bail!("{}", failure::describe(migration, &error));
        }
        let _ = writeln!(console.out, "applied {migration} in {} ms", before.elapsed().as_millis());
        applied += 1;
    }
    let newest = entries.iter().map(|entry| entry.version).filter(|version| *version <= last).max().unwrap_or(0);
    let _ = match applied {
        0 => writeln!(console.out, "nothing to do: the database is at version {newest}"),
        _ => writeln!(
            console.out,
            "{applied} applied in {} ms; the database is at version {newest}",
            started.elapsed().as_millis()
        ),
    };
    Ok(SUCCESS)
}
