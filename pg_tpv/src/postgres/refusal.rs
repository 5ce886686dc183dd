//! How a function refuses: one error with its SQLSTATE, raised by the outermost shell.
//!
//! A `Result` that a function of pgrx returns would reach the client as `XX000` without detail. So
//! inner functions return `Result<_, Refusal>`, and the shell raises it.

use std::fmt::{Display, Write};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};
use tpv_core::dat::RenderError;
use tpv_core::problem::Problem;

/// An error as a client sees it, in the style of PostgreSQL: the message is lower case without a
/// full stop; detail and hint are full sentences. No part has a value of the user.
#[derive(Clone, Debug)]
pub struct Refusal {
    sqlstate: PgSqlErrorCode,
    message: String,
    /// Where, and what exactly.
    detail: Option<String>,
    /// What to do about it.
    hint: Option<String>,
}

impl Refusal {
    /// A refusal whose message says everything.
    pub fn new(sqlstate: PgSqlErrorCode, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), detail: None, hint: None }
    }

    /// `22023` for a value whose faults stand in the detail, one per line.
    pub fn faulty(message: impl Into<String>, problems: &[Problem]) -> Self {
        let mut detail = String::new();
        for problem in problems.iter().take(MOST_FAULTS) {
            // Writing to a string cannot fail.
            let _ = writeln!(detail, "{}", line(problem.code, &problem.pointer, &problem.detail));
        }
        match problems.len().checked_sub(MOST_FAULTS) {
            Some(more @ 1..) => {
                let _ = write!(detail, "Faults not shown: {more}.");
            }
            _ => detail.truncate(detail.trim_end().len()),
        }
        Self::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message).detail(detail)
    }

    /// `22004` for an argument that may not be null. Without this check pgrx would panic, or a
    /// strict function would silently do nothing.
    pub fn unless_given<T>(argument: Option<T>, name: &str) -> Result<T, Self> {
        let refusal = || Self::new(PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("{name} must not be null"));
        argument.ok_or_else(refusal)
    }

    /// The same with a detail, which is a full sentence.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same with the text of another error as its detail, made a full sentence.
    pub fn because(self, cause: impl Display) -> Self {
        self.detail(sentence(&cause.to_string()))
    }

    /// The same with a hint, which is a full sentence.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Raises it as `ERROR`. Rust unwinds first: values on the stack are dropped.
    #[track_caller]
    pub fn raise(self) -> ! {
        let mut report = ErrorReport::new(self.sqlstate, self.message, "pg_tpv");
        if let Some(detail) = self.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = self.hint {
            report = report.set_hint(hint);
        }
        report.report(PgLogLevel::ERROR);
        unreachable!("a report at level ERROR does not return")
    }
}

/// A receipt that has no `.dat`: the code in the message, the place and the reason in the detail.
impl From<RenderError> for Refusal {
    fn from(error: RenderError) -> Self {
        let message = format!("the receipt cannot be written as a .dat: {}", error.code());
        Self::new(sqlstate(error.sqlstate()), message).detail(line(error.code(), &error.pointer, &error.detail))
    }
}

/// A person corrects a value fault by fault. A value with more faults than this is of the wrong
/// kind altogether.
const MOST_FAULTS: usize = 20;

fn line(code: &str, pointer: &str, detail: &str) -> String {
    let place = if pointer.is_empty() { "the whole" } else { pointer };
    format!("{code} at {place}: {detail}.")
}

/// Makes a sentence of a text: a capital letter at its beginning, a full stop at its end.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", rest.as_str())
}

/// The code that PostgreSQL knows under these five characters; `XX000` for one that it does not
/// know.
fn sqlstate(text: &str) -> PgSqlErrorCode {
    // Six bits per character, the first lowest: MAKE_SQLSTATE of elog.h.
    let packed =
        text.bytes().rev().fold(0_i32, |packed, byte| (packed << 6) | i32::from(byte.wrapping_sub(b'0') & 0x3F));
    packed.into()
}
