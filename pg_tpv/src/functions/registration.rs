//! `tpv.terminal_check` and `tpv.dat_legacy_profile`: what the registration of stores and terminals
//! needs from the core.

use pgrx::prelude::*;
use tpv_core::dat::Profile;
use tpv_core::receipt::Declaration;

use crate::postgres::{JsonbText, sql};

/// What is wrong with a terminal's declaration; no row when nothing is.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn terminal_check(
    declares: JsonbText,
) -> TableIterator<'static, (name!(pointer, String), name!(code, String), name!(detail, String))> {
    let declared = declares.read_as("the declaration").unwrap_or_else(|refusal| refusal.raise());
    let problems = Declaration::from_json(&declared).err().unwrap_or_default();
    TableIterator::new(problems.into_iter().map(|p| (p.pointer, p.code.to_owned(), p.detail)))
}

/// The layout of the legacy checkout, which every store starts with.
#[pg_extern(immutable, parallel_safe)]
pub fn dat_legacy_profile() -> JsonbText {
    match tpv_core::json::read(Profile::legacy_json(), 16) {
        Ok(profile) => profile.into(),
        Err(error) => sql::broken(error),
    }
}

extension_sql!(
    r#"
comment on function terminal_check(jsonb) is
    'What is wrong with what a terminal declares: pointer, code, sentence. No row when nothing is.';
comment on function dat_legacy_profile() is
    'The .dat layout of the legacy checkout, which every store starts with.';
"#,
    name = "registration_comments",
    requires = [terminal_check, dat_legacy_profile]
);
