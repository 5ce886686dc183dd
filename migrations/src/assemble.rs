//! The migrations as they are applied: each file of `sql/` with the function files that it includes.
//!
//! A function has one home, a file below `sql/functions/`. A migration includes that file with a
//! line of its own:
//!
//! ```sql
//! -- include functions/sync/track.sql
//! ```
//!
//! The build script puts the text in place of that line, between two marks. At a release
//! [`crate::freeze`] writes what was assembled into the migration itself, so that the function file
//! can change and the migration does not. The marks stay, and tell which text of each file was
//! released last: a change that no migration carries is refused here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A migration with everything that it includes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// `V7__tracking`
    pub name: String,
    /// What is sent to the server.
    pub sql: String,
}

/// All migrations of a folder, in order of version.
///
/// # Errors
/// A sentence that names the file: what is missing, includes what it may not, or is included by nobody.
pub fn assemble(folder: &Path) -> Result<Vec<Assembled>, String> {
    let functions = functions(folder)?;
    let mut carried = BTreeMap::new();
    let mut assembled = Vec::new();
    for (_, name) in names(folder)? {
        let sql = expand(&name, &read(&folder.join(format!("{name}.sql")))?, &functions)?;
        for (path, text) in included(&name, &sql)? {
            carried.insert(path, (name.clone(), text));
        }
        assembled.push(Assembled { name, sql });
    }
    for (path, text) in &functions {
        match carried.get(path) {
            None => return Err(format!("{path} is included by no migration")),
            Some((name, before)) if before != text => {
                return Err(format!(
                    "{path} is not what {name} was released with; include it in a new migration, which carries the change"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(assembled)
}

/// The text of a migration with the function files in the place of its include lines.
fn expand(name: &str, sql: &str, functions: &BTreeMap<String, String>) -> Result<String, String> {
    let mut text = String::new();
    for line in sql.split_inclusive('\n') {
        match include(line) {
            None => text.push_str(line),
            Some(path) => {
                let function =
                    functions.get(path).ok_or_else(|| format!("{name} includes {path}, which is not there"))?;
                text.push_str(&format!("-- begin {path}\n{function}-- end {path}\n"));
            }
        }
    }
    Ok(text)
}

/// What stands between the marks: each function file by its path, as this migration carries it.
fn included(name: &str, sql: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in sql.split_inclusive('\n') {
        if let Some(path) = line.trim_end().strip_prefix("-- begin functions/") {
            found.push((format!("functions/{path}"), String::new()));
            open = true;
        } else if line.starts_with("-- end functions/") {
            open = false;
        } else if let (true, Some((_, text))) = (open, found.last_mut()) {
            text.push_str(line);
        }
    }
    if open {
        return Err(format!("{name} has a mark `-- begin functions/…` without its end"));
    }
    Ok(found)
}

/// The path in an include line.
fn include(line: &str) -> Option<&str> {
    line.trim().strip_prefix("--")?.trim_start().strip_prefix("include ").map(str::trim)
}

/// The names of the migrations, without `.sql`, in order of version.
fn names(folder: &Path) -> Result<Vec<(u32, String)>, String> {
    let mut names = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| is_sql(path)) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let version =
            name.strip_prefix('V').and_then(|rest| rest.split_once("__")).and_then(|(number, _)| number.parse().ok());
        let version: u32 = version.ok_or_else(|| format!("{} is no V<number>__<name>.sql", path.display()))?;
        names.push((version, name));
    }
    names.sort();
    Ok(names)
}

/// Every file below `functions/`, by its path from the folder of the migrations.
fn functions(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("functions")];
    while let Some(next) = folders.pop() {
        for path in entries(&next)? {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !is_sql(&path) {
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            let text = read(&path)?;
            if let Some(other) = text.lines().find_map(include) {
                return Err(format!(
                    "{name} includes {other}; only a migration includes, so that it shows all that it carries"
                ));
            }
            if !text.ends_with('\n') {
                return Err(format!("{name} does not end with a line end"));
            }
            found.insert(name, text);
        }
    }
    Ok(found)
}

/// Leaves out backup and swap files of editors.
fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "sql")
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(told)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(told)).collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
