//! What a session remembers of a store: its time zone and cut-off hour. They cannot change once the
//! store has documents.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;

use chrono_tz::Tz;
use pgrx::{PgXactCallbackEvent, pg_sys, register_xact_callback};
use tpv_core::day::StoreDay;

use crate::postgres::sql;

thread_local! {
    static DAYS: RefCell<HashMap<i32, StoreDay>> = RefCell::new(HashMap::new());
}

const DAY: &str = "select timezone, cutoff_hour::integer from org.store where node_id = $1";

/// When the days of a node's store begin; none when the node has no store that is known here.
pub fn day_of(node_id: i32) -> Option<StoreDay> {
    if let Some(day) = DAYS.with_borrow(|days| days.get(&node_id).copied()) {
        return Some(day);
    }
    let day = sql::row(DAY, &[node_id.into()], |row| store_day(row.must(1), row.must(2)))?;
    DAYS.with_borrow_mut(|days| days.insert(node_id, day));
    // Perhaps this very transaction registers the store, and is rolled back.
    register_xact_callback(PgXactCallbackEvent::Abort, || DAYS.with_borrow_mut(HashMap::clear));
    Some(day)
}

const HERE: &str = "select s.timezone from sync.this_node n join org.store s on s.node_id = n.node_id";

thread_local! {
    static HERE_ZONE: Cell<Option<Tz>> = const { Cell::new(None) };
}

/// The zone of the store that this database is, for whoever asks: it is not secret, and what a
/// receipt is must not depend on who reads it. None in a database that is no store, or has none of
/// our tables.
pub fn zone_here() -> Option<Tz> {
    if let Some(zone) = HERE_ZONE.get() {
        return Some(zone);
    }
    let exists = |schema: &CStr, table: &CStr| {
        // SAFETY: looks names up in the catalogs, and finds nothing where they are not.
        unsafe {
            let schema = pg_sys::get_namespace_oid(schema.as_ptr(), true);
            schema != pg_sys::InvalidOid && pg_sys::get_relname_relid(table.as_ptr(), schema) != pg_sys::InvalidOid
        }
    };
    if !exists(c"sync", c"this_node") || !exists(c"org", c"store") {
        return None;
    }
    let zone = as_superuser(|| sql::row(HERE, &[], |row| row.must::<String>(1)))?.parse().ok()?;
    HERE_ZONE.set(Some(zone));
    // Perhaps this very transaction registers the store, and is rolled back.
    register_xact_callback(PgXactCallbackEvent::Abort, || HERE_ZONE.set(None));
    Some(zone)
}

/// Runs one statement of our own as the superuser who owns the database cluster.
fn as_superuser<T>(work: impl FnOnce() -> T) -> T {
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: an error in between ends the (sub)transaction, which gives the session its user back.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let local =
            context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32 | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
        pg_sys::SetUserIdAndSecContext(pg_sys::BOOTSTRAP_SUPERUSERID.into(), local);
        let done = work();
        pg_sys::SetUserIdAndSecContext(user, context);
        done
    }
}

/// A store's day from its columns.
pub fn store_day(timezone: String, cutoff_hour: i32) -> StoreDay {
    let zone: Tz = timezone.parse().unwrap_or_else(|_| sql::broken("a store has an unknown time zone"));
    StoreDay {
        zone,
        cutoff_hour: u8::try_from(cutoff_hour)
            .unwrap_or_else(|_| sql::broken("the cut-off hour of a store is no hour")),
    }
}
