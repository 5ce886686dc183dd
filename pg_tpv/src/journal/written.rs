//! What a node wrote from a number on, listed and taken back: its machine was stolen. What would stand
//! without it decides `tpv_core::merge::Undo`.
//!
//! Only what every node may write is taken back. What a store writes elsewhere nobody believes, but for
//! its own rows of before it joined, and about those central decides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pgrx::prelude::*;
use tpv_core::hash_chain::sha256;
use tpv_core::json::Value;
use tpv_core::merge::{
    ALIAS, Before, Decider, ERASED, EXISTS, Element, Entity, Head, Merged, Operation, SetRule, Undo, Version,
    WrittenSince, is_blank,
};

use super::merge_operation::{read, rows_of};
use super::tracked::Tracked;
use super::{row, serial, stored_heads};
use crate::postgres::{DataFault, JsonbText, attempt, sql};
use crate::wire::{OpRow, hex};

/// By its operations, and by heads that came in a snapshot without them. Heads are canonical JSON.
const ENTITIES: &str = r"
    select o.table_name, o.key from wire.op o where o.node_id = $1 and o.seq >= $2
    union
    select h.table_name, h.key from sync.head h
    where strpos(h.heads, '[[' || $1::integer || ',') > 0 or strpos(h.heads, ',[' || $1::integer || ',') > 0
    order by 1, 2";

fn entities(since: WrittenSince) -> Vec<(String, String)> {
    sql::rows(ENTITIES, &[since.node_id.into(), since.seq.into()], |row| (row.must(1), row.must(2)))
}

/// An entity that it wrote.
struct Written {
    since: WrittenSince,
    tracked: Option<Rc<Tracked>>,
    table_name: String,
    key: String,
    entity: Entity,
    /// All operations on it that are here.
    rows: Vec<OpRow>,
    journal: Vec<Operation>,
    /// Versions that they name and that are operations on other entities.
    lies: BTreeSet<Version>,
    /// Those that they name and that are not here, and did not come in a snapshot.
    invented: BTreeSet<Version>,
}

const ABSENT: &str = r"
    select v.node_id, v.seq, exists (select from wire.op o where o.node_id = v.node_id and o.seq = v.seq),
           exists (select from sync.horizon h where h.node_id = v.node_id and h.seq >= v.seq)
    from unnest($1::integer[], $2::bigint[]) as v (node_id, seq)";

/// Which of these versions, none of which is an operation on the entity here, are operations on another one;
/// and which are not here at all, and did not come in a snapshot.
fn lies(absent: &BTreeSet<Version>) -> (BTreeSet<Version>, BTreeSet<Version>) {
    let (mut elsewhere, mut nowhere) = (BTreeSet::new(), BTreeSet::new());
    if absent.is_empty() {
        return (elsewhere, nowhere);
    }
    let (nodes, seqs): (Vec<i32>, Vec<i64>) = absent.iter().map(|it| (it.node_id, it.seq)).unzip();
    let read = |row: &sql::Row<'_>| {
        (Version { node_id: row.must(1), seq: row.must(2) }, row.must::<bool>(3), row.must::<bool>(4))
    };
    for (version, is_here, is_in_snapshot) in sql::rows(ABSENT, &[nodes.into(), seqs.into()], read) {
        if is_here {
            elsewhere.insert(version);
        } else if !is_in_snapshot {
            nowhere.insert(version);
        }
    }
    (elsewhere, nowhere)
}

const BESIDE: &str = "what others wrote beside it; what it says it had replaced may be older, and stays away";

/// What becomes of a value that stands.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// This one stands again; what is to be said about it.
    Restored(Value, Option<&'static str>),
    /// The row was made by it, and is deleted.
    Deleted,
    /// The row was erased.
    Erased,
    /// What it replaced is not known any more.
    Unknown,
    /// It stays; why.
    Left(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Restored(..) => "restored",
            Self::Deleted => "deleted",
            Self::Erased => "erased",
            Self::Unknown => "unknown",
            Self::Left(_) => "left",
        }
    }

    /// The value that stands then.
    fn value(&self, register: &str) -> Option<Value> {
        match self {
            Self::Restored(value, _) => Some(value.clone()),
            Self::Deleted if register == EXISTS => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Erased => Some("the row was erased, and nothing brings it back".to_owned()),
            Self::Unknown => Some("what was there before has left the journal".to_owned()),
            Self::Left(why) => Some(why.clone()),
            Self::Restored(_, detail) => detail.map(str::to_owned),
            Self::Deleted => None,
        }
    }
}

impl Written {
    fn find((table_name, key): (String, String), since: WrittenSince) -> Self {
        let tracked = Tracked::find(&table_name);
        let entity = stored_heads::find(&table_name, &key).unwrap_or_default();
        let rows = rows_of(&table_name, &key);
        let journal: Vec<Operation> = rows.iter().filter_map(|row| read(row).ok()).collect();
        let is_here =
            |version: &Version| rows.iter().any(|row| (row.node_id, row.seq) == (version.node_id, version.seq));
        let absent: BTreeSet<Version> =
            journal.iter().flat_map(Operation::names).filter(|version| !is_here(version)).collect();
        let (lies, invented) = lies(&absent);
        Self { since, tracked, table_name, key, entity, rows, journal, lies, invented }
    }

    /// Whether a value of an operation stands.
    fn has_head(&self, version: Version) -> bool {
        self.entity.0.values().flatten().any(|head| head.version == version)
    }

    fn covers(&self, head: &Head) -> bool {
        self.since.covers(head.version)
    }

    /// What becomes of each register in which a value of it stands.
    fn outcomes(&self) -> BTreeMap<&String, Outcome> {
        let stands = |heads: &&Vec<Head>| heads.iter().any(|head| self.covers(head));
        let registers: Vec<&String> =
            self.entity.0.iter().filter(|(_, heads)| stands(heads)).map(|(register, _)| register).collect();
        let all = |outcome: &Outcome| registers.iter().map(|register| (*register, outcome.clone())).collect();
        if registers.is_empty() {
            return BTreeMap::new();
        }
        if self.entity.is_erased() {
            return all(&Outcome::Erased);
        }
        let Some(tracked) = self.tracked.as_deref() else {
            return all(&Outcome::Left("this node does not track that table".to_owned()));
        };
        if tracked.decider != Decider::Anybody {
            return all(&Outcome::Left("central decides about that row: change it".to_owned()));
        }
        let undo = Undo::of(&self.journal, self.since, &self.lies);
        let before = |register: &str| undo.before(register, self.entity.heads(register));
        let found: Vec<(&String, Before)> = registers.iter().map(|it| (*it, before(it))).collect();
        let is_its_own = self.rows.iter().all(|row| self.since.covers(Version { node_id: row.node_id, seq: row.seq }))
            && self.entity.0.values().flatten().all(|head| self.covers(head));
        let is_made = undo.is_made(self.entity.heads(EXISTS)) || (is_its_own && self.is_invented());
        if is_made && !tracked.resolve(&self.entity).exists() {
            return all(&Outcome::Left("it made the row, which is deleted".to_owned()));
        }
        if is_made && is_its_own {
            return all(&Outcome::Deleted);
        }
        let mut restored = self.entity.clone();
        for (register, before) in &found {
            if let Before::Heads(heads) | Before::Beside(heads) = before {
                restored.0.insert((*register).clone(), heads.clone());
            }
        }
        let merged = tracked.resolve(&restored);
        let outcome = |register: &str, before| match before {
            Before::Heads(heads) => Outcome::Restored(chosen(&merged, register, &heads), None),
            Before::Beside(heads) => Outcome::Restored(chosen(&merged, register, &heads), Some(BESIDE)),
            Before::Nothing if is_made => {
                Outcome::Left("it made the row, and somebody else has written it since".to_owned())
            }
            Before::Nothing => blank(tracked, register),
            Before::Unknown => Outcome::Unknown,
        };
        found.into_iter().map(|(register, before)| (register, outcome(register, before))).collect()
    }

    /// Whether it says that the row exists, and whatever it names for that is invented.
    fn is_invented(&self) -> bool {
        let mut named = self.journal.iter().flat_map(|operation| operation.seen(EXISTS)).copied();
        let is_here = |version| self.journal.iter().any(|operation| operation.version == version);
        let is_lie = |version| self.lies.contains(&version) || self.invented.contains(&version);
        !self.entity.heads(EXISTS).is_empty()
            && self.entity.heads(EXISTS).iter().all(|head| is_here(head.version))
            && named.all(|version| is_here(version) || is_lie(version))
    }

    /// Takes back what stands of it.
    ///
    /// # Errors
    /// The table refuses the row.
    fn take_back(&self, outcomes: &BTreeMap<&String, Outcome>, is_there: bool) -> Result<(), DataFault> {
        let Some(tracked) = self.tracked.as_deref() else { return Ok(()) };
        let (mut entity, mut written) = (self.entity.clone(), BTreeSet::new());
        for (register, outcome) in outcomes {
            if let Some(value) = outcome.value(register) {
                // Nobody's until the operation is written, at the end of the transaction.
                let head = Head { version: Version { node_id: 0, seq: 0 }, hlc: 0, value };
                entity.0.insert((*register).clone(), vec![head]);
                written.insert((*register).clone());
            }
        }
        if written.is_empty() {
            return Ok(());
        }
        attempt(|| row::write(tracked, &self.key, &entity, written.iter(), !is_there)?.check_all())
    }
}

/// A value as a `jsonb`. Of one with a number that no `jsonb` holds, which came before such were refused or
/// in a snapshot, its hash.
fn shown(value: Value) -> JsonbText {
    if value.is_held() {
        return value.into();
    }
    let hash = hex(&sha256(value.to_canonical().as_bytes()));
    Value::Object(vec![("unreadable".to_owned(), Value::String(hash))]).into()
}

/// The value that the policy chooses among the heads of a register.
fn chosen(merged: &Merged, register: &str, heads: &[Head]) -> Value {
    let choice = match register {
        EXISTS => merged.existence.clone(),
        ALIAS => merged.alias.clone(),
        ERASED => return Value::Bool(true),
        _ => merged.columns.get(register).cloned(),
    };
    let Some(mut choice) = choice else { return Value::Null };
    // A function that fails leaves the last value, as where a row is merged.
    let _ = row::evaluate(&mut choice, heads);
    choice.value
}

/// What a register is that nobody had written.
fn blank(tracked: &Tracked, register: &str) -> Outcome {
    if register == ALIAS {
        return Outcome::Restored(Value::Null, None);
    }
    if let Some(element) = Element::of(register) {
        return match element.rule {
            SetRule::Union => Outcome::Restored(Value::Bool(false), None),
            SetRule::GrowOnly => Outcome::Left("an element of a set that only grows stays".to_owned()),
        };
    }
    let is_null = |column: &String| tracked.blank_columns().any(|(name, blank)| name == column && blank == "null");
    let columns = tracked.groups.get(register);
    match columns {
        Some(columns) if columns.iter().all(is_null) => {
            let mut members: Vec<_> = columns.iter().map(|column| (column.clone(), Value::Null)).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Outcome::Restored(Value::Object(members), None)
        }
        None if is_null(&register.to_owned()) => Outcome::Restored(Value::Null, None),
        _ => Outcome::Left("nobody had written that column before".to_owned()),
    }
}

/// What a node wrote from a number on: a row for each value. Called through `sync.written_by`.
#[pg_extern(volatile, strict, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn written_by(
    node_id: i32,
    from_seq: i64,
) -> TableIterator<
    'static,
    (
        name!(seq, i64),
        name!(hlc, i64),
        name!(table_name, String),
        name!(key, String),
        name!(column_name, Option<String>),
        name!(value_before, Option<JsonbText>),
        name!(value_written, Option<JsonbText>),
        name!(value_now, Option<JsonbText>),
        name!(state, String),
        name!(undo, Option<String>),
        name!(detail, Option<String>),
    ),
> {
    let since = WrittenSince { node_id, seq: from_seq };
    let mut lines = Vec::new();
    for place in entities(since) {
        let written = Written::find(place, since);
        let (outcomes, now) = (written.outcomes(), written.tracked.as_ref().map(|it| it.resolve(&written.entity)));
        let undo = Undo::of(&written.journal, since, &written.lies);
        let replaced = |register: &str, version| {
            let seen = undo.seen(register, version).into_iter().max_by_key(|head| (head.hlc, head.version));
            seen.map(|head| head.value)
        };
        let line = |version: Version, hlc, register: &str, value: &Value| {
            let stands = written.entity.heads(register).iter().any(|head| head.version == version);
            let outcome = outcomes.get(&register.to_owned()).filter(|_| stands);
            let restored = outcome.and_then(|it| it.value(register));
            let now = now.as_ref().map(|now| chosen(now, register, written.entity.heads(register)));
            let is_made = matches!(outcome, Some(Outcome::Deleted));
            (
                version.seq,
                hlc,
                written.table_name.clone(),
                written.key.clone(),
                Some(register.to_owned()),
                restored.filter(|_| !is_made).or_else(|| replaced(register, version)).map(shown),
                Some(shown(value.clone())),
                now.map(shown),
                if stands { "stands" } else { "replaced" }.to_owned(),
                outcome.map(|it| it.word().to_owned()),
                outcome.and_then(Outcome::detail),
            )
        };
        let whole = |row: &OpRow, state: &str, detail: &str| {
            let (table_name, key) = (written.table_name.clone(), written.key.clone());
            let (state, detail) = (state.to_owned(), Some(detail.to_owned()));
            (row.seq, row.hlc, table_name, key, None, None, None, None, state, None, detail)
        };
        let its = |version: &Version| since.covers(*version);
        let mut here = BTreeSet::new();
        for row in &written.rows {
            let version = Version { node_id: row.node_id, seq: row.seq };
            if !its(&version) {
                continue;
            }
            here.insert(version);
            match read(row) {
                _ if is_blank(&row.patch) && written.entity.is_erased() => {
                    lines.push(whole(row, "erased", "the row was erased, and with it what this wrote"));
                }
                _ if is_blank(&row.patch) && !written.has_head(version) => {
                    lines.push(whole(row, "refused", "it was not believed: sync.quarantine has what it wrote"));
                }
                Err(fault) => lines.push(whole(row, "waits", &fault.code)),
                Ok(operation) => {
                    lines.extend(
                        operation.patch.iter().map(|(register, value)| line(version, row.hlc, register, value)),
                    );
                }
            }
        }
        for (register, heads) in &written.entity.0 {
            let without = heads.iter().filter(|head| its(&head.version) && !here.contains(&head.version));
            lines.extend(without.map(|head| line(head.version, head.hlc, register, &head.value)));
        }
    }
    TableIterator::new(lines)
}

/// Takes back what a node wrote from a number on, where it still stands: writes the rows, and returns
/// what became of each value. The operations follow at the end of the transaction, written by
/// [`super::conflict::decide`]. Called through `sync.undo_written`.
#[pg_extern(volatile, strict, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn undo_written(
    node_id: i32,
    from_seq: i64,
) -> TableIterator<
    'static,
    (
        name!(seq, i64),
        name!(table_name, String),
        name!(key, String),
        name!(column_name, String),
        name!(value_written, Option<JsonbText>),
        name!(value, Option<JsonbText>),
        name!(outcome, String),
        name!(detail, Option<String>),
    ),
> {
    serial::alone();
    let since = WrittenSince { node_id, seq: from_seq };
    let mut lines = Vec::new();
    for (table_name, key) in entities(since) {
        // What cannot be read, a key that is none among it, has no heads.
        if stored_heads::find(&table_name, &key).is_none() {
            continue;
        }
        let tracked = Tracked::find(&table_name);
        let is_there = tracked.as_ref().is_some_and(|tracked| row::lock_row(tracked, &key));
        stored_heads::lock(&table_name, &key);
        let written = Written::find((table_name, key), since);
        let outcomes = written.outcomes();
        let refused = written.take_back(&outcomes, is_there).err();
        for (register, outcome) in &outcomes {
            let its = written.entity.heads(register).iter().filter(|head| written.covers(head));
            let Some(head) = its.max_by_key(|head| head.version) else { continue };
            let value = outcome.value(register).filter(|_| refused.is_none());
            let fault = refused.as_ref().filter(|_| matches!(outcome, Outcome::Restored(..) | Outcome::Deleted));
            lines.push((
                head.version.seq,
                written.table_name.clone(),
                written.key.clone(),
                (*register).clone(),
                Some(shown(head.value.clone())),
                value.map(shown),
                fault.map_or(outcome.word(), |_| "refused").to_owned(),
                fault.map_or_else(|| outcome.detail(), |fault| Some(format!("{}: {}", fault.code, fault.detail))),
            ));
        }
    }
    TableIterator::new(lines)
}

extension_sql!(
    r#"
comment on function written_by(integer, bigint) is
    'What a node wrote from a number on, one row for each value. Callers use sync.written_by.';
comment on function undo_written(integer, bigint) is
    'Takes back what a node wrote from a number on, where it still stands, and returns what became of each value. Callers use sync.undo_written.';
"#,
    name = "written_comments",
    requires = [written_by, undo_written]
);
