//! What the decision about a receipt depends on.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::dat::Profile;
use crate::day::{self, ClockWindow, Printed, StoreDay};
use crate::document_id::ReceiptKey;
use crate::receipt::{IdMap, Receipt, Stamp};

/// A terminal, its store, and the rules that hold there.
#[derive(Debug)]
pub struct TerminalContext<'a> {
    /// The store's node.
    pub node_id: i32,
    /// The terminal whose inbox it is.
    pub terminal: &'a str,
    /// The department of that terminal.
    pub department: &'a str,
    /// The store's day.
    pub store: StoreDay,
    /// The zone of the terminal's clock, when it is not the store's.
    pub terminal_zone: Option<Tz>,
    /// How far the terminal's clock may be off.
    pub window: ClockWindow,
    /// A day that ended longer ago is closed, whether somebody closed it or not; none where
    /// somebody must.
    pub late_after: Option<Duration>,
    /// Days that were closed by somebody.
    pub closed: &'a [NaiveDate],
    /// The layout of its `.dat` files.
    pub profile: &'a Profile,
    /// What stands in a file's name for blanks and slashes of its numbers.
    pub id_map: &'a IdMap,
    /// When the files arrived.
    pub arrival: DateTime<Utc>,
}

impl TerminalContext<'_> {
    /// When a receipt was printed, on the store's clock. `printed` is the time as the terminal
    /// wrote it.
    pub fn printed(&self, printed: Stamp, number: &str, previous: Option<&day::PreviousTime>) -> Printed {
        let clock = StoreDay { zone: self.terminal_zone.unwrap_or(self.store.zone), ..self.store };
        let printed = clock.printed(printed.local, printed.offset, number, previous);
        Printed { local: printed.instant.with_timezone(&self.store.zone).naive_local(), ..printed }
    }

    /// Which receipt it is.
    pub fn key(&self, receipt: &Receipt) -> ReceiptKey {
        receipt_key(self.node_id, self.terminal, receipt)
    }

    /// The day on the store's calendar on which a file that arrives now is published.
    pub fn published_on(&self) -> NaiveDate {
        self.store.calendar_day(self.arrival)
    }

    /// Whether a business day is over, so that a customer of that day is no longer at the checkout.
    pub fn is_closed(&self, date: NaiveDate) -> bool {
        let ended_long_ago = self.late_after.is_some_and(|after| self.store.date_of(self.arrival - after) > date);
        ended_long_ago || self.closed.contains(&date)
    }
}

/// Which receipt it is, if its date can be meant. Its canonical form alone says that: the same file
/// is always the same receipt.
pub fn receipt_key(node_id: i32, terminal: &str, receipt: &Receipt) -> ReceiptKey {
    ReceiptKey {
        node_id,
        terminal: terminal.to_owned(),
        printed_date: receipt.timestamp.local.date(),
        series: receipt.series.clone(),
        number: receipt.receipt_id.clone(),
    }
}
