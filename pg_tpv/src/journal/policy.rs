//! Policies: checked where they are written, tried on what is on record, applied anew after a
//! change.

use std::rc::Rc;

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{Choice, Entity, Rule};

use super::tracked::{POLICY, Tracked};
use super::{custom, row, stored_heads};
use crate::postgres::{DataFault, JsonbText, Refusal, attempt};
use crate::wire::quarantine_entity;

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
        return Err(refused("policies have no policy of their own"));
    }
    if tracked.sets.contains_key(column_name) {
        let hint = "Its elements are merged one by one, as sync.track(…, sets => …) declared.";
        return Err(refused("that column is a set, which has no policy").hint(hint));
    }
    if let Some(group) = tracked.group_of(&column_name.to_owned()) {
        return Err(
            refused("that column belongs to a group, which has one policy").hint(format!("Name the group, {group}."))
        );
    }
    if !tracked.names().iter().any(|name| name == column_name) {
        return Err(refused("that table has no such column or group of columns"));
    }
    if tracked.owner_column.as_deref() == Some(column_name) {
        return Err(refused("the owner column is set on insert and has no policy"));
    }
    match &rule {
        Rule::OwnerWins if tracked.owner_column.is_none() => {
            let hint = "Call sync.track(…, owner_column => 'column') with the column that holds the owner's node_id.";
            Err(refused("owner_wins needs a table with an owner column").hint(hint))
        }
        Rule::Custom(function) => match custom::check(function) {
            Ok(()) => Ok((tracked, rule)),
            Err(fault) => Err(refused("the function of that policy cannot be used").because(fault)),
        },
        _ => Ok((tracked, rule)),
    }
}

/// What another policy would choose among the values on record. Called through
/// `sync.policy_dry_run`.
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
    let rows =
        stored_heads::contested(table_name).into_iter().filter(|(_, entity)| entity.heads(column_name).len() > 1);
    let rows = rows.map(|(key, entity)| {
        let (now, then) = (chosen(&now, &entity, column_name), chosen(&then, &entity, column_name));
        let differs = now != then;
        (key, now.map(JsonbText::from), then.map(JsonbText::from), differs)
    });
    TableIterator::new(rows.collect::<Vec<_>>())
}

fn chosen(tracked: &Tracked, entity: &Entity, register: &str) -> Option<Value> {
    let mut choice: Choice = tracked.resolve(entity).columns.remove(register)?;
    if let Err(fault) = row::evaluate(&mut choice, entity.heads(register)) {
        let code = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
        Refusal::new(code, "the function of that policy fails on values on record").because(fault.detail).raise();
    }
    Some(choice.value)
}

/// Chooses again among the heads of one column, by the present policy. Called after a policy has
/// changed, for each entity that has several values in some column.
#[pg_extern(volatile, parallel_unsafe)]
pub fn choose_again(table_name: &str, key: &str, column_name: &str) {
    let Some(tracked) = Tracked::find(table_name) else { return };
    // Asked here and not by SQL: its JSON operators refuse heads that hold a U+0000.
    if stored_heads::find(table_name, key).is_none_or(|entity| entity.heads(column_name).len() < 2) {
        return;
    }
    let work = || {
        let is_new = !row::lock_row(&tracked, key);
        let entity = stored_heads::lock(table_name, key);
        row::write(&tracked, key, &entity, [column_name.to_owned()].iter(), is_new)
    };
    // A value that the table refuses, which any node may have written, must stop neither the person
    // who changes a policy nor the merge of it: the entity waits in quarantine instead.
    let written = attempt(work);
    let fault = written.map_or_else(Some, |unwritten| unwritten.fault(column_name));
    if let Some(fault) = fault {
        wait(&stored_heads::lock(table_name, key), table_name, key, column_name, &fault);
    }
}

/// The entity waits under the name of the last operation on the column.
fn wait(entity: &Entity, table_name: &str, key: &str, column_name: &str, fault: &DataFault) {
    let last = entity.heads(column_name).iter().max_by_key(|head| (head.hlc, head.version));
    if let Some(head) = last {
        quarantine_entity(head.version, table_name, key, fault);
    }
}

extension_sql!(
    r#"
comment on function policy_check(text, text, jsonb) is 'Refuses a policy that could not be followed, and says why.';
comment on function policy_dry_run(text, text, jsonb) is
    'What another policy would choose among the values on record. Callers use sync.policy_dry_run.';
comment on function choose_again(text, text, text) is
    'Chooses again among the heads of one column, by the policy of now. The trigger function sync.policy_changed calls it.';
"#,
    name = "policy_comments",
    requires = [policy_check, policy_dry_run, choose_again]
);
