//! The tickets of a terminal's day.

use chrono::{Datelike, Duration, NaiveDateTime, Weekday};

use super::chain::Life;
use super::money::line_cents;
use super::place::Store;
use super::ticket::{Fate, Line, Ticket};
use crate::dice::Dice;

/// How many customers come in each hour from nine to nine, in a day of 102: before lunch and after
/// work.
const BUSY: [u64; 13] = [4, 6, 9, 11, 12, 7, 4, 4, 7, 10, 13, 11, 4];
/// The same from nine in the morning to two, where a store is open so long.
const BUSY_LATE: [u64; 17] = [4, 6, 9, 11, 12, 7, 4, 4, 7, 10, 13, 11, 6, 5, 4, 3, 2];
const OPENS: i64 = 9;

impl Life {
    /// The tickets of a terminal on a business day, as they are printed.
    pub fn tickets(&self, store: usize, terminal: usize, day: u32) -> Vec<Ticket> {
        let mut dice = self.dice(2, store, terminal, day);
        let (before, count) = self.numbers(store, terminal, day);
        let at = &self.stores[store];
        let times = self.times(at, day, count, &mut dice);
        let mut tickets: Vec<Ticket> = Vec::with_capacity(times.len());
        let mut was_lost = false;
        for (nth, printed) in (0_u32..).zip(times) {
            if dice.below(1000) < self.plan.chances.lost {
                was_lost = true;
                continue;
            }
            let can_be_undone =
                |twin: &&Ticket| twin.fate == Fate::Counts && twin.lines.iter().all(|line| line.quantity > 0);
            let twin = tickets.last().filter(|_| !was_lost).filter(can_be_undone);
            was_lost = false;
            let (lines, fate) = match twin {
                Some(twin) if dice.below(1000) < self.plan.chances.undone => (opposite(&twin.lines), Fate::Undoes),
                _ => (self.lines(&tickets, &at.terminals[terminal], day, &mut dice), Fate::Counts),
            };
            let mut ticket = self.ticket(store, terminal, day, before + nth, printed, lines);
            if fate == Fate::Undoes
                && let Some(twin) = tickets.last_mut()
            {
                ticket.total = -twin.total;
                ticket.fate = fate;
                twin.fate = Fate::Undone;
            }
            tickets.push(ticket);
        }
        self.settle(store, terminal, day, &mut tickets);
        tickets
    }

    /// Somebody buys, or brings something back; but never so that it looks like the opposite of a
    /// ticket of the same day, and never first thing in the morning.
    fn lines(&self, so_far: &[Ticket], at: &super::Terminal, day: u32, dice: &mut Dice) -> Vec<Line> {
        if dice.below(1000) < self.plan.chances.brought_back && !so_far.is_empty() {
            let back = self.brought_back(at, day, dice);
            let twins = |ticket: &Ticket| {
                ticket.lines.len() == back.len()
                    && ticket.lines.iter().all(|line| back.iter().any(|b| b.code == line.code))
            };
            if !so_far.iter().any(twins) {
                return back;
            }
        }
        self.basket(at, day, dice)
    }

    /// When tickets are printed, in order.
    fn times(&self, store: &Store, day: u32, count: u32, dice: &mut Dice) -> Vec<NaiveDateTime> {
        let date = self.plan.day(day);
        let is_late = store.is_open_late && matches!(date.weekday(), Weekday::Fri | Weekday::Sat);
        let busy: &[u64] = if is_late { &BUSY_LATE } else { &BUSY };
        let all: u64 = busy.iter().sum();
        let mut seconds: Vec<i64> = (0..count)
            .map(|_| {
                let mut place = dice.below(all);
                let hour = busy.iter().position(|share| match place.checked_sub(*share) {
                    Some(rest) => {
                        place = rest;
                        false
                    }
                    None => true,
                });
                (OPENS + hour.unwrap_or(0) as i64) * 3600 + dice.below(3600) as i64
            })
            .collect();
        seconds.sort_unstable();
        let midnight = date.and_time(chrono::NaiveTime::MIN);
        seconds.into_iter().map(|second| midnight + Duration::seconds(second)).collect()
    }

    fn ticket(
        &self,
        store: usize,
        terminal: usize,
        day: u32,
        nth: u32,
        printed: NaiveDateTime,
        lines: Vec<Line>,
    ) -> Ticket {
        let (at, till) = (&self.stores[store], &self.stores[store].terminals[terminal]);
        let printed_at = at.zone.instant(printed);
        let number = match till.has_four_digits {
            true => format!("{:04}", (till.first_number + nth) % 9999 + 1),
            false => format!("{}", 100_000 + till.first_number + nth),
        };
        let total = lines.iter().map(|line| line_cents(line.price, line.quantity)).sum();
        Ticket {
            store,
            terminal,
            number,
            business_date: self.plan.day(day),
            printed,
            printed_at,
            lines,
            total,
            arrives_at: printed_at + 2,
            again_at: None,
            fate: Fate::Counts,
        }
    }
}

fn opposite(lines: &[Line]) -> Vec<Line> {
    // In another order, as some scales print them.
    lines.iter().rev().map(|line| Line { quantity: -line.quantity, ..line.clone() }).collect()
}
