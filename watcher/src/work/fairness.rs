//! How the terminals share the watcher: one with a long backlog does not hold up the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most files that one transaction takes.
const MOST_FILES: usize = 64;
/// A longer backlog is worked off in bulk, behind the others.
const BULK: usize = 8;
/// The most files of a bulk batch while other terminals have work.
const POLITE: usize = 8;

pub struct Fairness {
    /// One terminal at a time works in bulk: its batches are long, and those of the others must not
    /// wait for many.
    bulk: Arc<Semaphore>,
    /// When a terminal without a backlog last had work.
    live_at: Mutex<Option<Instant>>,
}

/// The right to take a batch, for as long as the value lives.
pub struct Turn {
    pub most_files: usize,
    bulk: Option<OwnedSemaphorePermit>,
}

impl Fairness {
    pub fn new() -> Self {
        Self { bulk: Arc::new(Semaphore::new(1)), live_at: Mutex::default() }
    }

    /// Waits for this terminal's turn. Only one with a long backlog ever waits.
    pub async fn turn(&self, backlog: usize) -> Turn {
        if backlog <= BULK {
            return Turn { most_files: MOST_FILES, bulk: None };
        }
        let bulk = Arc::clone(&self.bulk).acquire_owned().await.ok();
        Turn { most_files: if self.others_are_live() { POLITE } else { MOST_FILES }, bulk }
    }

    /// Notes that a terminal whose turn this is has work.
    pub fn note_work(&self, turn: &Turn) {
        if turn.bulk.is_none() {
            *self.live_at.lock() = Some(Instant::now());
        }
    }

    /// Did a terminal without a backlog have work within the last second?
    fn others_are_live(&self) -> bool {
        self.live_at.lock().is_some_and(|at| at.elapsed() < Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_backlog_is_worked_off_in_small_batches_while_others_have_work() {
        let fairness = Fairness::new();
        assert_eq!(fairness.turn(100).await.most_files, MOST_FILES, "nobody else is there");
        let short = fairness.turn(1).await;
        fairness.note_work(&short);
        assert_eq!(fairness.turn(100).await.most_files, POLITE);
        assert_eq!(short.most_files, MOST_FILES);
    }

    #[tokio::test]
    async fn only_one_terminal_at_a_time_works_off_a_long_backlog() {
        let fairness = Fairness::new();
        let long = fairness.turn(100).await;
        let other = || tokio::time::timeout(Duration::from_millis(20), fairness.turn(100));
        assert!(other().await.is_err());
        assert!(tokio::time::timeout(Duration::from_millis(20), fairness.turn(BULK)).await.is_ok());
        drop(long);
        assert!(other().await.is_ok());
    }
}
