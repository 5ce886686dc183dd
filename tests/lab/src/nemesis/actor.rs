//! Somebody who works: goes on when the server comes back, and notes what it acknowledged. What was
//! not acknowledged may have been done or not; nobody was promised anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use postgres::{Client, Error, NoTls};
use uuid::Uuid;

use crate::dice::Dice;

/// What the servers acknowledged, and what they refused.
#[derive(Debug, Default)]
pub struct Done {
    /// Values that were written, and to which row; each stands in the patch of an operation.
    pub tokens: Vec<(Uuid, String)>,
    /// Customers that were erased.
    pub erased: Vec<Uuid>,
    /// Receipts that were ingested, by store.
    pub receipts: Vec<(usize, Uuid)>,
    /// What was decided about a receipt, by store: `release` or `void`.
    pub decided: Vec<(usize, Uuid, &'static str)>,
    /// Refusals that an actor has to live with, by SQLSTATE.
    pub refused: BTreeMap<String, u64>,
    /// And those that nobody should see.
    pub unexpected: BTreeSet<String>,
}

/// All of it in one line.
pub fn summary(done: &[Done]) -> String {
    let mut refused = BTreeMap::<&str, u64>::new();
    for (code, count) in done.iter().flat_map(|done| &done.refused) {
        *refused.entry(code).or_default() += count;
    }
    let sum = |count: fn(&Done) -> usize| done.iter().map(count).sum::<usize>();
    format!(
        "{} values, {} erased customers, {} receipts, {} releases and voids answered for; refused: {refused:?}",
        sum(|done| done.tokens.len()),
        sum(|done| done.erased.len()),
        sum(|done| done.receipts.len()),
        sum(|done| done.decided.len()),
    )
}

/// One of those who work.
pub struct Actor<'a> {
    /// What chance lets it do next.
    pub dice: Dice,
    /// What was acknowledged.
    pub done: Done,
    name: String,
    number: u64,
    url: &'a str,
    stop: &'a AtomicBool,
    dba: Option<Client>,
}

impl<'a> Actor<'a> {
    /// Somebody with this name, unique in the run, at a server.
    pub fn new(seed: u64, number: u64, name: String, url: &'a str, stop: &'a AtomicBool) -> Self {
        let dice = Dice::for_actor(seed, 100 + number);
        Self { dice, done: Done::default(), name, number: 0, url, stop, dba: None }
    }

    /// Whether the day goes on. Pauses, too: it is not about how much a machine can do.
    pub fn goes_on(&mut self, pause_ms: u64) -> bool {
        let pause = self.dice.below(2 * pause_ms + 1);
        thread::sleep(Duration::from_millis(pause));
        !self.stop.load(Ordering::Relaxed)
    }

    /// A value that nobody else writes.
    pub fn token(&mut self) -> String {
        self.number += 1;
        format!("{}.{}", self.name, self.number)
    }

    /// Does something; none if the server refused or went away. `tolerated` are the states that
    /// this work may end in.
    pub fn attempt<T>(
        &mut self,
        tolerated: &[&str],
        work: impl FnOnce(&mut Client, &mut Dice) -> Result<T, Error>,
    ) -> Option<T> {
        while self.dba.as_ref().is_none_or(Client::is_closed) {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            self.dba = Client::connect(self.url, NoTls).ok();
            if self.dba.is_none() {
                thread::sleep(Duration::from_millis(50));
            }
        }
        match work(self.dba.as_mut()?, &mut self.dice) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.note(&error, tolerated);
                // Whatever was open is over.
                if self.dba.as_mut().is_some_and(|dba| dba.batch_execute("rollback").is_err()) {
                    self.dba = None;
                }
                None
            }
        }
    }

    fn note(&mut self, error: &Error, tolerated: &[&str]) {
        let code = error.code().map_or("gone", |code| code.code());
        *self.done.refused.entry(code.to_owned()).or_default() += 1;
        // Connections, deadlocks, resources, and servers that go: a machine's faults. Whoever works
        // tries again.
        let of_the_machine = ["gone", "08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
        if !of_the_machine && !tolerated.contains(&code) {
            let message =
                error.as_db_error().map(|error| (error.message().to_owned(), error.detail().map(str::to_owned)));
            self.done.unexpected.insert(format!("{}: {code} {message:?}", self.name));
        }
    }
}
