//! The one way to wait. Nothing else in the laboratory sleeps in the hope that something has
//! happened by then.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Calls `condition` until it answers something, or fails with `what` once `deadline` has passed.
pub fn until<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(answer) = condition() {
            return Ok(answer);
        }
        if started.elapsed() > deadline {
            bail!("{what}: not within {} ms", deadline.as_millis());
        }
        thread::sleep(pause);
        // Short at first, since most conditions hold at once; 20 ms at most, so that waiting costs
        // no processor.
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// `until` for a plain yes or no.
pub fn until_true(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    until(what, deadline, || condition().then_some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_names_what_did_not_happen() {
        let error = until_true("the moon is blue", Duration::from_millis(5), || false).unwrap_err();
        assert_eq!(error.to_string(), "the moon is blue: not within 5 ms");
    }

    #[test]
    fn waiting_hands_back_what_the_condition_found() {
        let mut calls = 0;
        let found = until("third call", Duration::from_secs(5), || {
            calls += 1;
            (calls == 3).then_some(calls)
        });
        assert_eq!(found.unwrap(), 3);
    }
}
