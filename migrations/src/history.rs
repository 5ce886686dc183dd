//! What is applied, beside what this program has: pure, but for reading the table.

use refinery::Migration;
use serde::Serialize;
use tokio_postgres::Client;

/// Where refinery keeps its record. In a schema of its own: `public` is nobody's, and the others come with migrations.
pub const TABLE: &str = "tpv_migration.history";

/// A row of the table; refinery stores time and checksum as text.
#[derive(Clone, Debug)]
pub struct Applied {
    pub version: i32,
    pub name: String,
    pub applied_on: String,
    pub checksum: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Applied,
    Pending,
    /// Applied, but the text of this program's migration is another one.
    Changed,
    /// Applied by a newer program: this one does not have it.
    Unknown,
    /// Not applied although a later one is.
    Skipped,
}

#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub version: i32,
    pub name: String,
    pub state: State,
    pub applied_on: Option<String>,
}

/// Puts both lists side by side, in order of version.
pub fn compare(ours: &[Migration], applied: &[Applied]) -> Vec<Entry> {
    let newest = applied.iter().map(|row| row.version).max();
    let mut entries: Vec<Entry> = ours
        .iter()
        .map(|migration| {
            let version = migration.version();
            let row = applied.iter().find(|row| row.version == version);
            let state = match row {
                Some(row) if row.checksum == migration.checksum().to_string() => State::Applied,
                Some(_) => State::Changed,
                None if newest.is_some_and(|newest| newest > version) => State::Skipped,
                None => State::Pending,
            };
            let applied_on = row.map(|row| row.applied_on.clone());
            Entry { version, name: migration.name().to_owned(), state, applied_on }
        })
        .collect();
    for row in applied.iter().filter(|row| ours.iter().all(|migration| migration.version() != row.version)) {
        entries.push(Entry {
            version: row.version,
            name: row.name.clone(),
            state: State::Unknown,
            applied_on: Some(row.applied_on.clone()),
        });
    }
    entries.sort_by_key(|entry| entry.version);
    entries
}

/// Why nothing may be applied on top of this history, one sentence for each reason.
pub fn faults(entries: &[Entry]) -> Vec<String> {
    let fault = |entry: &Entry| {
        let what = format!("V{}__{}", entry.version, entry.name);
        Some(match entry.state {
            State::Applied | State::Pending => return None,
            State::Changed => format!(
                "migration {what} was changed after it was applied here; restore the file as it was, and put what is to \
                 be different into a new migration"
            ),
            State::Unknown => format!(
                "migration {what} is applied here and this program does not have it: the database is newer; use the \
                 tpv-migrate that belongs to it"
            ),
            State::Skipped => format!(
                "migration {what} is not applied here although a later one is; a new migration takes the next number"
            ),
        })
    };
    entries.iter().filter_map(fault).collect()
}

/// Empty when no migration was ever applied. To be called as somebody who may read the table.
pub async fn read(client: &Client) -> Result<Vec<Applied>, tokio_postgres::Error> {
    if client.query_one("select to_regclass($1) is null", &[&TABLE]).await?.get(0) {
        return Ok(Vec::new());
    }
    let sql = format!("select version, name, applied_on, checksum from {TABLE} order by version");
    let row = |row: tokio_postgres::Row| Applied {
        version: row.get(0),
        name: row.get(1),
        applied_on: row.get(2),
        checksum: row.get(3),
    };
    Ok(client.query(&sql, &[]).await?.into_iter().map(row).collect())
}

/// Refinery makes a bare table when there is none; this one has comments.
pub async fn create(client: &Client) -> Result<(), tokio_postgres::Error> {
    if !client.query_one("select to_regclass($1) is null", &[&TABLE]).await?.get::<_, bool>(0) {
        return Ok(());
    }
    client
        .batch_execute(
            "begin;
             create schema if not exists tpv_migration;
             comment on schema tpv_migration is 'What tpv-migrate did to this database.';
             create table tpv_migration.history (
                 version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));
             comment on table tpv_migration.history is 'One row per applied migration; written by tpv-migrate alone.';
             comment on column tpv_migration.history.version is 'Number of the migration.';
             comment on column tpv_migration.history.name is 'Name of the migration, without its number.';
             comment on column tpv_migration.history.applied_on is 'When it was applied, UTC, RFC 3339.';
             comment on column tpv_migration.history.checksum is 'SipHash of number, name and text.';
             commit",
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(name: &str, sql: &str) -> Migration {
        Migration::unapplied(name, sql).unwrap()
    }

    fn row(migration: &Migration) -> Applied {
        Applied {
            version: migration.version(),
            name: migration.name().to_owned(),
            applied_on: "2026-06-30T00:00:00Z".to_owned(),
            checksum: migration.checksum().to_string(),
        }
    }

    fn states(ours: &[Migration], applied: &[Applied]) -> Vec<State> {
        compare(ours, applied).iter().map(|entry| entry.state).collect()
    }

    #[test]
    fn what_is_not_in_the_table_is_pending() {
        let (one, two) = (migration("V1__a", "select 1"), migration("V2__b", "select 2"));
        assert_eq!(states(&[one.clone(), two.clone()], &[]), [State::Pending, State::Pending]);
        let entries = compare(&[one.clone(), two], &[row(&one)]);
        assert_eq!(entries[1].state, State::Pending);
        assert!(faults(&entries).is_empty());
    }

    #[test]
    fn a_changed_text_is_a_fault() {
        let entries = compare(&[migration("V1__a", "select 2")], &[row(&migration("V1__a", "select 1"))]);
        assert_eq!(entries[0].state, State::Changed);
        assert!(faults(&entries)[0].starts_with("migration V1__a was changed"));
    }

    #[test]
    fn a_database_that_is_newer_is_a_fault() {
        let (one, two) = (migration("V1__a", "select 1"), migration("V2__b", "select 2"));
        let entries = compare(std::slice::from_ref(&one), &[row(&one), row(&two)]);
        assert_eq!(entries[1].state, State::Unknown);
        assert!(faults(&entries)[0].contains("the database is newer"));
    }

    #[test]
    fn a_number_that_comes_too_late_is_a_fault() {
        let (one, two) = (migration("V1__a", "select 1"), migration("V2__b", "select 2"));
        assert_eq!(states(&[one, two.clone()], &[row(&two)]), [State::Skipped, State::Applied]);
    }

    /// Databases out there hold these numbers: a file that was edited after its release is refused by all of them.
    #[test]
    fn what_was_released_is_as_databases_have_it() {
        let ours = crate::embedded::migrations::runner();
        let mut ours: Vec<_> = ours.get_migrations().iter().map(|it| (it.version(), it.checksum())).collect();
        ours.sort_unstable();
        assert_eq!(ours[..RELEASED.len()], RELEASED);
    }

    /// Nothing is released yet.
    const RELEASED: [(i32, u64); 0] = [];

    #[test]
    fn the_files_of_this_program_are_numbered_without_holes() {
        let mut versions: Vec<i32> =
            crate::embedded::migrations::runner().get_migrations().iter().map(Migration::version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<_>>());
    }
}
