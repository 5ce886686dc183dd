//! From a change of a tracked row to an operation.
//!
//! A deferred trigger calls it at the end of the transaction. So the lock on the counter is held
//! only until the commit, and the order of numbers is the order of commits.

use pgrx::prelude::*;
use tpv_core::json::Value;
use tpv_core::merge::{ALIAS, Draft, EXISTS, Element, Entity, Patch, SetRule, Share, Version};
use tpv_core::row_limits::{self, TooLarge, check_operation};

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
    on conflict (node_id) do update set last_seq = c.last_seq + 1 returning last_seq, held";

const APPEND: &str =
    "insert into wire.op (node_id, seq, hlc, table_name, key, patch, base) values ($1, $2, $3, $4, $5, $6, $7)";

/// Appends an operation that has seen all heads here, and makes it the only head of what it writes.
///
/// # Errors
/// The entity was erased.
pub fn write(node_id: i32, tracked: &Tracked, key: &str, patch: Patch) -> Result<(), Refusal> {
    append(node_id, tracked, key, |entity| match entity.is_erased() {
        false => Ok(Draft::write(entity, patch)),
        true => Err(erased()),
    })
}

/// Registers that one operation of [`write_all`] writes at most.
const AT_ONCE: usize = 1000;

/// Writes values over all heads of these registers, in as few operations as take them. What is taken back of
/// a node may be more than a session here may make, and nobody decides again about what central wrote.
///
/// # Errors
/// The entity was erased.
pub fn write_all(node_id: i32, tracked: &Tracked, key: &str, patch: Patch) -> Result<(), Refusal> {
    let entity = stored_heads::lock(&tracked.table_name, key);
    let mut parts: Vec<Patch> = Vec::new();
    let (mut octets, mut versions) = (0, 0);
    for (register, value) in patch {
        let heads = entity.heads(&register).len();
        // As JSON a name takes at most six times its length.
        let more = 6 * register.len() + value.to_canonical().len() + 8;
        let is_room = |part: &&mut Patch| {
            part.len() < AT_ONCE && octets + more <= row_limits::PATCH / 2 && versions + heads <= row_limits::VERSIONS
        };
        match parts.last_mut().filter(is_room) {
            Some(part) => _ = part.insert(register, value),
            None => {
                (octets, versions) = (0, 0);
                parts.push(Patch::from([(register, value)]));
            }
        }
        octets += more;
        versions += heads;
    }
    for part in parts {
        append_within(node_id, tracked, key, None, |entity| match entity.is_erased() {
            false => Ok(Draft::write(entity, part)),
            true => Err(erased()),
        })?;
    }
    Ok(())
}

fn erased() -> Refusal {
    let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    Refusal::new(code, "that row was erased").hint("Make a new one.")
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

/// So is one after which this node has more of the row than the others take.
fn too_much(large: TooLarge) -> Refusal {
    let message = "the row holds too much for the chain: ENTITY_TOO_LARGE";
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .because(format!("of what this node has written of the row, {large}"))
        .hint("An element that was once in a set counts for ever. Make a new row.")
}

/// Whoever changes a row without what this server has forgotten would decide about it unseen, and
/// under a number that was given before.
fn restored() -> Refusal {
    let message = "this server was restored from a backup, and has not got back yet what it forgot: RESTORED";
    Refusal::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        .detail("Until then nobody changes here what the chain shares. Selling goes on.")
        .hint("select * from sync.restored; sync.status says what to do.")
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
    append_within(node_id, tracked, key, Some(Share::MADE), draft)
}

/// The same, where this node may then have so much of the entity, or whatever there is.
fn append_within(
    node_id: i32,
    tracked: &Tracked,
    key: &str,
    share: Option<Share>,
    draft: impl FnOnce(&Entity) -> Result<Draft, Refusal>,
) -> Result<(), Refusal> {
    let (seq, is_held): (i64, bool) = sql::row(COUNT, &[node_id.into()], |row| (row.must(1), row.must(2)))
        .unwrap_or_else(|| sql::broken("the counter of operations is gone"));
    if is_held {
        return Err(restored());
    }
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
    let heads = stored_heads::text_of(&entity);
    share.map_or(Ok(()), |share| share.check(&entity, heads.len(), node_id)).map_err(too_much)?;
    stored_heads::store_text(&tracked.table_name, key, &entity, heads);
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
