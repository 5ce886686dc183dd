//! A day on which everything breaks: see `tpv_lab::nemesis`.
//!
//! `TPV_SEED` plays a day again, as far as threads allow; `TPV_NEMESIS_SECONDS` says how long it
//! is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tpv_lab::nemesis;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn whatever_breaks_nothing_is_lost_and_all_nodes_end_alike() {
    let drawn = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 % 1_000_000;
    let seed = number("TPV_SEED").unwrap_or_else(drawn);
    let length = Duration::from_secs(number("TPV_NEMESIS_SECONDS").unwrap_or(45));
    // Past the test program, which keeps what a test prints until it fails.
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "nemesis: TPV_SEED={seed} TPV_NEMESIS_SECONDS={}", length.as_secs());
    let outcome = nemesis::run(seed, length).unwrap_or_else(|error| panic!("TPV_SEED={seed}: {error:?}"));
    let _ = writeln!(std::io::stderr(), "nemesis: {}", outcome.summary);
    assert!(outcome.complaints.is_empty(), "TPV_SEED={seed}: {}\n{}", outcome.summary, outcome.complaints.join("\n"));
}
