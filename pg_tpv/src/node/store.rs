//! What a session remembers of a store: its time zone and cut-off hour. They cannot change once the
//! store has documents.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono_tz::Tz;
use pgrx::{PgXactCallbackEvent, register_xact_callback};
use tpv_core::day::StoreDay;
use tpv_core::document_id::ReceiptKey;
use tpv_core::intake::receipt_key;
use tpv_core::json;
use tpv_core::receipt::{Declaration, Receipt};

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

/// A store's day from its columns.
pub fn store_day(timezone: String, cutoff_hour: i32) -> StoreDay {
    let zone: Tz = timezone.parse().unwrap_or_else(|_| sql::broken("a store has an unknown time zone"));
    StoreDay {
        zone,
        cutoff_hour: u8::try_from(cutoff_hour)
            .unwrap_or_else(|_| sql::broken("the cut-off hour of a store is no hour")),
    }
}

/// How the times that a terminal prints are read.
pub struct TerminalClock {
    store: StoreDay,
    terminal_zone: Option<Tz>,
}

const DECLARES: &str = "select declares::text from org.terminal where node_id = $1 and code = $2";

/// The clock of a terminal; none when its store is not known here.
pub fn clock_of(node_id: i32, terminal: &str) -> Option<TerminalClock> {
    let store = day_of(node_id)?;
    let declares = sql::row(DECLARES, &[node_id.into(), terminal.into()], |row| row.must::<String>(1));
    let declared = declares.and_then(|text| json::read(&text, 16).ok()).and_then(|it| Declaration::from_json(&it).ok());
    Some(TerminalClock { store, terminal_zone: declared.and_then(|terminal| terminal.timezone) })
}

impl TerminalClock {
    /// Which receipt it is.
    pub fn key(&self, node_id: i32, terminal: &str, receipt: &Receipt) -> ReceiptKey {
        receipt_key(node_id, terminal, self.store, self.terminal_zone, receipt)
    }
}
