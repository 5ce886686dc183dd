//! What is applied, beside what this program has: pure, but for reading the table.

use refinery::Migration;
use serde::Serialize;
use tokio_postgres::Client;

/// Where refinery keeps its record: in a schema of its own, since migrations make the others and
/// `public` is not ours.
pub const TABLE: &str = "tpv_migration.history";

/// A version that cannot be upgraded. It was for a single store, had other tables, and was tried
/// but never put to use.
pub const UNSUPPORTED: &str = "0.1.0";

/// What to do with a database of that version.
pub const NO_WAY_ON: &str = "there is no upgrade from 0.1.0: keep this database under another name (alter database … rename to …), \
    make a new one with what `tpv-migrate bootstrap-sql` prints and `tpv-migrate run`, and hand the archived receipts in \
    again as docs/dba.md says under \"Restore from a backup\"";

/// The checksum of the first migration of 0.1.0, by which a database of it is known.
const FIRST_UNSUPPORTED: &str = "8439890014418508976";

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
    /// Applied by 0.1.0.
    Unsupported,
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
    if applied.iter().any(|row| row.version == 1 && row.checksum == FIRST_UNSUPPORTED) {
        return applied.iter().map(|row| row.entry(State::Unsupported)).collect();
    }
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
    let theirs = applied.iter().filter(|row| ours.iter().all(|migration| migration.version() != row.version));
    entries.extend(theirs.map(|row| row.entry(State::Unknown)));
    entries.sort_by_key(|entry| entry.version);
    entries
}

impl Applied {
    fn entry(&self, state: State) -> Entry {
        Entry { version: self.version, name: self.name.clone(), state, applied_on: Some(self.applied_on.clone()) }
    }
}

/// Why nothing may be applied on top of this history, one sentence for each reason.
pub fn faults(entries: &[Entry]) -> Vec<String> {
    if entries.iter().any(|entry| entry.state == State::Unsupported) {
        return vec![format!("the tables of this database were made by tpv {UNSUPPORTED}; {NO_WAY_ON}")];
    }
    let fault = |entry: &Entry| {
        let what = format!("V{}__{}", entry.version, entry.name);
        Some(match entry.state {
            State::Applied | State::Pending | State::Unsupported => return None,
            State::Changed => format!(
                "migration {what} was changed after it was applied here; restore the file as it was, and put the change \
                 into a new migration"
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

    #[test]
    fn a_database_of_0_1_0_is_known_by_its_first_migration() {
        let ours = [migration("V1__schemas_and_roles", "select 1"), migration("V2__org", "select 2")];
        let first = Applied { checksum: FIRST_UNSUPPORTED.to_owned(), ..row(&ours[0]) };
        let entries = compare(&ours, &[first, row(&migration("V2__org", "select 3"))]);
        assert_eq!(entries.iter().map(|entry| entry.state).collect::<Vec<_>>(), [State::Unsupported; 2]);
        let [fault] = &faults(&entries)[..] else { panic!("one sentence") };
        assert!(
            fault.starts_with("the tables of this database were made by tpv 0.1.0; there is no upgrade from 0.1.0")
        );
    }

    fn ours() -> Vec<Migration> {
        crate::release::Release::this().unwrap().migrations
    }

    /// Databases out there hold these numbers: a file that was edited after its release is refused
    /// by all of them.
    #[test]
    fn what_was_released_is_as_databases_have_it() {
        let released = crate::freeze::released(include_str!("../released.txt")).unwrap();
        let ours: Vec<_> = ours().iter().map(|it| (it.to_string(), it.checksum())).collect();
        assert_eq!(ours[..released.len()], released);
    }

    #[test]
    fn the_files_of_this_program_are_numbered_without_holes() {
        let versions: Vec<i32> = ours().iter().map(Migration::version).collect();
        assert_eq!(versions, (1..).take(versions.len()).collect::<Vec<_>>());
    }
}
