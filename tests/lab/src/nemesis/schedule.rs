//! Which fault happens when. A pure function of the seed, so that a run can be played again.

use std::time::Duration;

use crate::dice::Dice;
use crate::node::STORES;

/// Something that breaks. Nodes count from 0, which is central; stores from 0; a line has
/// two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` for a whole server; it comes back with its wall clock off by this, as libfaketime
    /// writes it.
    Kill { node: usize, clock: Option<&'static str> },
    /// An orderly restart.
    Restart { node: usize },
    /// `kill -9` for a process that sends or applies rows; the server then recovers by itself.
    KillWorker { node: usize, which: u64 },
    /// Such a process stops in the middle of what it does, and goes on later.
    FreezeWorker { node: usize, which: u64 },
    /// One way of a line is cut, and nobody can connect over it.
    Cut { way: usize },
    /// One way of a line swallows everything and stays open.
    FreezeLine { way: usize },
    /// Somebody disables a subscription: central's to a store, or the store's.
    Disable { store: usize, at_central: bool },
    /// A store writes a row that nobody can read.
    Poison { store: usize, how: u64 },
    /// Central loses the slot of a store, which joins again later.
    LoseSlot { store: usize },
    /// A node gets the next version of the schema: central first, stores later.
    Upgrade { node: usize },
}

/// A fault, when it begins and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Since the beginning of the run.
    pub at: Duration,
    /// Until it is undone; faults that are over at once have none.
    pub lasts: Duration,
    /// What happens.
    pub fault: Fault,
}

const CLOCKS: [Option<&str>; 6] = [None, None, Some("+3m"), Some("-10m"), Some("+2y"), Some("-400d")];

/// All faults of a run, in order.
pub fn schedule(seed: u64, length: Duration) -> Vec<Event> {
    let mut dice = Dice::for_actor(seed, 1);
    let nodes = STORES.len() + 1;
    let third = length / 3;
    let mut events = vec![Event { at: third, lasts: Duration::ZERO, fault: Fault::Upgrade { node: 0 } }];
    for node in 1..nodes {
        let at = third * 2 + third / 4 * u32::try_from(node - 1).unwrap_or(0);
        events.push(Event { at, lasts: Duration::ZERO, fault: Fault::Upgrade { node } });
    }
    let mut at = Duration::from_millis(1000);
    while at < length {
        let lasts = Duration::from_millis(match dice.below(10) {
            0..=5 => dice.between(100, 1500),
            6..=8 => dice.between(1500, 5000),
            _ => dice.between(5000, 12_000),
        });
        let fault = throw(&mut dice, nodes);
        events.push(Event { at, lasts, fault });
        at += Duration::from_millis(dice.between(200, 2500));
    }
    events.sort_by_key(|event| event.at);
    events
}

fn throw(dice: &mut Dice, nodes: usize) -> Fault {
    let stores = nodes - 1;
    let mut one_of = |count: usize| usize::try_from(dice.below(count as u64)).unwrap_or(0);
    let (node, store, way) = (one_of(nodes), one_of(stores), one_of(2 * stores));
    let which = dice.throw();
    match dice.below(100) {
        0..=19 => Fault::Kill { node, clock: *dice.pick(&CLOCKS) },
        20..=25 => Fault::Restart { node },
        26..=37 => Fault::KillWorker { node, which },
        38..=51 => Fault::FreezeWorker { node, which },
        52..=65 => Fault::Cut { way },
        66..=79 => Fault::FreezeLine { way },
        80..=87 => Fault::Disable { store, at_central: dice.percent(50) },
        88..=91 => Fault::LoseSlot { store },
        _ => Fault::Poison { store, how: which },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_breaks_the_same_things_at_the_same_times() {
        let length = Duration::from_secs(60);
        assert_eq!(schedule(7, length), schedule(7, length));
        assert_ne!(schedule(7, length), schedule(8, length));
    }
}
