//! What may not happen beside a merge: a change of the rules that it chooses by, and work of a person on several things.
//!
//! One advisory lock, taken before any row is. A merge shares it, from before it reads the rules until its commit. A change
//! of a policy, and a person who restores losers, have it alone: a merge that had read the old rule would otherwise leave
//! its choice where the change could not see it, and two who lock several rows, each in an order of its own, would deadlock.
//!
//! A second one makes merges take turns, one transaction at a time: two stores that each wrote many things, in opposite
//! orders, would else deadlock at central again and again, a second each time. It is a courtesy, not a guarantee. Who has
//! its turn and hangs, because a session keeps a row locked, does not keep the others waiting.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pgrx::{IntoDatum, direct_function_call, direct_function_call_as_datum, pg_sys};

use crate::postgres::{sql, within};

/// The two numbers of the lock; migrations name them too.
const LOCK: (i32, i32) = (7_631_990, 1);

/// The lock of who has its turn.
const TURN: (i32, i32) = (7_631_990, 2);

/// After this long, somebody looks whether the one whose turn it is gets on.
const LOOK: Duration = Duration::from_millis(200);

/// Longer than that nobody waits for its turn, even where the other seems to work: it may be frozen.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many times as long as it waited merges out of turn who gave up: where a session keeps a row locked that costs the
/// others little, and soon all take turns again.
const IMPATIENCE: u32 = 6;

thread_local! {
    static OUT_OF_TURN_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// For a merge, until the transaction ends.
pub fn share() {
    // SAFETY: a built-in function of two integers; its answer is void.
    unsafe { direct_function_call_as_datum(pg_sys::pg_advisory_xact_lock_shared_int4, &arguments(LOCK)) };
    wait_for_turn();
}

/// For what no merge may run beside, until the transaction ends.
pub fn alone() {
    // SAFETY: as above.
    unsafe { direct_function_call_as_datum(pg_sys::pg_advisory_xact_lock_int4, &arguments(LOCK)) };
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

/// Whether nobody else has its turn; from then on it is this transaction's.
fn is_mine() -> bool {
    // SAFETY: a built-in function of two integers; its answer is never null.
    unsafe { direct_function_call(pg_sys::pg_try_advisory_xact_lock_int4, &arguments(TURN)) }.unwrap_or(false)
}

/// Waits in the queue of the lock, so that none is passed over.
fn comes_within(time: Duration) -> bool {
    // SAFETY: a built-in function of two integers; its answer is void.
    within(time, || unsafe { direct_function_call_as_datum(pg_sys::pg_advisory_xact_lock_int4, &arguments(TURN)) })
        .is_some()
}

const HELD_UP: &str = r"
    select exists (select from pg_catalog.pg_locks turn
    join pg_catalog.pg_database d on d.oid = turn.database and d.datname = pg_catalog.current_database()
    cross join lateral unnest(pg_catalog.pg_blocking_pids(turn.pid)) as blocker (pid)
    left join pg_catalog.pg_stat_activity merge on merge.pid = blocker.pid and merge.backend_type = 'logical replication worker'
    where merge.pid is null and turn.locktype = 'advisory' and turn.granted and turn.classid = $1 and turn.objid = $2 and turn.objsubid = 2)";

/// Whether the one whose turn it is waits for a session. Another merge, out of its turn, will end: who went out of turn too
/// because of that would only deadlock with both.
fn is_held_up() -> bool {
    let number = |number: i32| pg_sys::Oid::from(number.unsigned_abs()).into();
    sql::row(HELD_UP, &[number(TURN.0), number(TURN.1)], |row| row.must(1)).unwrap_or(false)
}

fn arguments(lock: (i32, i32)) -> [Option<pg_sys::Datum>; 2] {
    [lock.0.into_datum(), lock.1.into_datum()]
}
