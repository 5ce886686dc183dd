//! Tickets as rows of `sales.receipt` and `sales.receipt_line`, in the text format of COPY. Names of
//! goods have neither tabs nor backslashes.

use std::fmt::Write;

use uuid::Uuid;

use crate::life::{Code, Decision, Fate, Life, Ticket, cents_text, line_cents, milli_text, rate_text};

/// Rows that are not sent yet.
#[derive(Debug, Default)]
pub struct Rows {
    pub receipts: String,
    pub lines: String,
}

impl Rows {
    /// Adds a ticket as it is once everything has happened.
    pub fn add(&mut self, life: &Life, ticket: &Ticket) {
        let store = &life.stores[ticket.store];
        let terminal = &store.terminals[ticket.terminal];
        let (node, date, id) = (store.node_id, ticket.business_date, id(ticket));
        let lines_total: i64 = ticket.lines.iter().map(|line| line_cents(line.price, line.quantity)).sum();
        let instant =
            |seconds| chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%d %H:%M:%S+00");
        let (state, hold) = state(ticket.fate);
        let (outcome, hold) = match hold {
            true => ("held", "TOTAL_MISMATCH\t/total\tthe printed total is not the sum of the lines"),
            false => ("accepted", "\\N\t\\N\t\\N"),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(
            self.receipts,
            "{node}\t{id}\t{date}\t{}\t{}\t\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{state}\t{outcome}\t{hold}\t{{{}}}",
            terminal.code,
            life.departments[terminal.department].code,
            ticket.number,
            life.printed_text(ticket),
            ticket.printed.format("%Y-%m-%d %H:%M:%S"),
            instant(ticket.printed_at),
            instant(ticket.arrives_at),
            ticket.lines.len(),
            cents_text(ticket.total),
            cents_text(lines_total),
            cents_text(ticket.total - lines_total),
            flags(life, ticket, lines_total),
        );
        for (number, line) in (1..).zip(&ticket.lines) {
            let product = &life.catalog.products[line.product as usize];
            let _ = write!(self.lines, "{node}\t{id}\t{number}\t{date}\t{}\t", line.code);
            let _ = match product.code {
                Code::Local(_) => self.lines.write_str("\\N"),
                _ => write!(self.lines, "{:0>14}", line.code),
            };
            let rate = line.rate.map_or_else(|| "\\N".to_owned(), rate_text);
            let _ = writeln!(
                self.lines,
                "\t{}\t{}\t{}\t{rate}\t{}",
                product.description,
                cents_text(line.price),
                milli_text(line.quantity),
                cents_text(line_cents(line.price, line.quantity)),
            );
        }
    }
}

/// Whether its amounts are sales.
pub fn counts(ticket: &Ticket) -> bool {
    matches!(state(ticket.fate).0, "accepted" | "released")
}

/// What has become of it, and whether it was held.
fn state(fate: Fate) -> (&'static str, bool) {
    match fate {
        Fate::Counts => ("accepted", false),
        Fate::Undone | Fate::Undoes | Fate::Voided(_) => ("voided", false),
        Fate::Held(None) => ("held", true),
        Fate::Held(Some((Decision::Release, _))) => ("released", true),
        Fate::Held(Some((Decision::Void, _))) => ("voided", true),
    }
}

fn flags(life: &Life, ticket: &Ticket, lines_total: i64) -> String {
    let held = matches!(ticket.fate, Fate::Held(_));
    let flags = [
        ("LATE", life.is_late(ticket)),
        ("ROUNDING", !held && ticket.total != lines_total),
        ("ZERO_PRICE", ticket.lines.iter().any(|line| line.price == 0)),
    ];
    flags.into_iter().filter(|(_, holds)| *holds).map(|(flag, _)| flag).collect::<Vec<_>>().join(",")
}

/// An id that begins with the time of print, as those of documents do, and is the same each time.
fn id(ticket: &Ticket) -> Uuid {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let own = [ticket.store as u64, ticket.terminal as u64].into_iter().flat_map(u64::to_le_bytes);
    for byte in own.chain(ticket.number.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let time = (ticket.printed_at as u64 * 1000) << 16;
    Uuid::from_u64_pair(time | 0x8000 | (hash >> 52), 0x8000_0000_0000_0000 | (hash & 0x3fff_ffff_ffff_ffff))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::NaiveDate;

    use super::*;
    use crate::life::Plan;
    use crate::life::truth::{State, Truth};

    #[test]
    fn rows_say_what_is_true_in_the_end() {
        let life = Life::new(4, &Plan::small(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()));
        let truth = Truth::of(&life, &life.events());
        let mut ids = HashSet::new();
        for booked in truth.booked() {
            let mut rows = Rows::default();
            rows.add(&life, &booked.ticket);
            assert!(ids.insert(id(&booked.ticket)));
            let columns: Vec<&str> = rows.receipts.trim_end().split('\t').collect();
            assert_eq!(columns.len(), 21);
            assert_eq!(columns[15], format!("{:?}", booked.state).to_lowercase());
            assert_eq!(columns[20].contains("LATE"), booked.is_late);
            assert_eq!(counts(&booked.ticket), matches!(booked.state, State::Accepted | State::Released));
            assert_eq!(rows.lines.lines().count(), booked.ticket.lines.len());
            assert!(rows.lines.lines().all(|line| line.split('\t').count() == 11));
        }
    }
}
