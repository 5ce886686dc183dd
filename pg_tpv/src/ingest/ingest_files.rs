//! `tpv.ingest_files`: files of one terminal become receipts, or the reason why not.
//!
//! A fault of one file never affects another. Locks are taken in one order everywhere: the
//! terminal's hash chain, then file names in the order of names.

use chrono::Utc;
use pgrx::datum::Array;
use pgrx::prelude::*;
use tpv_core::intake::archive_day;
use tpv_core::problem::Problem;
use tpv_core::receipt::parse;

use super::answer::Answer;
use super::file::File;
use super::terminal::Terminal;
use super::{sort, write};
use crate::guc;
use crate::postgres::{DataFault, Refusal, attempt};

/// More in one transaction would lock the terminal's hash chain, and keep the caller waiting, for
/// too long.
const MOST_FILES: usize = 64;

/// Ingests files of one terminal: one row for each file, in their order. Called through
/// `sales.ingest_files`. A file whose name has a folder that is a day, as `20261128/4711.json`,
/// comes out of the archive and arrived on that day.
///
/// # Errors
/// `22023` for more than 64 files or names that do not go with them, `22004` for no terminal or no
/// array of files. A file is never an error.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn ingest_files(
    terminal: Option<&str>,
    files: Option<Array<'_, &[u8]>>,
    names: Option<Array<'_, &str>>,
) -> TableIterator<
    'static,
    (
        name!(position, i32),
        name!(outcome, String),
        name!(receipt_id, Option<pgrx::Uuid>),
        name!(dat_folder, Option<String>),
        name!(dat_name, Option<String>),
        name!(dat, Option<Vec<u8>>),
        name!(trigger_name, Option<String>),
        name!(first_outcome, Option<String>),
        name!(flags, Vec<String>),
        name!(code, Option<String>),
        name!(pointer, Option<String>),
        name!(detail, Option<String>),
    ),
> {
    let answers = || {
        let terminal = Refusal::unless_given(terminal, "terminal")?;
        let files = Refusal::unless_given(files, "files")?;
        let files: Vec<&[u8]> = files.iter().map(Option::unwrap_or_default).collect();
        let names: Option<Vec<Option<&str>>> = names.as_ref().map(|names| names.iter().collect());
        ingest(terminal, &files, names.as_deref())
    };
    let answers = answers().unwrap_or_else(|refusal: Refusal| refusal.raise());
    TableIterator::new(answers.into_iter().zip(1..).map(|(answer, position)| answer.row(position)))
}

fn ingest(code: &str, files: &[&[u8]], names: Option<&[Option<&str>]>) -> Result<Vec<Answer>, Refusal> {
    let usage = |message: String| Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message);
    if files.len() > MOST_FILES {
        return Err(usage(format!("a batch has at most {MOST_FILES} files")));
    }
    if names.is_some_and(|names| names.len() != files.len()) {
        return Err(usage("there must be as many names as files".to_owned()));
    }
    let name = |index: usize| names.and_then(|names| names[index]);
    let Some(terminal) = Terminal::find(code)?.filter(|terminal| terminal.active) else {
        let stranger = |(index, raw)| write::refuse(code, name(index), raw, &unknown_terminal(), true);
        return Ok(files.iter().copied().enumerate().map(stranger).collect());
    };
    let limits = guc::limits();
    let judged: Vec<File<'_>> = files
        .iter()
        .enumerate()
        .map(|(index, raw)| {
            let (name, verdict) = (name(index), parse(raw, &terminal.declaration, &limits));
            File { name, archived_on: name.and_then(archive_day), raw, verdict }
        })
        .collect();
    Ok(match attempt(|| Ok(ingest_together(&terminal, &judged))) {
        Ok(answers) => answers,
        Err(_) => judged.iter().map(|file| ingest_alone(&terminal, file)).collect(),
    })
}

fn ingest_together(terminal: &Terminal, files: &[File<'_>]) -> Vec<Answer> {
    let context = terminal.context(Utc::now());
    let (chain, sorted) = sort::sort(terminal, &context, files);
    write::write(terminal, chain, files, sorted)
}

/// When the database refuses a file that the core accepts, only that file is refused.
fn ingest_alone(terminal: &Terminal, file: &File<'_>) -> Answer {
    let one = std::slice::from_ref(file);
    match attempt(|| Ok(ingest_together(terminal, one))) {
        Ok(answers) => answers.into_iter().next().unwrap_or_default(),
        Err(fault) => write::refuse(&terminal.code, file.name, file.raw, &not_storable(&fault), false),
    }
}

fn unknown_terminal() -> Problem {
    Problem::new("UNKNOWN_TERMINAL", "", "no active terminal of this store has that code")
}

fn not_storable(fault: &DataFault) -> Problem {
    Problem::new("NOT_STORABLE", "", format!("the database refused it with SQLSTATE {}", fault.code))
}

extension_sql!(
    r#"
comment on function ingest_files(text, bytea[], text[]) is
    'Ingests files of one terminal. Callers use sales.ingest_files, which runs as the owner of the tables.';
"#,
    name = "ingest_comments",
    requires = [ingest_files]
);
