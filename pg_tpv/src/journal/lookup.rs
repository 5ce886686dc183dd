//! Keeps in each session what is tracked and by which rules, and who is banned: it is needed for each
//! operation, and changes once a month.
//!
//! A session keeps it until somebody changes it. PostgreSQL tells every session of a database about
//! changed tables; the trigger `_000_forget`, on the tables that hold the rules, makes it tell of
//! changed rows in the same way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use pgrx::{pg_guard, pg_sys};

use super::tracked::Tracked;

/// How many changes this session was told of.
static CHANGES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What was looked up, and at which number of changes. A backend has one thread.
    static KEPT: RefCell<(u64, HashMap<String, Rc<Tracked>>)> = RefCell::default();
}

impl Tracked {
    /// A tracked table; none when it is not tracked on this node, or does not exist yet.
    pub fn find(table_name: &str) -> Option<Rc<Self>> {
        kept(table_name, || Self::look_up(table_name))
    }
}

/// How many changes this session was told of by now.
pub(super) fn changes() -> u64 {
    listen();
    // SAFETY: may be called in any transaction. Whoever changed a rule sent its message before the
    // lock was free for us.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    CHANGES.load(Ordering::Relaxed)
}

/// Whether what was read after `changes` may be kept: nothing has changed meanwhile, and it was not
/// read as of an older moment.
pub(super) fn may_keep(changes: u64) -> bool {
    // SAFETY: a plain variable of this process.
    let is_old_snapshot = unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32;
    !is_old_snapshot && CHANGES.load(Ordering::Relaxed) == changes
}

/// What was looked up before, or what `look_up` finds.
fn kept(table_name: &str, look_up: impl FnOnce() -> Option<Tracked>) -> Option<Rc<Tracked>> {
    let changes = changes();
    let kept = KEPT.with_borrow_mut(|(as_of, kept)| {
        if *as_of != changes {
            kept.clear();
            *as_of = changes;
        }
        kept.get(table_name).cloned()
    });
    if kept.is_some() {
        return kept;
    }
    let found = Rc::new(look_up()?);
    if may_keep(changes) {
        KEPT.with_borrow_mut(|(_, kept)| kept.insert(table_name.to_owned(), found.clone()));
    }
    Some(found)
}

fn listen() {
    static ONCE: Once = Once::new();
    // SAFETY: the function lives as long as the process.
    ONCE.call_once(|| unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::null()) });
}

/// Any table may be a tracked one.
#[pg_guard]
unsafe extern "C-unwind" fn changed(_nothing: pg_sys::Datum, _table: pg_sys::Oid) {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// A row of a table that holds rules changed: this session forgets at once, the others when this
/// transaction commits.
///
/// # Safety
/// The relation is open.
pub unsafe fn forget(relation: pg_sys::Relation) {
    CHANGES.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller's promise.
    unsafe { pg_sys::CacheInvalidateRelcache(relation) };
}
