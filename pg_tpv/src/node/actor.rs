//! Who acts in this transaction: the person whom the gateway entered, else the login.

use pgrx::prelude::*;
use tpv_core::actor::Actor;

use super::person::entered;
use crate::postgres::sql;

/// Who acts, as it is written into documents and records.
#[pg_extern(stable, parallel_restricted)]
pub fn actor() -> String {
    acting().to_string()
}

/// Who acts.
pub fn acting() -> Actor {
    entered().map_or_else(|| Actor::Login(sql::session_user()), Actor::Employee)
}

extension_sql!(
    r#"
comment on function actor() is
    'Who acts: employee:<uuid>, the person of tpv.enter in this transaction; else login:<name>, the login of the session.';
"#,
    name = "actor_comments",
    requires = [actor]
);
