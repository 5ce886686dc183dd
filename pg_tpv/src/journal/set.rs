//! Sets where somebody writes them.

use pgrx::prelude::*;

use crate::postgres::{JsonbText, Refusal};

/// A set in its one form: sorted, each element once. Refuses what is no array of texts. Called by
/// `sync.check_sets`.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn as_set(value: JsonbText) -> JsonbText {
    let value = value.read_as("a set").unwrap_or_else(|refusal| refusal.raise());
    let refused = |message| Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message).raise();
    JsonbText::from(tpv_core::merge::as_set(&value).unwrap_or_else(refused))
}

extension_sql!(
    r#"
comment on function as_set(jsonb) is
    'A set in its one form: an array of texts, sorted, each once. Anything else is refused.';
"#,
    name = "set_comments",
    requires = [as_set]
);
