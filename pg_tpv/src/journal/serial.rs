//! What may not run beside a merge, and the turns that merges take.
//!
//! The first lock is one on the table `tpv_lock.merge`. It is taken before any row is. A merge
//! shares it, from before it reads the rules until its commit. A change of a policy, and a person
//! who resolves a conflict, hold it alone, for two reasons: a merge that had read the old rule
//! would leave its choice where the change could not see it; and two who lock several rows, each in
//! its own order, would deadlock. No login can name that table, so none can take the lock by
//! itself; an advisory lock any login can hold. A dump, which reads every table, is in nobody's
//! way.
//!
//! The second lock makes merges take turns, one transaction at a time. It is one of PostgreSQL's
//! advisory locks with a tag that none of its functions can name (theirs end in 1 or 2), so that no
//! login can hold it either.
//!
//! Without it, two stores that wrote the same rows in opposite orders would deadlock at central
//! again and again, a second each time. Turns are a courtesy, not a guarantee: a merge that has its
//! turn and hangs, because a session keeps a row locked, does not keep the others waiting.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pgrx::pg_sys;

use crate::postgres::{sql, within};

/// A merge shares the first lock in this mode, which no reader conflicts with.
const SHARED: u32 = pg_sys::RowExclusiveLock;

/// The mode of who wants to be alone; functions in SQL use it too (`in exclusive mode`).
const ALONE: u32 = pg_sys::ExclusiveLock;

/// The two numbers of the second lock, and the third, which makes it ours.
const TURN: (u32, u32, u16) = (7_631_990, 2, 7);

/// USER_LOCKMETHOD of lock.h: the table of advisory locks.
const USER_LOCKS: u8 = 2;

/// How often a waiting merge checks whether the one whose turn it is makes progress.
const LOOK: Duration = Duration::from_millis(200);

/// No merge waits longer than this for its turn, even if the other seems to work: it may be frozen.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker that gave up waiting goes out of turn for this many times as long as it had waited. So
/// a session that keeps a row locked costs the other merges little, and soon all take turns again.
const IMPATIENCE: u32 = 6;

thread_local! {
    static OUT_OF_TURN_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Shares the first lock and waits for its turn: a merge does so, until the transaction ends.
pub fn share() {
    lock(SHARED);
    wait_for_turn();
}

/// Holds the first lock alone, until the transaction ends: no merge runs beside it.
pub fn alone() {
    lock(ALONE);
}

/// Locks `tpv_lock.merge`. Names and privileges of whoever runs this do not matter.
fn lock(mode: u32) {
    // SAFETY: the names are C strings that live for ever; a catalog lookup without errors.
    let table = unsafe {
        let schema = pg_sys::get_namespace_oid(c"tpv_lock".as_ptr(), true);
        pg_sys::get_relname_relid(c"merge".as_ptr(), schema)
    };
    if table == pg_sys::InvalidOid {
        sql::broken("the table tpv_lock.merge is missing");
    }
    // SAFETY: the table is there, and no migration drops it.
    unsafe { pg_sys::LockRelationOid(table, mode.cast_signed()) };
}

fn wait_for_turn() {
    if OUT_OF_TURN_UNTIL.get().is_some_and(|until| Instant::now() < until) || is_mine() {
        return;
    }
    let started = Instant::now();
    while !comes_within(LOOK) {
        if started.elapsed() > PATIENCE || is_held_up() {
            OUT_OF_TURN_UNTIL.set(Some(Instant::now() + started.elapsed() * IMPATIENCE));
            return;
        }
    }
}

/// Takes the turn if no other transaction has it.
fn is_mine() -> bool {
    take_turn(true) != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

/// Waits in the queue of the lock, so that no merge is passed over.
fn comes_within(time: Duration) -> bool {
    // SAFETY: a built-in function of two integers; its answer is void.
    within(time, || take_turn(false)).is_some()
}

const HELD_UP: &str = r"
    select exists (select from pg_catalog.pg_locks turn
    join pg_catalog.pg_database d on d.oid = turn.database and d.datname = pg_catalog.current_database()
    cross join lateral unnest(pg_catalog.pg_blocking_pids(turn.pid)) as blocker (pid)
    left join pg_catalog.pg_stat_activity merge
      on merge.pid = blocker.pid and merge.backend_type like 'logical replication%worker'
    where merge.pid is null and turn.locktype = 'advisory' and turn.granted and turn.classid = $1 and turn.objid = $2 and turn.objsubid = $3)";

/// Whether the merge whose turn it is waits for a session. If it waits for another merge, which
/// went out of turn, that one will end; a third merge that went out of turn because of it would
/// only deadlock with both.
fn is_held_up() -> bool {
    let number = |number: u32| pg_sys::Oid::from(number).into();
    let third = i16::try_from(TURN.2).unwrap_or_default();
    sql::row(HELD_UP, &[number(TURN.0), number(TURN.1), third.into()], |row| row.must(1)).unwrap_or(false)
}

/// Takes the turn until the transaction ends, or, if it is not to wait, says that another has it.
fn take_turn(dont_wait: bool) -> pg_sys::LockAcquireResult::Type {
    // SAFETY: the tag is one of the table of advisory locks; the transaction lets go of it.
    unsafe {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: pg_sys::MyDatabaseId.to_u32(),
            locktag_field2: TURN.0,
            locktag_field3: TURN.1,
            locktag_field4: TURN.2,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: USER_LOCKS,
        };
        pg_sys::LockAcquire(&raw const tag, pg_sys::ExclusiveLock.cast_signed(), false, dont_wait)
    }
}
