//! What may not happen beside a merge: a change of the rules that it chooses by, and work of a person on several things.
//!
//! One advisory lock, taken before any row is. A merge shares it, from before it reads the rules until its commit. A change
//! of a policy, and a person who restores losers, have it alone: a merge that had read the old rule would otherwise leave
//! its choice where the change could not see it, and two who lock several rows, each in an order of its own, would deadlock.

use pgrx::{direct_function_call_as_datum, pg_sys};

/// The two numbers of the lock; migrations name them too.
const LOCK: (i32, i32) = (7_631_990, 1);

/// For a merge, until the transaction ends.
pub fn share() {
    // SAFETY: a built-in function of two integers; its answer is void.
    unsafe { direct_function_call_as_datum(pg_sys::pg_advisory_xact_lock_shared_int4, &arguments()) };
}

/// For what no merge may run beside, until the transaction ends.
pub fn alone() {
    // SAFETY: as above.
    unsafe { direct_function_call_as_datum(pg_sys::pg_advisory_xact_lock_int4, &arguments()) };
}

fn arguments() -> [Option<pg_sys::Datum>; 2] {
    [Some(LOCK.0.into()), Some(LOCK.1.into())]
}
