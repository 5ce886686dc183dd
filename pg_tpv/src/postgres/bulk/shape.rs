//! What a session remembers of a table from one transaction to the next: executor state with CHECK
//! expressions that are ready to run, descriptions of indexes, slots for rows. Making these anew
//! costs more than writing the rows of a receipt.
//!
//! Nothing in it counts as a reference: the table and its indexes are opened for each use. It is
//! stale as soon as the definition of any table changes. Whoever holds the lock on the table has
//! heard of all changes, and until the lock is gone nobody makes another.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::PgTupleDesc;
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::value::Room;
use super::{Table, Value};

/// A table that can be written without a statement.
pub struct Shape {
    /// The table, as the executor sees the target of an INSERT.
    pub target: *mut pg_sys::ResultRelInfo,
    /// The state that the executor needs.
    pub executor: *mut pg_sys::EState,
    /// All of it is allocated here.
    context: pg_sys::MemoryContext,
    columns: pg_sys::TupleDesc,
    typmods: Vec<i32>,
    indexes: Vec<pg_sys::Oid>,
    slots: Vec<*mut pg_sys::TupleTableSlot>,
}

/// What a table is remembered by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// The address of the `Table`, which is static.
    Table(usize),
    /// A partition that is not known by its name.
    Partition(pg_sys::Oid),
}

/// What a session remembers of a table.
struct Remembered {
    relation: pg_sys::Oid,
    changes: u64,
    /// None: it needs a statement.
    shape: Option<*mut Shape>,
}

thread_local! {
    /// A backend has one thread.
    static REMEMBERED: RefCell<HashMap<Key, Remembered>> = RefCell::new(HashMap::new());
    /// How many definitions were changed since the session began to listen; 0 before that.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// Opens a table and locks it as an INSERT does.
///
/// # Safety
/// The session is in a transaction.
pub unsafe fn open<const N: usize>(table: &'static Table<N>) -> pg_sys::Relation {
    let lock = pg_sys::RowExclusiveLock as i32;
    // SAFETY: as promised; the name is only read.
    unsafe {
        // If no definition has changed by the time the lock is held, this is still the table of
        // that name.
        if let Some(relation) = REMEMBERED.with_borrow(|all| Some(all.get(&key(table))?.current()?.relation)) {
            let changes = CHANGES.get();
            pg_sys::LockRelationOid(relation, lock);
            if changes == CHANGES.get() {
                return pg_sys::table_open(relation, pg_sys::NoLock as i32);
            }
            pg_sys::UnlockRelationOid(relation, lock);
        }
        let name = pg_sys::makeRangeVar(table.schema.as_ptr().cast_mut(), table.name.as_ptr().cast_mut(), -1);
        let relation = pg_sys::table_openrv(name, lock);
        pg_sys::pfree(name.cast());
        relation
    }
}

fn key<const N: usize>(table: &'static Table<N>) -> Key {
    Key::Table(std::ptr::from_ref(table).addr())
}

impl Remembered {
    /// None when a definition was changed since.
    fn current(&self) -> Option<&Self> {
        (self.changes == CHANGES.get()).then_some(self)
    }
}

/// The shape of a table; none when it needs a statement.
///
/// # Safety
/// The relation is open and locked, and the table's own. The answer is of use until it is closed.
pub unsafe fn of<const N: usize>(table: &'static Table<N>, relation: pg_sys::Relation) -> Option<*mut Shape> {
    // SAFETY: as promised.
    unsafe { remembered(key(table), relation, || is_plain(table, relation)) }
}

/// The shape of a partition; none when its rows must be left to PostgreSQL. An INSERT is to call
/// that trigger function and do nothing else.
///
/// # Safety
/// The relation is open and locked. The answer is of use until it is closed.
pub unsafe fn of_partition(relation: pg_sys::Relation, trigger_function: pg_sys::Oid) -> Option<*mut Shape> {
    // SAFETY: as promised.
    unsafe { remembered(Key::Partition((*relation).rd_id), relation, || calls_only(trigger_function, relation)) }
}

/// # Safety
/// The relation is open and locked, and is the one with that key.
unsafe fn remembered(key: Key, relation: pg_sys::Relation, fits: impl FnOnce() -> bool) -> Option<*mut Shape> {
    if CHANGES.get() == 0 {
        CHANGES.set(1);
        // SAFETY: once in a session; the function lives as long as the library.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(definition_changed), pg_sys::Datum::null()) };
    }
    // SAFETY: as promised. A shape is freed here only, when nobody uses it.
    unsafe {
        let (relation_id, changes) = ((*relation).rd_id, CHANGES.get());
        let known = REMEMBERED.with_borrow(|all| {
            all.get(&key)?.current().filter(|known| known.relation == relation_id).map(|known| known.shape)
        });
        known.unwrap_or_else(|| {
            let shape = fits().then(|| Box::into_raw(Box::new(Shape::make(relation))));
            let known = Remembered { relation: relation_id, changes, shape };
            let before = REMEMBERED.with_borrow_mut(|all| all.insert(key, known));
            if let Some(stale) = before.and_then(|known| known.shape) {
                pg_sys::MemoryContextDelete(Box::from_raw(stale).context);
            }
            shape
        })
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn definition_changed(_argument: pg_sys::Datum, _relation: pg_sys::Oid) {
    CHANGES.set(CHANGES.get() + 1);
}

/// Whether an INSERT would do no more than what is done here: a heap with just these columns.
///
/// # Safety
/// The relation is open.
unsafe fn is_plain<const N: usize>(table: &Table<N>, relation: pg_sys::Relation) -> bool {
    // SAFETY: the relation is open, so that its entry in the cache stays.
    unsafe {
        let shape = (*relation).rd_att;
        is_simple(relation)
            && !(*(*relation).rd_rel).relispartition
            && (*relation).trigdesc.is_null()
            && usize::try_from((*shape).natts) == Ok(N)
            && PgTupleDesc::from_pg_copy(shape)
                .iter()
                .zip(&table.columns)
                .all(|(found, (name, kind))| !found.attisdropped && found.name() == *name && found.atttypid == *kind)
    }
}

/// Whether an INSERT would call that function as its only trigger, and do no more than what is done
/// here.
///
/// # Safety
/// The relation is open.
unsafe fn calls_only(trigger_function: pg_sys::Oid, relation: pg_sys::Relation) -> bool {
    // SAFETY: as above; the triggers are as many as is said.
    unsafe {
        let Some(triggers) = (*relation).trigdesc.as_ref() else { return false };
        let all = std::slice::from_raw_parts(triggers.triggers, usize::try_from(triggers.numtriggers).unwrap_or(0));
        let mut of_rows = all.iter().filter(|one| {
            let kind = u32::from(one.tgtype.cast_unsigned());
            kind & pg_sys::TRIGGER_TYPE_INSERT != 0 && kind & pg_sys::TRIGGER_TYPE_ROW != 0
        });
        is_simple(relation) && of_rows.all(|one| one.tgfoid == trigger_function)
    }
}

/// A heap without rules, row security and generated columns.
///
/// # Safety
/// The relation is open.
unsafe fn is_simple(relation: pg_sys::Relation) -> bool {
    // SAFETY: as above.
    unsafe {
        let (class, constraints) = (&*(*relation).rd_rel, (*(*relation).rd_att).constr);
        class.relkind == pg_sys::RELKIND_RELATION as std::ffi::c_char
            && class.relam == pg_sys::HEAP_TABLE_AM_OID
            && !class.relrowsecurity
            && (*relation).rd_rules.is_null()
            && (constraints.is_null() || !(*constraints).has_generated_stored)
    }
}

impl Shape {
    /// # Safety
    /// The relation is open and locked.
    unsafe fn make(relation: pg_sys::Relation) -> Self {
        // SAFETY: what is made is allocated in a context of its own, which lasts as long as the
        // session or until it is stale. The copy of the row's description is not counted as a
        // reference.
        unsafe {
            let context = pg_sys::AllocSetContextCreateInternal(
                pg_sys::TopMemoryContext,
                c"pg_tpv table".as_ptr(),
                pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
                pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            let caller = pg_sys::MemoryContextSwitchTo(context);
            let executor = pg_sys::CreateExecutorState();
            let target = pg_sys::palloc0(size_of::<pg_sys::ResultRelInfo>()).cast::<pg_sys::ResultRelInfo>();
            (*target).type_ = pg_sys::NodeTag::T_ResultRelInfo;
            pg_sys::InitResultRelInfo(target, relation, 0, std::ptr::null_mut(), 0);
            pg_sys::ExecOpenIndices(target, false);
            let indexes = (0..(*target).ri_NumIndices as usize)
                .map(|place| (**(*target).ri_IndexRelationDescs.add(place)).rd_id)
                .collect();
            pg_sys::ExecCloseIndices(target);
            let columns = pg_sys::CreateTupleDescCopyConstr((*relation).rd_att);
            let typmods = PgTupleDesc::from_pg_copy(columns).iter().map(|column| column.atttypmod).collect();
            pg_sys::MemoryContextSwitchTo(caller);
            Self { target, executor, context, columns, typmods, indexes, slots: Vec::new() }
        }
    }

    /// Opens the indexes for writing, and frees the values of the last use.
    ///
    /// # Safety
    /// The shape is that of the relation, which is open and locked.
    pub unsafe fn open(&mut self, relation: pg_sys::Relation) {
        // SAFETY: as promised; a use that ended with an error left pointers behind, and all are
        // replaced.
        unsafe {
            let scratch = self.scratch();
            pg_sys::MemoryContextReset(scratch);
            (*self.target).ri_RelationDesc = relation;
            for (place, index) in self.indexes.iter().enumerate() {
                let description = *(*self.target).ri_IndexRelationInfo.add(place);
                // What an access method keeps from row to row may hold a pin, and so must not last
                // longer than one use.
                (*description).ii_AmCache = std::ptr::null_mut();
                (*description).ii_Context = scratch;
                *(*self.target).ri_IndexRelationDescs.add(place) =
                    pg_sys::index_open(*index, pg_sys::RowExclusiveLock as i32);
            }
        }
    }

    /// Closes the indexes.
    ///
    /// # Safety
    /// It was opened.
    pub unsafe fn close(&mut self) {
        // SAFETY: as promised.
        unsafe { pg_sys::ExecCloseIndices(self.target) }
    }

    /// Memory for one use.
    ///
    /// # Safety
    /// The session is in a transaction.
    pub unsafe fn scratch(&self) -> pg_sys::MemoryContext {
        // SAFETY: the executor state is there; its expression context is made once.
        unsafe {
            let mut expressions = (*self.executor).es_per_tuple_exprcontext;
            if expressions.is_null() {
                expressions = pg_sys::MakePerTupleExprContext(self.executor);
            }
            (*expressions).ecxt_per_tuple_memory
        }
    }

    /// That many slots.
    ///
    /// # Safety
    /// The session is in a transaction.
    pub unsafe fn slots(&mut self, count: usize) -> Vec<*mut pg_sys::TupleTableSlot> {
        // SAFETY: they are allocated where the shape is.
        unsafe {
            let caller = pg_sys::MemoryContextSwitchTo(self.context);
            while self.slots.len() < count {
                self.slots.push(pg_sys::MakeTupleTableSlot(self.columns, &raw const pg_sys::TTSOpsHeapTuple));
            }
            pg_sys::MemoryContextSwitchTo(caller);
        }
        self.slots[..count].to_vec()
    }

    /// Puts a row into a slot of the shape's; its values are allocated in the current memory
    /// context.
    ///
    /// # Safety
    /// The row has as many values as the table has columns, each of its column's type.
    pub unsafe fn fill(&self, slot: *mut pg_sys::TupleTableSlot, row: &[Value<'_>]) {
        // SAFETY: as promised. An error may have left the slot full.
        unsafe {
            pg_sys::ExecClearTuple(slot);
            let mut room = Room::of(row);
            for (place, (value, typmod)) in row.iter().zip(&self.typmods).enumerate() {
                let datum = value.datum(*typmod, &mut room);
                *(*slot).tts_isnull.add(place) = datum.is_none();
                *(*slot).tts_values.add(place) = datum.unwrap_or(pg_sys::Datum::null());
            }
            (*slot).tts_tableOid = (*(*self.target).ri_RelationDesc).rd_id;
            pg_sys::ExecStoreVirtualTuple(slot);
        }
    }
}
