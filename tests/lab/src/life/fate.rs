//! What becomes of tickets after they were printed: when their files come, and what goes wrong.

use super::chain::Life;
use super::ticket::{Decision, Fate, Ticket};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Files that come late come while the store is closed, so that they never get between a ticket and
/// the one that undoes it.
const EARLY_MORNING: i64 = 6 * HOUR;
/// The end of a day for a terminal that gets its line back in the evening.
const NEARLY_MIDNIGHT: i64 = 26 * HOUR + 10 * 60;

impl Life {
    /// Decides it for the tickets of a terminal's day.
    pub(super) fn settle(&self, store: usize, terminal: usize, day: u32, tickets: &mut [Ticket]) {
        let chances = &self.plan.chances;
        let mut dice = self.dice(3, store, terminal, day);
        let midnight = self.stores[store].zone.instant(self.plan.day(day).and_time(chrono::NaiveTime::MIN));
        // From some ticket on it has no line, until the evening or the next morning.
        let (from, back) = match dice.below(1000) < chances.offline && !tickets.is_empty() {
            false => (usize::MAX, 0),
            true => {
                let back = *dice.pick(&[midnight + NEARLY_MIDNIGHT, midnight + DAY + EARLY_MORNING]);
                (dice.below(tickets.len() as u64) as usize, back)
            }
        };
        for (place, ticket) in tickets.iter_mut().enumerate() {
            if ticket.fate == Fate::Counts && ticket.lines.iter().any(|line| line.quantity > 0) {
                self.go_wrong(ticket, midnight, &mut dice);
            }
            if place >= from {
                ticket.arrives_at = ticket.arrives_at.max(back);
            }
            if dice.below(1000) < chances.repeated {
                let later = *dice.pick(&[5, 600, 5 * HOUR, DAY]);
                ticket.again_at = Some(ticket.arrives_at + later);
            }
            ticket.fate = match ticket.fate {
                // People decide about what is there.
                Fate::Held(Some((decision, at))) => Fate::Held(Some((decision, ticket.arrives_at + at))),
                Fate::Voided(at) => Fate::Voided(ticket.arrives_at + at),
                other => other,
            };
        }
    }

    /// What can go wrong with a ticket by itself. Instants of decisions are yet those after its
    /// arrival.
    fn go_wrong(&self, ticket: &mut Ticket, midnight: i64, dice: &mut crate::dice::Dice) {
        let chances = &self.plan.chances;
        let later = *dice.pick(&[120, HOUR, DAY, 3 * DAY]);
        if dice.below(1000) < chances.held {
            // More than what rounding explains, on however many lines.
            let off: i64 = *dice.pick(&[-100, 100, 990]);
            ticket.total += off + off.signum() * ticket.lines.len() as i64;
            ticket.fate = Fate::Held(match dice.below(10) {
                0..6 => Some((Decision::Release, later)),
                6..9 => Some((Decision::Void, later)),
                _ => None,
            });
        } else if dice.below(1000) < chances.voided {
            ticket.fate = Fate::Voided(later);
        } else if dice.below(1000) < chances.rounded && ticket.lines.iter().any(|line| line.quantity % 1000 != 0) {
            ticket.total += *dice.pick(&[-1, 1]);
        }
        if dice.below(1000) < chances.late {
            let days = *dice.pick(&[1, 1, 1, 2, 3, 6]);
            ticket.arrives_at = midnight + days * DAY + EARLY_MORNING + dice.below(5400) as i64;
        }
    }
}
