//! When to try again, and who may. Pure, so that tests can use made-up instants.
//!
//! A breaker protects something that many share: the database, the disk of the spool. One failure
//! opens it. From then on nothing but a cheap probe is sent, every 100 ms, so the end of a fault is
//! noticed at once. A probe that succeeds proves little (`select 1` works on a full disk), so the
//! breaker becomes half-open: one canary batch at a time does real work, and only its success lets
//! everybody in.

use std::time::{Duration, Instant};

/// How often an open breaker is probed, and how long a canary may take before another one is sent.
pub const PROBE_EVERY: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Closed,
    HalfOpen,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Normal,
    /// One small batch, which finds out whether real work succeeds again.
    Canary,
}

#[derive(Debug)]
pub struct Breaker {
    state: State,
    canary_sent: Option<Instant>,
}

impl Breaker {
    pub const fn new() -> Self {
        Self { state: State::Closed, canary_sent: None }
    }

    pub const fn state(&self) -> State {
        self.state
    }

    /// Real work or a probe failed.
    pub fn fail(&mut self) {
        self.state = State::Open;
        self.canary_sent = None;
    }

    /// A probe succeeded. Changes nothing unless the breaker is open.
    pub fn probe_succeeded(&mut self) {
        if self.state == State::Open {
            self.state = State::HalfOpen;
            self.canary_sent = None;
        }
    }

    /// Real work succeeded. It may have begun before the fault, so it does not close an open
    /// breaker.
    pub fn work_succeeded(&mut self) {
        if self.state == State::HalfOpen {
            self.state = State::Closed;
        }
    }

    /// May work start now? A canary that hangs must not keep the others out, so another one follows
    /// it after a while.
    pub fn admit(&mut self, now: Instant) -> Option<Admission> {
        match self.state {
            State::Closed => Some(Admission::Normal),
            State::Open => None,
            State::HalfOpen => {
                let hangs = |sent: Instant| now.saturating_duration_since(sent) >= PROBE_EVERY;
                if self.canary_sent.is_none_or(hangs) {
                    self.canary_sent = Some(now);
                    Some(Admission::Canary)
                } else {
                    None
                }
            }
        }
    }
}

/// 1, 2, 4 … 60 seconds, each shortened by up to a quarter, so that what failed together does not
/// come back together.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure; `jitter` is a number from 0 to 1.
    pub fn next(&mut self, jitter: f64) -> Duration {
        let seconds = 2_u64.saturating_pow(self.failures.min(6)).min(60);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(seconds).mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0))
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A number from 0 to 1 that differs between processes and calls.
pub fn jitter() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_everybody_out_until_a_probe_and_a_canary_succeed() {
        let (mut breaker, start) = (Breaker::new(), Instant::now());
        assert_eq!(breaker.admit(start), Some(Admission::Normal));
        breaker.fail();
        assert_eq!(breaker.admit(start), None);
        breaker.probe_succeeded();
        assert_eq!(breaker.admit(start), Some(Admission::Canary));
        assert_eq!(breaker.admit(start), None, "one canary at a time");
        breaker.work_succeeded();
        assert_eq!(breaker.admit(start), Some(Admission::Normal));
    }

    #[test]
    fn a_canary_that_hangs_does_not_keep_the_others_out() {
        let (mut breaker, start) = (Breaker::new(), Instant::now());
        breaker.fail();
        breaker.probe_succeeded();
        assert_eq!(breaker.admit(start), Some(Admission::Canary));
        assert_eq!(breaker.admit(start + PROBE_EVERY), Some(Admission::Canary));
    }

    #[test]
    fn work_that_began_before_the_fault_does_not_close_an_open_breaker() {
        let mut breaker = Breaker::new();
        breaker.fail();
        breaker.work_succeeded();
        assert_eq!(breaker.state(), State::Open);
    }

    #[test]
    fn a_canary_that_fails_opens_it_again() {
        let mut breaker = Breaker::new();
        breaker.fail();
        breaker.probe_succeeded();
        breaker.fail();
        assert_eq!(breaker.admit(Instant::now()), None);
    }

    #[test]
    fn pauses_double_from_one_second_to_sixty() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..9).map(|_| backoff.next(0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_millis(750));
    }
}
