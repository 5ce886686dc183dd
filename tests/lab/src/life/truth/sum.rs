//! From tickets to figures.

use std::collections::BTreeMap;

use chrono::Timelike;

use super::figures::{Amounts, BucketKey, Figures, ItemSeen};
use super::ledger::{Booked, State};
use crate::life::money::{line_cents, net_cents};
use crate::life::{Life, Line, Ticket};

/// Who says the rate of a line, in the order in which a receipt is rounded.
const SOURCES: [&str; 4] = ["receipt", "product", "department", "unknown"];

/// The lines of a ticket of one rate and source.
#[derive(Clone, Debug, Default)]
struct Part {
    lines: i64,
    gross: i64,
    net: i64,
    tax: i64,
}

/// A ticket by rate and by place in [`SOURCES`].
type Parts = BTreeMap<(Option<i64>, usize), Part>;

impl Figures {
    /// Adds what a ticket is worth in its present state.
    pub(super) fn add_ticket(&mut self, life: &Life, booked: &Booked) {
        let ticket = &*booked.ticket;
        let store = &life.stores[ticket.store];
        let terminal = &store.terminals[ticket.terminal];
        let department = life.departments[terminal.department].code;
        let key = BucketKey { node_id: store.node_id, date: ticket.business_date, department };
        let rates: Vec<_> = ticket.lines.iter().map(|line| rate_of(life, ticket, line)).collect();
        let lines = ticket.lines.len() as i64;

        let bucket = self.bucket.entry(key.clone()).or_default();
        bucket.receipts += 1;
        bucket.lines += lines;
        bucket.guessed_lines += rates.iter().filter(|(_, source)| *source != 0).count() as i64;
        self.see_items(life, ticket, &key);
        let parts = parts(ticket, &rates);
        let amounts = amounts(&parts);
        self.add_terminal(booked, &key, &terminal.code, amounts);
        let hour = ticket.printed.hour();
        if booked.state == State::Voided {
            self.sales_hour.entry((key, hour)).or_default().voided += 1;
            return;
        }
        if !booked.counts() {
            return;
        }
        let sales = self.sales_hour.entry((key.clone(), hour)).or_default();
        sales.tickets += 1;
        sales.lines += lines;
        sales.units += ticket.lines.iter().map(pieces).sum::<i64>();
        sales.amounts += amounts;
        sales.guessed_tax +=
            parts.iter().filter(|((_, source), _)| *source != 0).map(|(_, part)| part.tax).sum::<i64>();
        for ((rate, source), part) in parts {
            let tax = self.tax_day.entry((key.clone(), rate, SOURCES[source])).or_default();
            tax.receipts += 1;
            tax.lines += part.lines;
            tax.gross += part.gross;
            tax.net += part.net;
            tax.tax += part.tax;
        }
        for (line, (rate, _)) in ticket.lines.iter().zip(rates) {
            let item = life.catalog.products[line.product as usize].item(department);
            let item = self.item_day.entry((key.clone(), item)).or_default();
            item.lines += 1;
            item.sold += line.quantity.max(0);
            item.returned += (-line.quantity).max(0);
            *item.gross_by_rate.entry(rate).or_default() += line_cents(line.price, line.quantity);
        }
    }

    fn add_terminal(&mut self, booked: &Booked, key: &BucketKey, terminal: &str, amounts: Amounts) {
        let day = self.terminal_day.entry((key.clone(), terminal.to_owned())).or_default();
        day.late += i64::from(booked.is_late);
        match booked.state {
            State::Accepted => day.accepted += 1,
            State::Released => day.released += 1,
            State::Held => {
                day.held += 1;
                day.held_total += booked.ticket.total;
            }
            State::Voided => {
                day.voided += 1;
                day.voided_total += booked.ticket.total;
            }
        }
        if booked.counts() {
            day.lines += booked.ticket.lines.len() as i64;
            day.amounts += amounts;
        }
    }

    /// Items were on a ticket, whatever it is worth.
    fn see_items(&mut self, life: &Life, ticket: &Ticket, key: &BucketKey) {
        for line in &ticket.lines {
            let product = &life.catalog.products[line.product as usize];
            let seen =
                self.item.entry((key.node_id, key.department, product.item(key.department))).or_insert_with(|| {
                    ItemSeen { description: product.description.to_string(), first_on: key.date, last_on: key.date }
                });
            seen.first_on = seen.first_on.min(key.date);
            seen.last_on = seen.last_on.max(key.date);
        }
    }
}

impl Booked {
    /// Whether its amounts are sales.
    pub fn counts(&self) -> bool {
        matches!(self.state, State::Accepted | State::Released)
    }
}

/// The rate of a line, and the place in [`SOURCES`] of who says it.
fn rate_of(life: &Life, ticket: &Ticket, line: &Line) -> (Option<i64>, usize) {
    if line.rate.is_some() {
        return (line.rate, 0);
    }
    let terminal = &life.stores[ticket.store].terminals[ticket.terminal];
    let product = &life.catalog.products[line.product as usize];
    let on_day = |tax: Option<usize>| life.catalog.rate_on(tax?, ticket.business_date);
    let of_product = on_day(product.tax.filter(|_| product.is_listed));
    let of_department = on_day(life.departments[terminal.department].tax);
    match (of_product, of_department) {
        (Some(rate), _) => (Some(rate), 1),
        (None, Some(rate)) => (Some(rate), 2),
        (None, None) => (None, 3),
    }
}

/// A ticket is rounded once for each rate. Where several say it, the first is rounded by itself,
/// and the next has what is missing to the sum of both.
fn parts(ticket: &Ticket, rates: &[(Option<i64>, usize)]) -> Parts {
    let mut parts = Parts::new();
    for (line, rate) in ticket.lines.iter().zip(rates) {
        let part = parts.entry(*rate).or_default();
        part.lines += 1;
        part.gross += line_cents(line.price, line.quantity);
    }
    let mut so_far: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for ((rate, _), part) in &mut parts {
        let Some(rate) = *rate else { continue };
        let (gross, net) = so_far.entry(rate).or_default();
        *gross += part.gross;
        part.net = net_cents(*gross, rate) - *net;
        *net += part.net;
        part.tax = part.gross - part.net;
    }
    parts
}

fn amounts(parts: &Parts) -> Amounts {
    let mut all = Amounts::default();
    for ((rate, _), Part { gross, net, tax, .. }) in parts {
        let without_rate = if rate.is_none() { *gross } else { 0 };
        all += Amounts { gross: *gross, net: *net, tax: *tax, without_rate };
    }
    all
}

/// What is weighed is one, with the sign of its quantity.
fn pieces(line: &Line) -> i64 {
    if line.quantity % 1000 == 0 { line.quantity / 1000 } else { line.quantity.signum() }
}
