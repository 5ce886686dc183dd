//! Receipts that arrived in the transaction and are not written yet. Written together they cost
//! less: relations and indexes are opened once, and rows share a page's lock and a WAL record.
//!
//! They are written
//!
//! - before any other row is received, which may read what they write;
//! - when there are many ([`tpv_core::arrival::Pending`]);
//! - before the transaction commits or is prepared.
//!
//! All are written in one subtransaction. If the data are at fault, it is undone and each is
//! written alone: the one at fault waits in quarantine, a repeat is dropped.

use std::cell::{Cell, RefCell};

use pgrx::pg_sys;
use pgrx::prelude::*;
use tpv_core::arrival::{LastSeen, Pending};

use crate::postgres::primary_key::is_repeat;
use crate::postgres::{attempt, bulk, sql};
use crate::projection::{project, project_receipts};
use crate::receive::place::note_repeat;
use crate::wire::{Document, quarantine};

/// A receipt, and its row as it is to be stored.
struct Collected {
    document: Document,
    partition: pg_sys::Oid,
    trigger_function: pg_sys::Oid,
    /// In [`MEMORY`].
    tuple: pg_sys::HeapTuple,
}

/// The row that a trigger was called for.
#[derive(Clone, Copy)]
pub struct Row {
    pub partition: pg_sys::Relation,
    pub tuple: pg_sys::HeapTuple,
    /// The function that was called.
    pub trigger_function: pg_sys::Oid,
}

thread_local! {
    static PENDING: RefCell<Pending<Collected>> = const { RefCell::new(Pending::new()) };
    static LAST_SEEN: RefCell<LastSeen> = RefCell::default();
    /// Null before the first receipt.
    static MEMORY: Cell<pg_sys::MemoryContext> = const { Cell::new(std::ptr::null_mut()) };
}

/// Whether rows of the partition can be collected: its only trigger is this one.
///
/// # Safety
/// PostgreSQL called the trigger for the row.
pub unsafe fn can_collect(row: Row) -> bool {
    // SAFETY: the relation of a trigger is open and locked.
    unsafe { bulk::can_store(row.partition, row.trigger_function) }
}

const LAST: &str = "select coalesce(max(chain_seq), 0) from wire.doc where node_id = $1 and chain = $2";

/// Where a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Beyond the end of its hash chain, so that it is not looked up; the primary key refuses it if
    /// it is here all the same.
    Beyond,
    /// It waits to be written.
    Waits,
    /// It is here.
    Here,
    /// It is not here, and others behind it are.
    Missing,
}

/// Whether the document is here or waits to be written.
///
/// # Safety
/// The document is that of the row, for which PostgreSQL called the trigger.
pub unsafe fn find(row: Row, document: &Document) -> Found {
    if is_beyond(document) {
        return Found::Beyond;
    }
    if PENDING.with_borrow(|pending| pending.iter().any(|one| one.document.key() == document.key())) {
        return Found::Waits;
    }
    // SAFETY: the caller's promise.
    if unsafe { is_repeat(row.partition, row.tuple) } { Found::Here } else { Found::Missing }
}

/// Whether the document is beyond the end of its hash chain here, as far as this worker has seen it.
pub fn is_beyond(document: &Document) -> bool {
    let Document { node_id, chain, chain_seq, .. } = document;
    let last = LAST_SEEN.with_borrow(|seen| seen.of(*node_id, chain)).unwrap_or_else(|| {
        let written = sql::row(LAST, &[(*node_id).into(), chain.as_str().into()], |row| row.must(1)).unwrap_or(0);
        PENDING.with_borrow(|pending| {
            let own = pending.iter().map(|one| &one.document);
            let own = own.filter(|one| one.node_id == *node_id && one.chain == *chain);
            own.map(|one| one.chain_seq).fold(written, i64::max)
        })
    });
    LAST_SEEN.with_borrow_mut(|seen| seen.saw(subtransaction(), *node_id, chain, last.max(*chain_seq)));
    listen();
    *chain_seq > last
}

/// Collects a receipt, which PostgreSQL is not to store itself.
///
/// # Safety
/// The document is that of the row, for which PostgreSQL called the trigger and about which
/// [`can_collect`] has answered yes.
pub unsafe fn collect(row: Row, document: Document) {
    listen();
    // SAFETY: the caller's promise. The copy lives until nothing waits.
    let (collected, bytes) = unsafe {
        let caller = pg_sys::MemoryContextSwitchTo(memory());
        let tuple = pg_sys::heap_copytuple(row.tuple);
        pg_sys::MemoryContextSwitchTo(caller);
        let partition = (*row.partition).rd_id;
        let collected = Collected { document, partition, trigger_function: row.trigger_function, tuple };
        (collected, (*tuple).t_len as usize)
    };
    if PENDING.with_borrow_mut(|pending| pending.add(subtransaction(), bytes, collected)) {
        write();
    }
}

/// Writes what was collected in this subtransaction.
pub fn write() {
    if PENDING.with_borrow(Pending::is_empty) {
        return;
    }
    let collected = PENDING.with_borrow_mut(|pending| pending.take(subtransaction()));
    // SAFETY: the partitions are locked by the transaction, and the tuples live until the memory is
    // freed below. An error ends the transaction, and the snapshot with it.
    unsafe {
        let needs_snapshot = !pg_sys::ActiveSnapshotSet();
        if needs_snapshot {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        let together = attempt(|| {
            write_all(&collected);
            Ok(())
        });
        if together.is_err() {
            collected.iter().for_each(|one| write_one(one));
        }
        if needs_snapshot {
            pg_sys::PopActiveSnapshot();
        }
    }
    free();
}

/// # Safety
/// The tuples are there, and their partitions locked.
unsafe fn write_all(collected: &[Collected]) {
    for part in collected.chunk_by(|one, next| one.partition == next.partition) {
        let tuples: Vec<_> = part.iter().map(|one| one.tuple).collect();
        // SAFETY: as promised.
        unsafe { bulk::store(part[0].partition, part[0].trigger_function, &tuples) };
    }
    let documents: Vec<_> = collected.iter().map(|one| &one.document).collect();
    for (document, fault) in project_receipts(&documents) {
        quarantine(document, &fault);
    }
}

/// # Safety
/// The tuple is there, and its partition locked.
unsafe fn write_one(one: &Collected) {
    // SAFETY: as promised; the relation is open while it is looked into.
    unsafe {
        let partition = pg_sys::table_open(one.partition, pg_sys::RowExclusiveLock as i32);
        let is_here = is_repeat(partition, one.tuple);
        if is_here {
            note_repeat(&one.document, one.tuple, partition);
        }
        pg_sys::table_close(partition, pg_sys::NoLock as i32);
        if is_here {
            // It came by a way past this worker, and more may have come with it.
            LAST_SEEN.with_borrow_mut(LastSeen::forget);
            return;
        }
        bulk::store(one.partition, one.trigger_function, &[one.tuple]);
    }
    if let Err(fault) = attempt(|| project(&one.document)) {
        quarantine(&one.document, &fault);
    }
}

/// The number of the subtransaction that goes on; 1 outside of one.
fn subtransaction() -> u32 {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::GetCurrentSubTransactionId() }
}

fn memory() -> pg_sys::MemoryContext {
    if MEMORY.get().is_null() {
        // SAFETY: it lasts as long as the process.
        MEMORY.set(unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::TopMemoryContext,
                c"pg_tpv receipts".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            )
        });
    }
    MEMORY.get()
}

/// Frees the rows when none waits and none is being written.
fn free() {
    if !MEMORY.get().is_null() && PENDING.with_borrow(Pending::is_empty) {
        // SAFETY: nobody has a pointer into it.
        unsafe { pg_sys::MemoryContextReset(MEMORY.get()) };
    }
}

/// Asks PostgreSQL to tell when transactions end.
fn listen() {
    thread_local! { static LISTENS: Cell<bool> = const { Cell::new(false) } }
    if !LISTENS.replace(true) {
        // SAFETY: once in a process; the functions live as long as the library.
        unsafe {
            pg_sys::RegisterXactCallback(Some(transaction_ends), std::ptr::null_mut());
            pg_sys::RegisterSubXactCallback(Some(subtransaction_ends), std::ptr::null_mut());
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_ends(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_PRE_COMMIT | pg_sys::XactEvent::XACT_EVENT_PRE_PREPARE
            if PENDING.with_borrow(|pending| !pending.is_empty()) =>
        {
            write();
            // PostgreSQL has fired deferred triggers before this; somebody may have put one on what
            // was just written. SAFETY: the transaction is about to end, and no statement runs.
            unsafe { pg_sys::AfterTriggerFireDeferred() };
        }
        pg_sys::XactEvent::XACT_EVENT_COMMIT => {
            LAST_SEEN.with_borrow_mut(LastSeen::committed);
            free();
        }
        // Whether a prepared transaction commits is decided elsewhere.
        pg_sys::XactEvent::XACT_EVENT_ABORT | pg_sys::XactEvent::XACT_EVENT_PREPARE => {
            LAST_SEEN.with_borrow_mut(LastSeen::forget);
            PENDING.with_borrow_mut(Pending::clear);
            free();
        }
        _ => {}
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_ends(
    event: pg_sys::SubXactEvent::Type,
    ended: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _argument: *mut std::ffi::c_void,
) {
    match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            PENDING.with_borrow_mut(|pending| pending.committed(ended, parent));
        }
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            PENDING.with_borrow_mut(|pending| pending.aborted(ended));
            LAST_SEEN.with_borrow_mut(|seen| seen.aborted(ended));
            // The rows stay: what is being written one by one needs them after the subtransaction
            // that wrote them together.
        }
        _ => {}
    }
}
