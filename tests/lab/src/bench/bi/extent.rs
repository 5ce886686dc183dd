//! How large the chain is.

use chrono::NaiveDate;

use crate::life::{Life, Plan};

const LINES: u64 = 10_000_000;
const QUICK_LINES: u64 = 300_000;
const STORES: usize = 30;
const QUICK_STORES: usize = 6;
/// June 2026 and the twelve months before: the questions of the document ask for June.
const DAYS: u32 = 395;
const SEED: u64 = 20_260_630;

/// Tickets of a day by which the size of a life is found.
const PROBE: u32 = 400;

/// A life of about so many lines.
pub fn life(lines: Option<u64>, quick: bool) -> Life {
    let lines = lines.unwrap_or(if quick { QUICK_LINES } else { LINES });
    let stores = if quick { QUICK_STORES } else { STORES };
    let first_day = NaiveDate::from_ymd_opt(2025, 6, 1).unwrap_or_default();
    let plan = |tickets| Plan::usual(first_day, DAYS, stores, tickets);
    let probe = Life::new(SEED, &plan(PROBE));
    // One day of each store tells how many lines a ticket has.
    let (mut tickets, mut of_tickets) = (0, 0);
    for store in 0..stores {
        for ticket in probe.day(store, 17) {
            tickets += 1;
            of_tickets += ticket.lines.len() as u64;
        }
    }
    let expected = probe.tickets_in_all() * of_tickets / tickets.max(1);
    let wanted = (u64::from(PROBE) * lines).div_ceil(expected.max(1));
    Life::new(SEED, &plan(u32::try_from(wanted).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_has_about_as_many_lines_as_were_asked_for() {
        let life = life(Some(400_000), true);
        let days = (0..life.plan.days).step_by(13);
        let lines: usize = days.clone().flat_map(|day| life.day(1, day)).map(|ticket| ticket.lines.len()).sum();
        let size = life.stores[1].size as f64 / life.stores.iter().map(|store| store.size as f64).sum::<f64>();
        let all = lines as f64 * f64::from(life.plan.days) / days.count() as f64 / size;
        assert!((350_000.0..500_000.0).contains(&all), "{all}");
    }
}
