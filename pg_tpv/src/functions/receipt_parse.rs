//! `tpv.receipt_parse`: what would become of a file, without storing it.

use pgrx::prelude::*;
use tpv_core::json::{JsonError, Value};
use tpv_core::problem::Problem;
use tpv_core::receipt::{Declaration, Verdict, parse};

use crate::guc;
use crate::node::store;
use crate::postgres::JsonbText;

/// The verdict on the bytes of a terminal's file, as an object:
///
/// | key | value |
/// | --- | --- |
/// | `outcome` | `accepted`, `held` or `quarantined` |
/// | `receipt` | the canonical receipt, members that we do not know included; null when quarantined |
/// | `flags` | array of codes, sorted |
/// | `problems` | array of `{code, pointer, detail}`, why it is held or quarantined; at most 20 |
/// | `content_hash` | SHA-256 of `body` in hexadecimal; null when quarantined |
/// | `body` | the canonical text that is stored, as a string; null when quarantined |
///
/// In the database of a store a time is in the store's zone, as it is when the receipt is stored.
/// Elsewhere it is in the zone that `terminal` declares, or with the offset that was printed.
///
/// It never raises, whatever the bytes and whatever `terminal` declares: a declaration that cannot
/// be used quarantines with `TERMINAL_CONFIG`. Stable and not immutable, since the limits are
/// settings.
#[pg_extern(stable, strict, parallel_safe)]
pub fn receipt_parse(raw: &[u8], terminal: default!(JsonbText, "'{}'")) -> JsonbText {
    let terminal = terminal.read().map_err(unreadable).and_then(|declared| Declaration::from_json(&declared));
    let verdict = match terminal {
        Ok(terminal) => {
            let terminal = Declaration { store_zone: store::zone_here(), ..terminal };
            parse(raw, &terminal, &guc::limits())
        }
        Err(mut problems) => {
            problems.truncate(MOST_PROBLEMS);
            Verdict::quarantined(problems)
        }
    };
    answer(verdict).into()
}

/// As many as a verdict on a file lists.
const MOST_PROBLEMS: usize = 20;

fn unreadable(error: JsonError) -> Vec<Problem> {
    vec![Problem::new("TERMINAL_CONFIG", error.pointer, error.kind.to_string())]
}

fn answer(verdict: Verdict) -> Value {
    let text = |text: &str| Value::String(text.to_owned());
    let problem = |Problem { code, pointer, detail }| {
        object([("code", text(code)), ("pointer", Value::String(pointer)), ("detail", Value::String(detail))])
    };
    let content_hash = verdict.content_hash.map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect());
    object([
        ("outcome", text(verdict.outcome.word())),
        ("receipt", verdict.canonical.unwrap_or(Value::Null)),
        ("flags", Value::Array(verdict.flags.into_iter().map(text).collect())),
        ("problems", Value::Array(verdict.problems.into_iter().map(problem).collect())),
        ("content_hash", content_hash.map_or(Value::Null, Value::String)),
        ("body", verdict.body.map_or(Value::Null, Value::String)),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

extension_sql!(
    r#"
comment on function receipt_parse(bytea, jsonb) is
    'What would become of a file of a terminal: outcome, canonical receipt, flags, problems, content_hash and body. '
    'It never raises; the second argument is what the terminal declares about its files.';
"#,
    name = "receipt_comments",
    requires = [receipt_parse]
);
