//! How a failed migration is reported: its name, the server's error, and the line.

use std::fmt::Write;

use refinery::Migration;
use refinery::error::Kind;
use tokio_postgres::error::{DbError, ErrorPosition};
use tpv_connect::with_sources;

/// Everything a person needs, on several lines.
pub fn describe(migration: &Migration, error: &refinery::Error) -> String {
    let mut text = format!("migration {migration} failed; nothing of it was kept");
    let Kind::Connection(_, source) = error.kind() else {
        let _ = write!(text, "\n  {error}");
        return text;
    };
    match source.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::as_db_error) {
        Some(report) => text.push_str(&server_report(report, migration.sql().unwrap_or_default())),
        None => {
            let _ = write!(text, "\n  {}", with_sources(source.as_ref()));
        }
    }
    text
}

fn server_report(report: &DbError, sql: &str) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = write!(text, "\n  {label}: {}", value.trim_end().replace('\n', "\n    "));
    };
    line("sqlstate", report.code().code());
    line("message", report.message());
    if let Some(detail) = report.detail() {
        line("detail", detail);
    }
    if let Some(hint) = report.hint() {
        line("hint", hint);
    }
    match report.position() {
        Some(ErrorPosition::Original(position)) => {
            if let Some((number, of_the_file)) = line_at(sql, *position) {
                line("line", &format!("{number}: {}", of_the_file.trim()));
                if let Some((function, number)) = function_at(sql, number) {
                    line("which is", &format!("line {number} of {function}"));
                }
            }
        }
        Some(ErrorPosition::Internal { position, query }) => {
            if let Some((number, of_the_query)) = line_at(query, *position) {
                line("in a query inside", &format!("line {number}: {}", of_the_query.trim()));
            }
        }
        None => {}
    }
    if let Some(context) = report.where_() {
        line("context", context);
    }
    text
}

/// The line that holds the character at `position`. Both count from 1, as PostgreSQL does:
/// characters, not bytes.
fn line_at(sql: &str, position: u32) -> Option<(usize, &str)> {
    let before = usize::try_from(position).ok()?.checked_sub(1)?;
    let number = 1 + sql.chars().take(before).filter(|it| *it == '\n').count();
    sql.lines().nth(number - 1).map(|line| (number, line))
}

/// The function file that a line of a migration comes from, and the line there; both count from 1.
fn function_at(sql: &str, number: usize) -> Option<(&str, usize)> {
    let before: Vec<&str> = sql.lines().take(number).collect();
    let begin = before.iter().rposition(|line| line.starts_with("-- begin functions/"))?;
    if before[begin..].iter().any(|line| line.starts_with("-- end functions/")) {
        return None;
    }
    Some((before[begin].strip_prefix("-- begin ")?, number.checked_sub(begin + 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_not_bytes() {
        let sql = "-- ñandú\nselect 1;\nselect x;\n";
        let position = sql.chars().take_while(|it| *it != 'x').count() + 1;
        assert_eq!(line_at(sql, u32::try_from(position).unwrap()), Some((3, "select x;")));
    }

    #[test]
    fn the_first_character_is_on_the_first_line() {
        assert_eq!(line_at("a\nb", 1), Some((1, "a")));
        assert_eq!(line_at("a\nb", 3), Some((2, "b")));
    }

    #[test]
    fn a_line_of_a_function_file_is_told_as_that() {
        let sql = "select 1;\n-- begin functions/a/b.sql\nselect 2;\nselect x;\n-- end functions/a/b.sql\nselect y;\n";
        let at =
            |word: &str| function_at(sql, line_at(sql, u32::try_from(sql.find(word).unwrap() + 1).unwrap()).unwrap().0);
        assert_eq!(at("x"), Some(("functions/a/b.sql", 2)));
        assert_eq!(at("select 1"), None);
        assert_eq!(at("y"), None);
    }

    #[test]
    fn a_position_outside_is_no_line() {
        assert_eq!(line_at("a", 0), None);
        assert_eq!(line_at("", 1), None);
    }
}
