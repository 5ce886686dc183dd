//! From a change of a tracked row to an operation.
//!
//! A deferred trigger calls it at the end of the transaction. So the lock on the counter is held
//! only until the commit, and the order of numbers is the order of commits.

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{ALIAS, Draft, EXISTS, Element, Entity, Patch, SetRule, Version};
use tpv_core::row_limits::{TooLarge, check_operation};

use super::erasure;
use super::sibling::clear_siblings;
use super::stored_heads;
use super::tracked::{TOMBSTONE, Tracked};
use crate::node::clock::hlc_now;
use crate::node::this_node;
use crate::postgres::{JsonbText, Refusal, sql};

/// Whether changes of rows in this session are captured now. They are not while the merge writes
/// rows.
#[pg_extern(volatile, parallel_unsafe)]
pub fn is_capturing() -> bool {
    super::without_capture::is_capturing()
}

/// Writes the operation for a change of a row: `old` is null for a new one. Called by the trigger
/// `sync.capture`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn capture_change(table_name: &str, old: Option<JsonbText>, new: JsonbText) {
    capture(table_name, old.as_ref(), &new).unwrap_or_else(|refusal| refusal.raise());
}

fn capture(table_name: &str, old: Option<&JsonbText>, new: &JsonbText) -> Result<(), Refusal> {
    let Some(node_id) = this_node() else { return Ok(()) };
    let Some(tracked) = Tracked::find(table_name) else { return Ok(()) };
    let new = new.read_as("a row")?;
    let old = old.map(|old| old.read_as("a row")).transpose()?;
    let patch = changes(&tracked, old.as_ref(), &new);
    if patch.is_empty() {
        return Ok(());
    }
    let key = new.get(&tracked.key_column).and_then(Value::as_str).unwrap_or_default().to_owned();
    write(node_id, &tracked, &key, patch)
}

/// What a change wrote: the registers whose values differ, and whether the row was created, deleted
/// or made an alias.
fn changes(tracked: &Tracked, old: Option<&Value>, new: &Value) -> Patch {
    let deleted = |image: &Value| image.get(TOMBSTONE).and_then(Value::as_bool).unwrap_or(false);
    let mut patch = tracked.registers(new);
    if let Some(old) = old {
        let before = tracked.registers(old);
        let gone = before.keys().filter(|register| is_removed(register, &patch)).cloned().collect::<Vec<_>>();
        patch.retain(|register, value| before.get(register) != Some(value));
        patch.extend(gone.into_iter().map(|register| (register, Value::Bool(false))));
    }
    let existed = old.is_some_and(|old| !deleted(old));
    if old.is_none() || existed == deleted(new) {
        patch.insert(EXISTS.to_owned(), Value::Bool(!deleted(new)));
    }
    let itself = Value::Null;
    let alias = tracked.alias_in(new).unwrap_or(&itself);
    if old.and_then(|old| tracked.alias_in(old)).unwrap_or(&itself) != alias {
        patch.insert(ALIAS.to_owned(), alias.clone());
    }
    patch
}

/// Whether an element is not in a set any more. From a set that only grows none is taken;
/// `sync.check_row` refuses it.
fn is_removed(register: &str, now: &Patch) -> bool {
    Element::of(register).is_some_and(|element| element.rule == SetRule::Union) && !now.contains_key(register)
}

const COUNT: &str = r"
    insert into sync.op_counter as c (node_id, last_seq) values ($1, 1)
    on conflict (node_id) do update set last_seq = c.last_seq + 1 returning last_seq";

const APPEND: &str =
    "insert into wire.op (node_id, seq, hlc, table_name, key, patch, base) values ($1, $2, $3, $4, $5, $6, $7)";

/// Appends an operation that has seen all heads here, and makes it the only head of what it writes.
///
/// # Errors
/// The entity was erased.
pub fn write(node_id: i32, tracked: &Tracked, key: &str, patch: Patch) -> Result<(), Refusal> {
    append(node_id, tracked, key, |entity| match entity.is_erased() {
        false => Ok(Draft::write(entity, patch)),
        true => {
            let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
            Err(Refusal::new(code, "that row was erased").hint("Make a new one."))
        }
    })
}

/// A change that the other nodes would refuse is refused here.
fn too_large(large: TooLarge) -> Refusal {
    Refusal::new(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        "the change is too large for the chain: ROW_TOO_LARGE",
    )
    .because(format!("of the operation that it makes, {large}"))
    .hint("Write shorter values, or fewer elements of a set at a time.")
}

/// Appends the operation that `draft` makes of what is here.
///
/// # Errors
/// Those of `draft`, and that it is too large.
pub fn append(
    node_id: i32,
    tracked: &Tracked,
    key: &str,
    draft: impl FnOnce(&Entity) -> Result<Draft, Refusal>,
) -> Result<(), Refusal> {
    let seq: i64 = sql::row(COUNT, &[node_id.into()], |row| row.must(1))
        .unwrap_or_else(|| sql::broken("the counter of operations is gone"));
    let mut entity = stored_heads::lock(&tracked.table_name, key);
    let operation = draft(&entity)?.stamped(Version { node_id, seq }, hlc_now());
    let (patch, base) = (operation.patch_text(), operation.base_text());
    check_operation(&tracked.table_name, key, &patch, &base).map_err(too_large)?;
    sql::execute(
        APPEND,
        &[
            node_id.into(),
            seq.into(),
            operation.hlc.into(),
            tracked.table_name.as_str().into(),
            key.into(),
            patch.into(),
            base.into(),
        ],
    );
    // It has seen every head, so it is the only one now. Two exceptions: a store that left, in a
    // table of central's; and more heads than a base may name.
    entity.advance(&tracked.entitled(operation.clone()), |_| false);
    stored_heads::store(&tracked.table_name, key, &entity);
    clear_siblings(&tracked.table_name, key, operation.patch.keys().filter(|it| entity.heads(it).len() <= 1));
    if entity.is_erased() {
        erasure::blank(&tracked.table_name, key, true);
    }
    Ok(())
}

extension_sql!(
    r#"
comment on function is_capturing() is 'False while the merge writes rows: these changes are nobody''s decision.';
comment on function capture_change(text, jsonb, jsonb) is
    'Writes the operation for a change of a tracked row. The trigger sync.capture calls it at the end of the transaction.';
"#,
    name = "capture_comments",
    requires = [is_capturing, capture_change]
);
