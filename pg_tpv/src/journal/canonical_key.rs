//! The key that stands for its duplicates.

use pgrx::prelude::*;
use pgrx::spi::quote_identifier;
use tpv_core::merge::resolve_alias;

use super::row::quoted_name;
use super::tracked::Tracked;
use crate::postgres::{Refusal, sql};

/// The key of the row that the row of `key` became an alias of. Called through
/// `sync.canonical_key`.
#[pg_extern(stable, parallel_unsafe)]
pub fn canonical_key(table_name: &str, key: &str) -> String {
    let Some(tracked) = Tracked::find(table_name) else {
        Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "that table is not tracked").raise()
    };
    if !tracked.has_aliases {
        return key.to_owned();
    }
    let alias = format!(
        "select alias_of::text from {} where {} = $1::{} and alias_of is not null",
        quoted_name(&tracked),
        quote_identifier(&tracked.key_column),
        tracked.key_type
    );
    resolve_alias(key, |key| {
        Spi::connect(|client| {
            let found = client.select(&alias, Some(1), &[key.into()]).unwrap_or_else(|error| sql::broken(error));
            match found.is_empty() {
                true => None,
                false => found.first().get_one::<String>().unwrap_or_else(|error| sql::broken(error)),
            }
        })
    })
}

extension_sql!(
    r#"
comment on function canonical_key(text, text) is 'The key that stands for this one and its duplicates. Callers use sync.canonical_key.';
"#,
    name = "alias_comments",
    requires = [canonical_key]
);
