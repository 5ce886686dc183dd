//! What a session remembers of a store: its time zone and cut-off hour. They cannot change once the
//! store has documents.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;

use chrono_tz::Tz;
use pgrx::{PgXactCallbackEvent, pg_sys, register_xact_callback};
use tpv_core::day::StoreDay;

use crate::postgres::{DataFault, sql};

thread_local! {
    static DAYS: RefCell<HashMap<i32, StoreDay>> = RefCell::new(HashMap::new());
}

/// Of a store that was deleted, too: its receipts keep their dates.
const DAY: &str =
    "select timezone, cutoff_hour::integer from org.store where node_id = $1 order by deleted, store_id desc limit 1";

/// When the days of a node's store begin.
///
/// # Errors
/// `UNKNOWN_STORE`: the node has no store that is known here; and those of [`store_day`].
pub fn day_of(node_id: i32) -> Result<StoreDay, DataFault> {
    if let Some(day) = DAYS.with_borrow(|days| days.get(&node_id).copied()) {
        return Ok(day);
    }
    let unknown = || DataFault::new("UNKNOWN_STORE", "the store of the receipt is not known on this node");
    let columns = |row: &sql::Row<'_>| (row.must::<String>(1), row.must(2));
    let (timezone, cutoff_hour) = sql::row(DAY, &[node_id.into()], columns).ok_or_else(unknown)?;
    let day = store_day(&timezone, cutoff_hour)?;
    DAYS.with_borrow_mut(|days| days.insert(node_id, day));
    // Perhaps this very transaction registers the store, and is rolled back.
    register_xact_callback(PgXactCallbackEvent::Abort, || DAYS.with_borrow_mut(HashMap::clear));
    Ok(day)
}

/// Whoever asks may have operators of their own in the way.
const HERE: &str = "select s.timezone from sync.this_node n join org.store s on s.node_id operator(pg_catalog.=) n.node_id \
                    order by s.deleted, s.store_id desc limit 1";

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
    let table = |schema: &CStr, table: &CStr| {
        // SAFETY: looks names up in the catalogs, and finds nothing where they are not.
        let found = unsafe {
            let schema = pg_sys::get_namespace_oid(schema.as_ptr(), true);
            if schema == pg_sys::InvalidOid {
                return None;
            }
            pg_sys::get_relname_relid(table.as_ptr(), schema)
        };
        (found != pg_sys::InvalidOid).then_some(found)
    };
    let (Some(_), Some(stores)) = (table(c"sync", c"this_node"), table(c"org", c"store")) else { return None };
    let zone = as_owner_of(stores, || sql::row(HERE, &[], |row| row.must::<String>(1)))?.parse().ok()?;
    HERE_ZONE.set(Some(zone));
    // Perhaps this very transaction registers the store, and is rolled back.
    register_xact_callback(PgXactCallbackEvent::Abort, || HERE_ZONE.set(None));
    Some(zone)
}

/// Runs one statement of our own as the owner of a table, whose rights are no more than needed.
fn as_owner_of<T>(table: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: an error in between ends the (sub)transaction, which gives the session its user back.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
        let owner = (*(*relation).rd_rel).relowner;
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let local =
            context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32 | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
        pg_sys::SetUserIdAndSecContext(owner, local);
        let done = work();
        pg_sys::SetUserIdAndSecContext(user, context);
        done
    }
}

/// A store's day from its columns.
///
/// # Errors
/// `UNKNOWN_ZONE`: another version, or somebody with bad intentions, wrote what this one cannot
/// read.
pub fn store_day(timezone: &str, cutoff_hour: i32) -> Result<StoreDay, DataFault> {
    let unknown = || DataFault::new("UNKNOWN_ZONE", "this version of tpv does not know the time zone of the store");
    let zone: Tz = timezone.parse().map_err(|_| unknown())?;
    Ok(StoreDay { zone, cutoff_hour: u8::try_from(cutoff_hour).map_err(|_| unknown())? })
}
