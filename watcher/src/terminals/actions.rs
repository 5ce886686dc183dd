//! What operators decided about one terminal's `.dat` files and the disk does not show yet.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use crate::database::calls::Action;
use crate::failure::breaker::{Backoff, jitter};

#[derive(Debug, Default)]
pub struct Actions {
    /// What the last list of the database named.
    listed: Vec<Action>,
    /// Publications that failed after they were claimed, or after they may have been. No list names
    /// them again.
    claimed: Vec<Attempt>,
    /// Withdrawals that are done on disk and not acknowledged yet.
    withdrawn: HashSet<i64>,
    /// Done lately. A list that was asked for before that may still name them.
    done: VecDeque<i64>,
    /// Named by the first list of this run: an earlier run may have carried them out and not
    /// acknowledged it.
    perhaps_done: HashSet<i64>,
}

/// An action, and when to try it.
#[derive(Debug)]
pub struct Attempt {
    pub action: Action,
    backoff: Backoff,
    due: Instant,
}

impl Actions {
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.claimed.is_empty()
    }

    /// Takes a new list in place of the last one. `first`: no list came before it in this run.
    pub fn list(&mut self, actions: Vec<Action>, first: bool) {
        if first {
            self.perhaps_done.extend(actions.iter().map(|action| action.id));
        }
        self.listed = actions;
    }

    /// What is to be tried now, in order: what failed before and is due, then what is listed.
    pub fn take_due(&mut self, now: Instant) -> Vec<Attempt> {
        let (mut due, later) = std::mem::take(&mut self.claimed).into_iter().partition::<Vec<_>, _>(|it| it.due <= now);
        self.claimed = later;
        let listed = std::mem::take(&mut self.listed).into_iter();
        due.extend(listed.map(|action| Attempt { action, backoff: Backoff::default(), due: now }));
        due
    }

    /// Is it done, or tried again later? Then a list that names it is out of date.
    pub fn knows(&self, id: i64) -> bool {
        self.done.contains(&id) || self.claimed.iter().any(|attempt| attempt.action.id == id)
    }

    /// Tries a publication again after a pause.
    pub fn retry(&mut self, mut attempt: Attempt) {
        attempt.due = Instant::now() + attempt.backoff.next(jitter());
        self.claimed.push(attempt);
    }

    pub fn is_withdrawn(&self, id: i64) -> bool {
        self.withdrawn.contains(&id)
    }

    pub fn set_withdrawn(&mut self, id: i64) {
        self.withdrawn.insert(id);
    }

    /// May an earlier run have carried it out? True at most once for each action.
    pub fn take_perhaps_done(&mut self, id: i64) -> bool {
        self.perhaps_done.remove(&id)
    }

    pub fn finish(&mut self, id: i64) {
        self.withdrawn.remove(&id);
        self.done.push_back(id);
        if self.done.len() > 2_000 {
            self.done.pop_front();
        }
    }
}
