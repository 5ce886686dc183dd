//! A ticket, and what becomes of it.

use chrono::{NaiveDate, NaiveDateTime};

/// One line. Amounts in cents, quantities in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Place in the catalog's list of products.
    pub product: u32,
    /// The code as it is printed.
    pub code: String,
    /// Of a piece or a kilogram, with tax.
    pub price: i64,
    /// Below zero for what is taken back.
    pub quantity: i64,
    /// What is printed, in hundredths of a percent.
    pub rate: Option<i64>,
}

/// What a person decides about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is right.
    Release,
    /// It shall not count.
    Void,
}

/// What becomes of a ticket that is not lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It counts.
    Counts,
    /// The next ticket of its terminal undoes it.
    Undone,
    /// It undoes the one before.
    Undoes,
    /// It is held until somebody decides, at an instant.
    Held(Option<(Decision, i64)>),
    /// It counts until a person voids it, at an instant.
    Voided(i64),
}

/// A ticket. Instants are seconds since 1970.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Place of the store.
    pub store: usize,
    /// Place of the terminal in its store.
    pub terminal: usize,
    /// As printed.
    pub number: String,
    /// The day it counts for.
    pub business_date: NaiveDate,
    /// What the store's wall clock showed.
    pub printed: NaiveDateTime,
    /// The instant of that.
    pub printed_at: i64,
    /// At least one.
    pub lines: Vec<Line>,
    /// As printed, in cents.
    pub total: i64,
    /// When its file is there.
    pub arrives_at: i64,
    /// When the same file is there once more.
    pub again_at: Option<i64>,
    /// What becomes of it.
    pub fate: Fate,
}

/// Which ticket it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketKey {
    /// Place of the store.
    pub store: usize,
    /// Place of the terminal in its store.
    pub terminal: usize,
    /// The printed date.
    pub printed_on: NaiveDate,
    /// As printed.
    pub number: String,
}

impl Ticket {
    /// Which one it is.
    pub fn key(&self) -> TicketKey {
        TicketKey {
            store: self.store,
            terminal: self.terminal,
            printed_on: self.printed.date(),
            number: self.number.clone(),
        }
    }

    /// Whether it has the same lines as another one, in any order, with quantities of the other
    /// sign.
    pub fn is_opposite_of(&self, other: &Self) -> bool {
        if self.lines.len() != other.lines.len() || self.total != -other.total {
            return false;
        }
        let sorted = |ticket: &'_ Self, sign: i64| {
            let mut lines: Vec<_> =
                ticket.lines.iter().map(|line| (line.code.clone(), line.price, line.quantity * sign)).collect();
            lines.sort_unstable();
            lines
        };
        sorted(self, 1) == sorted(other, -1)
    }
}
