//! What has become of each ticket, given what has happened so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use super::figures::Figures;
use crate::life::money::line_cents;
use crate::life::{Decision, Event, Life, Ticket, TicketKey, What};

/// What a ticket is by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It counts.
    Accepted,
    /// It waits for a person.
    Held,
    /// A person let it count.
    Released,
    /// It does not count.
    Voided,
}

/// A ticket that a store has.
#[derive(Clone, Debug)]
pub struct Booked {
    /// As it was printed.
    pub ticket: Arc<Ticket>,
    /// What it is by now.
    pub state: State,
    /// Whether its day was closed when it came.
    pub is_late: bool,
}

/// What is true after some events. They are taken in the order of their store; a store may be
/// ahead of another.
#[derive(Clone, Debug)]
pub struct Truth<'l> {
    life: &'l Life,
    booked: BTreeMap<TicketKey, Booked>,
    /// Of each terminal the last ticket that came.
    last: BTreeMap<(usize, usize), TicketKey>,
    closed: BTreeSet<(usize, NaiveDate)>,
}

impl<'l> Truth<'l> {
    /// Nothing has happened.
    pub fn new(life: &'l Life) -> Self {
        Self { life, booked: BTreeMap::new(), last: BTreeMap::new(), closed: BTreeSet::new() }
    }

    /// What is true once these have happened.
    pub fn of<'e>(life: &'l Life, events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut truth = Self::new(life);
        events.into_iter().for_each(|event| truth.take(event));
        truth
    }

    /// Something happens.
    pub fn take(&mut self, event: &Event) {
        match &event.what {
            What::File(file) => self.book(&file.ticket),
            What::Decision(key, decision) => self.decide(key, *decision),
            What::Close(date) => {
                self.closed.insert((event.store, *date));
            }
        }
    }

    /// All tickets that came.
    pub fn booked(&self) -> impl Iterator<Item = &Booked> {
        self.booked.values()
    }

    /// One of them.
    pub fn find(&self, key: &TicketKey) -> Option<&Booked> {
        self.booked.get(key)
    }

    /// Whether a business day of a store is closed.
    pub fn is_closed(&self, store: usize, date: NaiveDate) -> bool {
        self.closed.contains(&(store, date))
    }

    /// The figures of the whole chain.
    pub fn figures(&self) -> Figures {
        self.figures_of(|_| true)
    }

    /// The figures of some stores.
    pub fn figures_of(&self, is_asked_for: impl Fn(usize) -> bool) -> Figures {
        let mut figures = Figures::default();
        let asked = self.booked.values().filter(|booked| is_asked_for(booked.ticket.store));
        asked.for_each(|booked| figures.add_ticket(self.life, booked));
        for (key, bucket) in &mut figures.bucket {
            let store = usize::try_from(key.node_id - 1).unwrap_or_default();
            bucket.is_closed = self.is_closed(store, key.date);
        }
        figures.round_items();
        figures
    }

    fn book(&mut self, ticket: &Arc<Ticket>) {
        let key = ticket.key();
        if self.booked.contains_key(&key) {
            return;
        }
        let is_held = is_off(ticket);
        let mut state = if is_held { State::Held } else { State::Accepted };
        // All is taken back, and right before came the opposite: neither counts.
        let all_back = ticket.lines.iter().all(|line| line.quantity < 0);
        let before = self.last.insert((ticket.store, ticket.terminal), key.clone());
        if let Some(twin) = before.and_then(|before| self.booked.get_mut(&before))
            && all_back
            && !is_held
            && ticket.is_opposite_of(&twin.ticket)
        {
            twin.state = State::Voided;
            state = State::Voided;
        }
        let is_late = self.closed.contains(&(ticket.store, ticket.business_date));
        self.booked.insert(key, Booked { ticket: Arc::clone(ticket), state, is_late });
    }

    /// Nothing undoes a void, and only what is held is released.
    fn decide(&mut self, key: &TicketKey, decision: Decision) {
        let Some(booked) = self.booked.get_mut(key) else { return };
        booked.state = match (booked.state, decision) {
            (State::Voided, _) | (_, Decision::Void) => State::Voided,
            (State::Held, Decision::Release) => State::Released,
            (state, Decision::Release) => state,
        };
    }
}

/// Whether the printed total is off by more than a cent for each line that had to be rounded.
fn is_off(ticket: &Ticket) -> bool {
    let total: i64 = ticket.lines.iter().map(|line| line_cents(line.price, line.quantity)).sum();
    let rounded = |line: &&crate::life::Line| line.quantity % 1000 != 0;
    let allowed = ticket.lines.iter().filter(rounded).count() as u64;
    (ticket.total - total).unsigned_abs() > allowed
}
