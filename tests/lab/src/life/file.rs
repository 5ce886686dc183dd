//! The bytes that a terminal writes.

use std::fmt::Write;

use super::chain::Life;
use super::money::{cents_text, short};
use super::place::Stamps;
use super::ticket::Ticket;

impl Life {
    /// The file of a ticket, as its terminal writes it.
    pub fn bytes(&self, ticket: &Ticket) -> Vec<u8> {
        let store = &self.stores[ticket.store];
        let terminal = &store.terminals[ticket.terminal];
        let department = self.departments[terminal.department].code;
        let mut text = String::with_capacity(160 + ticket.lines.len() * 90);
        let (number, code) = (&ticket.number, &terminal.code);
        // Writing to a text cannot fail.
        let _ =
            write!(text, r#"{{"receiptId":"{number}","terminalId":"{code}","departmentCode":"{department}","items":["#);
        for (place, line) in ticket.lines.iter().enumerate() {
            let description = &self.catalog.products[line.product as usize].description;
            let comma = if place == 0 { "" } else { "," };
            let (price, quantity) = (cents_text(line.price), short(line.quantity, 3));
            let _ = write!(
                text,
                r#"{comma}{{"barcode":"{}","description":"{description}","price":{price},"quantity":{quantity}"#,
                line.code
            );
            if let Some(rate) = line.rate {
                let _ = write!(text, r#","taxRate":{}"#, short(rate, 2));
            }
            text.push('}');
        }
        let _ = write!(text, r#"],"total":{},"timestamp":"{}"}}"#, cents_text(ticket.total), self.stamp(ticket));
        text.into_bytes()
    }

    fn stamp(&self, ticket: &Ticket) -> String {
        let store = &self.stores[ticket.store];
        let utc = || chrono::DateTime::from_timestamp(ticket.printed_at, 0).unwrap_or_default();
        match store.terminals[ticket.terminal].stamps {
            Stamps::Utc => utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Stamps::Local => ticket.printed.format("%Y-%m-%dT%H:%M:%S").to_string(),
            Stamps::Offset => self.printed_text(ticket),
        }
    }

    /// The printed time in its one form: the store's wall clock with its offset.
    pub fn printed_text(&self, ticket: &Ticket) -> String {
        let hours = self.stores[ticket.store].zone.offset_hours(ticket.printed);
        format!("{}+{hours:02}:00", ticket.printed.format("%Y-%m-%dT%H:%M:%S"))
    }
}
