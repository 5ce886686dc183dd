//! A release freezes its migrations: what they include becomes part of them, and their checksums
//! are put on record.
//!
//! `cargo run -p tpv_migrations --example freeze -- 0.2.0` does it; see `docs/release.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use refinery::Migration;

use crate::assemble::assemble;

/// One line for each migration that databases out there have applied: its name, its checksum, the
/// release it came with.
pub const RECORD: &str = "released.txt";

/// Freezes every migration of `folder`/sql, and puts those on record that are not yet. Answers
/// which these are.
///
/// # Errors
/// A migration on record that is not what was released, or a file that cannot be read or written.
pub fn freeze(folder: &Path, release: &str) -> anyhow::Result<Vec<String>> {
    let record = folder.join(RECORD);
    let before = fs::read_to_string(&record).with_context(|| format!("reading {}", record.display()))?;
    let released = released(&before)?;
    let (mut after, mut added) = (before.clone(), Vec::new());
    let assembled = assemble(&folder.join("sql")).map_err(|fault| anyhow!(fault))?;
    for migration in &assembled {
        let checksum = Migration::unapplied(&migration.name, &migration.sql)?.checksum();
        match released.iter().find(|(name, _)| *name == migration.name) {
            Some((name, before)) if *before != checksum => bail!("{name} is not what was released"),
            Some(_) => {}
            None => {
                writeln!(after, "{} {checksum} {release}", migration.name)?;
                added.push(migration.name.clone());
            }
        }
    }
    for migration in &assembled {
        let file = folder.join("sql").join(format!("{}.sql", migration.name));
        fs::write(&file, &migration.sql).with_context(|| format!("writing {}", file.display()))?;
    }
    fs::write(&record, after).with_context(|| format!("writing {}", record.display()))?;
    Ok(added)
}

/// Name and checksum of each migration in a record. Lines that begin with `#` are for people.
pub fn released(record: &str) -> anyhow::Result<Vec<(String, u64)>> {
    let lines = record.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, checksum, _] = words[..] else {
                bail!("{RECORD}: a line is a name, a checksum and a release: {line}")
            };
            Ok((name.to_owned(), checksum.parse().with_context(|| format!("{RECORD}: the checksum of {name}"))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder of migrations that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("tpv-migrations-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("sql/functions/sync")).unwrap();
            fs::write(folder.join(RECORD), "# Released.\n").unwrap();
            Self(folder)
        }

        fn write(&self, file: &str, text: &str) {
            fs::write(self.0.join("sql").join(file), text).unwrap();
        }

        fn assembled(&self) -> Result<Vec<(String, u64, String)>, String> {
            let all = assemble(&self.0.join("sql"))?.into_iter();
            Ok(all
                .map(|it| (it.name.clone(), Migration::unapplied(&it.name, &it.sql).unwrap().checksum(), it.sql))
                .collect())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const TRACK: &str = "create or replace function sync.track() returns integer language sql return 1;\n";
    const BASE: &str =
        "create table sync.op (seq bigint);\n-- include functions/sync/track.sql\nselect sync.track();\n";

    fn made_up(name: &str) -> Folder {
        let folder = Folder::new(name);
        folder.write("functions/sync/track.sql", TRACK);
        folder.write("V1__base.sql", BASE);
        folder
    }

    #[test]
    fn a_migration_holds_what_it_includes() {
        let folder = made_up("include");
        let [(name, _, sql)] = &folder.assembled().unwrap()[..] else { panic!("one migration") };
        assert_eq!(name, "V1__base");
        assert_eq!(
            *sql,
            format!(
                "create table sync.op (seq bigint);\n-- begin functions/sync/track.sql\n{TRACK}\
                 -- end functions/sync/track.sql\nselect sync.track();\n"
            )
        );
    }

    #[test]
    fn a_fault_names_the_file() {
        let folder = made_up("faults");
        let fault = |folder: &Folder| folder.assembled().unwrap_err();
        folder.write("V2__more.sql", "-- include functions/sync/gone.sql\n");
        assert_eq!(fault(&folder), "V2__more includes functions/sync/gone.sql, which is not there");
        folder.write("V2__more.sql", "select 1;\n");
        folder.write("functions/sync/plan.sql", "select 1;\n");
        assert_eq!(fault(&folder), "functions/sync/plan.sql is included by no migration");
        // Neither of another file nor of itself: there is no circle to be found.
        folder.write("functions/sync/plan.sql", "-- include functions/sync/plan.sql\n");
        assert!(
            fault(&folder).starts_with("functions/sync/plan.sql includes functions/sync/plan.sql; only a migration")
        );
        folder.write("functions/sync/plan.sql", "select 1;");
        assert_eq!(fault(&folder), "functions/sync/plan.sql does not end with a line end");
    }

    #[test]
    fn an_edit_of_a_function_changes_no_released_migration_and_needs_a_new_one() {
        let folder = made_up("freeze");
        let before = folder.assembled().unwrap();
        assert_eq!(freeze(&folder.0, "0.2.0").unwrap(), ["V1__base"]);
        assert_eq!(folder.assembled().unwrap(), before, "freezing changes no text and no checksum");
        let record = fs::read_to_string(folder.0.join(RECORD)).unwrap();
        assert_eq!(record, format!("# Released.\nV1__base {} 0.2.0\n", before[0].1));

        let track = TRACK.replace("return 1", "return 2");
        folder.write("functions/sync/track.sql", &track);
        let fault = folder.assembled().unwrap_err();
        assert!(fault.starts_with("functions/sync/track.sql is not what V1__base was released with"), "{fault}");

        folder.write("V2__track.sql", "-- include functions/sync/track.sql\n");
        let after = folder.assembled().unwrap();
        assert_eq!(after[0], before[0], "what was released is as it was");
        assert!(after[1].2.contains("return 2"), "the new one carries the change");
        // Until it is released, the new one follows the file.
        folder.write("functions/sync/track.sql", &TRACK.replace("return 1", "return 3"));
        assert!(folder.assembled().unwrap()[1].2.contains("return 3"));

        assert_eq!(freeze(&folder.0, "0.3.0").unwrap(), ["V2__track"]);
        assert_eq!(folder.assembled().unwrap()[0], before[0]);
    }

    #[test]
    fn a_released_migration_that_was_edited_is_not_frozen_again() {
        let folder = made_up("edited");
        freeze(&folder.0, "0.2.0").unwrap();
        folder.write("V1__base.sql", "select 1;\n-- begin functions/sync/track.sql\n-- end functions/sync/track.sql\n");
        folder.write("V2__track.sql", "-- include functions/sync/track.sql\n");
        assert_eq!(freeze(&folder.0, "0.3.0").unwrap_err().to_string(), "V1__base is not what was released");
    }
}
