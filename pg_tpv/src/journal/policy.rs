//! Policies: checked where they are written, seen where they can not be followed, tried before they hold.

use std::rc::Rc;

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{Choice, Entity, Rule};

use super::tracked::{POLICY, Tracked};
use super::{custom, row, stored_heads};
use crate::postgres::{JsonbText, Refusal};

/// Refuses a policy that could not be followed. Called by the trigger `sync.check_policy`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn policy_check(table_name: &str, column_name: &str, rule: JsonbText) {
    check(table_name, column_name, &rule).map(|_| ()).unwrap_or_else(|refusal| refusal.raise());
}

fn check(table_name: &str, column_name: &str, rule: &JsonbText) -> Result<(Rc<Tracked>, Rule), Refusal> {
    let refused = |message: &str| Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message);
    let rule = Rule::from_text(&rule.0).map_err(|fault| refused(&fault.to_string()))?;
    let tracked = Tracked::find(table_name).ok_or_else(|| refused("that table is not tracked"))?;
    if table_name == POLICY {
        return Err(refused("policies have no policy: central decides them"));
    }
    if let Some(group) = tracked.group_of(&column_name.to_owned()) {
        return Err(
            refused("that column belongs to a group, which has one policy").hint(format!("name the group: {group}"))
        );
    }
    if !tracked.names().iter().any(|name| name == column_name) {
        return Err(refused("there is no such column, or group of columns, to have a policy"));
    }
    if tracked.owner_column.as_deref() == Some(column_name) {
        return Err(refused("whose a thing is was said when it was made, and has no policy"));
    }
    match &rule {
        Rule::OwnerWins if tracked.owner_column.is_none() => {
            let hint = "select sync.track(…, owner_column => 'column') names the column that holds the owner's node_id";
            Err(refused("owner_wins needs to know whose a thing is").hint(hint))
        }
        Rule::Custom(function) => match custom::check(function) {
            Ok(()) => Ok((tracked, rule)),
            Err(detail) => Err(refused("the function of that policy can not be used").detail(detail)),
        },
        _ => Ok((tracked, rule)),
    }
}

/// What a policy would choose among what is on record. Called through `sync.policy_dry_run`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn policy_dry_run(
    table_name: &str,
    column_name: &str,
    rule: JsonbText,
) -> TableIterator<
    'static,
    (
        name!(key, String),
        name!(value_now, Option<JsonbText>),
        name!(value_then, Option<JsonbText>),
        name!(differs, bool),
    ),
> {
    let (tracked, rule) = check(table_name, column_name, &rule).unwrap_or_else(|refusal| refusal.raise());
    let (mut then, now) = (Tracked::clone(&tracked), tracked);
    then.rules.0.insert(column_name.to_owned(), rule);
    let rows = stored_heads::contested(table_name).into_iter().filter(|(_, state)| state.heads(column_name).len() > 1);
    let rows = rows.map(|(key, state)| {
        let (now, then) = (chosen(&now, &state, column_name), chosen(&then, &state, column_name));
        let differs = now != then;
        (key, now.map(JsonbText::from), then.map(JsonbText::from), differs)
    });
    TableIterator::new(rows.collect::<Vec<_>>())
}

fn chosen(tracked: &Tracked, state: &Entity, register: &str) -> Option<Value> {
    let mut choice: Choice = tracked.resolve(state).columns.remove(register)?;
    if let Err(fault) = row::evaluate(&mut choice, state.heads(register)) {
        let code = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
        Refusal::new(code, "the function of that policy fails on what is on record").detail(fault.detail).raise();
    }
    Some(choice.value)
}

extension_sql!(
    r#"
comment on function policy_check(text, text, jsonb) is 'Refuses a policy that could not be followed, and says why.';
comment on function policy_dry_run(text, text, jsonb) is
    'What another policy would choose among the values on record. Callers use sync.policy_dry_run.';
"#,
    name = "policy_comments",
    requires = [policy_check, policy_dry_run]
);
