//! What a peer has and this node has not: the comparison of `sync.compare_with`.

use pgrx::prelude::*;
use tpv_core::comparison::{Facts, Request, differences, request};

use crate::postgres::{JsonbText, sql};

/// A snapshot whose end has not come, and whose last part came a moment ago. One that stopped is
/// not waited for.
const ARRIVES: &str = r"
    select from sync.snapshot
    where node_id = $1 and completed_at is null and ended_at is null and expected_parts is null
      and part_at > clock_timestamp() - interval '5 minutes' limit 1";

/// Each difference from a peer, and what to request of it now. No row when nothing is missing and
/// all links.
#[pg_extern(stable, strict, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn peer_differences(
    facts: JsonbText,
) -> TableIterator<
    'static,
    (
        name!(what, String),
        name!(subject, String),
        name!(from_seq, i64),
        name!(to_seq, i64),
        name!(detail, String),
        name!(request, String),
    ),
> {
    let json = facts.read_as("the comparison with a peer").unwrap_or_else(|refusal| refusal.raise());
    let facts = Facts::from_json(&json).unwrap_or_else(|| sql::broken("the facts of a comparison have another form"));
    let snapshot_arrives = sql::row(ARRIVES, &[facts.peer.into()], |_| ()).is_some();
    TableIterator::new(differences(&facts).into_iter().map(move |it| {
        let request = match request(&it, &facts, snapshot_arrives) {
            Request::Rows => "rows",
            Request::Snapshot => "snapshot",
            Request::Coming => "coming",
            Request::Waiting => "waiting",
            Request::Nothing => "nothing",
        };
        (it.kind.word().to_owned(), it.subject, it.from_seq, it.to_seq, it.detail, request.to_owned())
    }))
}

extension_sql!(
    r#"
comment on function peer_differences(jsonb) is
    'What a peer has and this node has not, one row for each difference, and what to request now: rows, snapshot; coming (part '
    'of it arrived since), waiting (requested a moment ago), nothing (a person has to look). sync.compare_with calls it.';
"#,
    name = "compare_comments",
    requires = [peer_differences]
);
