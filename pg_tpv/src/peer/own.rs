//! What a peer has of this node's own rows, beside what is here: SQL around `tpv_core::restored`.

use pgrx::prelude::*;
use tpv_core::restored::{Findings, Here, Said, findings};

use crate::postgres::{JsonbText, Refusal, sql};

/// What this node has forgotten or done a second time, one row for each. No row when it is neither.
#[pg_extern(stable, strict, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn own_differences(
    said: JsonbText,
    here: JsonbText,
) -> TableIterator<
    'static,
    (
        name!(what, String),
        name!(subject, String),
        name!(from_seq, i64),
        name!(to_seq, i64),
        name!(hash, Option<Vec<u8>>),
        name!(detail, String),
    ),
> {
    let (found, _) = compare(&said, &here);
    let detail = found.detail();
    let mut rows = Vec::new();
    let mut add = |what: &str, subject: &str, from: i64, to: i64, hash: Option<Vec<u8>>| {
        rows.push((what.to_owned(), subject.to_owned(), from, to, hash, detail.clone()));
    };
    if let Some((from, to)) = found.forgotten {
        add("forgotten", "", from, to, None);
    }
    found.reused.iter().for_each(|seq| add("reused", "", *seq, *seq, None));
    if found.is_deeper {
        add("deeper", "", 0, 0, None);
    }
    for it in &found.chains {
        add("hash_chain", &it.chain, it.from_seq, it.last.0, it.last.1.get(..64).and_then(from_hex));
    }
    TableIterator::new(rows)
}

/// The life in which hash chains go on after that.
#[pg_extern(stable, strict, parallel_safe)]
pub fn next_life(said: JsonbText, here: JsonbText, before: i32) -> i32 {
    let (found, said) = compare(&said, &here);
    let before = u32::try_from(before).unwrap_or(1);
    i32::try_from(found.next_life(&said, before)).unwrap_or(i32::MAX)
}

fn compare(said: &JsonbText, here: &JsonbText) -> (Findings, Said) {
    let read = |text: &JsonbText| text.read_as("what a node has").unwrap_or_else(|refusal| refusal.raise());
    let Some(said) = Said::from_json(&read(said)) else {
        let code = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
        Refusal::new(code, "what a peer has of this node has another form").raise()
    };
    let here = Here::from_json(&read(here)).unwrap_or_else(|| sql::broken("what this node has is another form"));
    (findings(&said, &here), said)
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

extension_sql!(
    r#"
comment on function own_differences(jsonb, jsonb) is
    'What this node has forgotten or done a second time, given what a peer has of its rows and what is here. Callers use sync.receive_own.';
comment on function next_life(jsonb, jsonb, integer) is
    'The life in which hash chains go on, given the same and the life before. Callers use sync.receive_own.';
"#,
    name = "own_comments",
    requires = [own_differences, next_life]
);
