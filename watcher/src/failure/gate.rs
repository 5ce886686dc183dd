//! A breaker that tasks can wait at: the shell around `breaker.rs`, with its probe.

use std::time::Instant;

use parking_lot::Mutex;
use prometheus::IntGauge;
use tokio::sync::watch;

use crate::failure::breaker::{Admission, Breaker, PROBE_EVERY, State};

#[derive(Debug)]
pub struct Gate {
    name: &'static str,
    breaker: Mutex<Breaker>,
    state: watch::Sender<State>,
    gauge: IntGauge,
}

impl Gate {
    pub fn new(name: &'static str, gauge: IntGauge) -> Self {
        Self { name, breaker: Mutex::new(Breaker::new()), state: watch::Sender::new(State::Closed), gauge }
    }

    /// True while the breaker is open: nothing is to be tried.
    pub fn is_out_of_service(&self) -> bool {
        self.breaker.lock().state() == State::Open
    }

    pub fn admit(&self) -> Option<Admission> {
        self.breaker.lock().admit(Instant::now())
    }

    /// Tells everybody that it does not work. The first failure is logged.
    pub fn fail(&self, why: &str) {
        let before = self.turn(Breaker::fail);
        if before == State::Closed {
            tracing::error!(gate = self.name, why, "out of service, waiting for it to come back");
        } else {
            tracing::debug!(gate = self.name, why, "still out of service");
        }
    }

    pub fn work_succeeded(&self) {
        if self.turn(Breaker::work_succeeded) == State::HalfOpen {
            tracing::info!(gate = self.name, "in service again");
        }
    }

    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Returns when it is worth trying.
    pub async fn wait(&self) {
        let mut state = self.state.subscribe();
        // The sender lives in self, so this cannot fail.
        let _ = state.wait_for(|state| *state != State::Open).await;
    }

    /// Probes while it is out of service, one probe at a time.
    pub async fn keep_probing<F>(&self, probe: impl Fn() -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        let mut state = self.state.subscribe();
        loop {
            if state.wait_for(|state| *state == State::Open).await.is_err() {
                return;
            }
            match probe().await {
                Ok(()) => {
                    self.turn(Breaker::probe_succeeded);
                }
                Err(why) => tracing::debug!(gate = self.name, why, "probe failed"),
            }
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }

    fn turn(&self, change: impl FnOnce(&mut Breaker)) -> State {
        let mut breaker = self.breaker.lock();
        let before = breaker.state();
        change(&mut breaker);
        let after = breaker.state();
        drop(breaker);
        if before != after {
            self.gauge.set(after as i64);
            self.state.send_replace(after);
        }
        before
    }
}
