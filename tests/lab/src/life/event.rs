//! Everything that happens in a chain, in order of time.

use std::sync::Arc;

use chrono::NaiveDate;

use super::chain::Life;
use super::ticket::{Decision, Fate, Ticket, TicketKey};

/// Something happens in a store.
#[derive(Clone, Debug)]
pub struct Event {
    /// Seconds since 1970.
    pub at: i64,
    /// Place of the store.
    pub store: usize,
    /// What happens there.
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
    /// A file is in the inbox of its terminal.
    File(File),
    /// A person decides about a ticket.
    Decision(TicketKey, Decision),
    /// A person closes a business day.
    Close(NaiveDate),
}

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    /// What is in it.
    pub ticket: Arc<Ticket>,
    /// The day on the store's calendar on which it comes.
    pub on: NaiveDate,
    /// Its name, which no other file of the store has.
    pub name: String,
    /// As the terminal wrote it.
    pub bytes: Arc<Vec<u8>>,
    /// Whether the same file came before.
    pub is_repeat: bool,
}

impl Life {
    /// All of it. Ties are in the order in which tickets are printed; a day is closed after the
    /// files that come in the same second.
    pub fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> = (0..self.stores.len()).flat_map(|store| self.events_of(store)).collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// What happens in one store.
    pub fn events_of(&self, store: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for day in 0..self.plan.days {
            for ticket in self.day(store, day) {
                self.add(ticket, &mut events);
            }
        }
        for day in 0..self.plan.days {
            let close = |at| Event { at, store, what: What::Close(self.plan.day(day)) };
            events.extend(self.closes_at(store, day).map(close));
        }
        events.sort_by_key(|event| event.at);
        events
    }

    fn add(&self, ticket: Ticket, events: &mut Vec<Event>) {
        let (store, at, again_at) = (ticket.store, ticket.arrives_at, ticket.again_at);
        let bytes = Arc::new(self.bytes(&ticket));
        let key = ticket.key();
        let ticket = Arc::new(ticket);
        let file = |at: i64, is_repeat| {
            let on = self.stores[store].zone.wall(at).date();
            let name = self.file_name(&ticket, is_repeat);
            let file = File { ticket: Arc::clone(&ticket), on, name, bytes: Arc::clone(&bytes), is_repeat };
            Event { at, store, what: What::File(file) }
        };
        events.push(file(at, false));
        events.extend(again_at.map(|at| file(at, true)));
        let decided = match ticket.fate {
            Fate::Held(Some((decision, at))) => Some((decision, at)),
            Fate::Voided(at) => Some((Decision::Void, at)),
            Fate::Counts | Fate::Undone | Fate::Undoes | Fate::Held(None) => None,
        };
        events.extend(decided.map(|(decision, at)| Event { at, store, what: What::Decision(key, decision) }));
    }

    fn file_name(&self, ticket: &Ticket, is_repeat: bool) -> String {
        let terminal = &self.stores[ticket.store].terminals[ticket.terminal].code;
        let again = if is_repeat { "-again" } else { "" };
        format!("{terminal}-{}-{}{again}.json", ticket.printed.format("%Y%m%d"), ticket.number)
    }
}
