//! Whether a table can be tracked: the check of `sync.track`.

use pgrx::prelude::*;
use tpv_core::tracking::{Rules, Table, check};

use crate::postgres::{JsonbText, sql};

/// Why a table cannot be tracked by these rules; no row when it can. `described` is what
/// `sync.describe_table` answers, null for a table that is not there.
#[pg_extern(immutable, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn table_check(
    described: Option<JsonbText>,
    rules: JsonbText,
) -> TableIterator<
    'static,
    (name!(code, String), name!(state, String), name!(what, String), name!(detail, String), name!(hint, String)),
> {
    let table = described.map(|described| {
        let json = described.read_as("the description of a table").unwrap_or_else(|refusal| refusal.raise());
        Table::from_json(&json).unwrap_or_else(|| sql::broken("a table is described in another way"))
    });
    let (rules, mut faults) = Rules::from_json(&rules.read_as("the rules").unwrap_or_else(|refusal| refusal.raise()));
    faults.extend(check(table.as_ref(), &rules));
    TableIterator::new(
        faults
            .into_iter()
            .map(|fault| (fault.code.to_owned(), fault.sqlstate().to_owned(), fault.what, fault.detail, fault.hint)),
    )
}

extension_sql!(
    r#"
comment on function table_check(jsonb, jsonb) is
    'Why a table cannot be tracked by these rules, one row for each reason: code, SQLSTATE, sentence, what it is about, what '
    'to do. No row when it can. sync.track calls it with what sync.describe_table answers.';
"#,
    name = "table_check_comments",
    requires = [table_check]
);
