//! `./tpv test alarms`: Prometheus with the rules, and its exporter with the queries, of
//! `examples/monitoring`, on a central and a store. Each fault is caused, its alarm fires, and no other
//! does; then it is mended, and the alarm ends.
//!
//! `--trade` is the other half: nothing goes wrong for so long, and no alarm fires.
//!
//! | file | has |
//! | --- | --- |
//! | `faults` | what goes wrong, and what must fire |
//! | `cause` | how it is caused, kept up and mended |
//! | `shop` | what runs |
//! | `prometheus` | the rules, and what they say |
//! | `tracer` | strace as a disk that is slow or fails |
//! | `trade` | a shop at work |

mod cause;
mod faults;
mod prometheus;
mod shop;
mod tracer;
mod trade;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::wait::until_true;
use faults::{FAULTS, Fault, NOT_CAUSED};
use prometheus::{Pace, RULES};
use shop::Shop;

pub use trade::run as trade;

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether every alarm fired on its fault and on nothing else. `programs` holds Prometheus and its
/// exporter.
pub fn run(programs: &Path, words: &mut dyn Write) -> Result<bool> {
    let known: BTreeSet<&str> = RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let caused = FAULTS.iter().flat_map(|(_, _, fires, _)| fires.iter().copied());
    let tried: BTreeSet<&str> = caused.chain(NOT_CAUSED.iter().copied()).collect();
    if known != tried {
        bail!("alerts.yaml and this list differ: {:?}", known.symmetric_difference(&tried).collect::<Vec<_>>());
    }
    let mut shop = Shop::open(programs, Pace::Quicker)?;
    shop.sell(5)?;
    until_true("nothing is wrong", PATIENCE, || shop.firing().is_ok_and(|firing| firing.is_empty()))
        .with_context(|| format!("{:?}", shop.firing()))?;
    writeln!(words, "alarms: a shop at work, and none fires")?;
    let mut empty = Vec::new();
    until_true("each panel of the dashboard shows something", PATIENCE, || {
        shop.prometheus.empty_panels().is_ok_and(|panels| {
            empty = panels;
            empty.is_empty()
        })
    })
    .with_context(|| empty.join("; "))?;
    writeln!(words, "alarms: each panel of the dashboard shows something")?;
    let mut good = true;
    for (what, fault, fires, may) in &FAULTS {
        let (well, fate) = try_one(&mut shop, fault, fires, may).with_context(|| (*what).to_owned())?;
        good &= well;
        writeln!(words, "alarms: {what}: {fate}")?;
    }
    Ok(good)
}

/// Causes one fault and mends it. Answers whether all was as it must be, and in words how it was.
fn try_one(shop: &mut Shop, fault: &Fault, fires: &[&str], may: &[&str]) -> Result<(bool, String)> {
    shop.cause(fault)?;
    let (mut seen, mut others) = (BTreeSet::new(), BTreeSet::new());
    let fired = until_true("its alarm", PATIENCE, || {
        shop.keep_up(fault);
        for alert in shop.firing().unwrap_or_default() {
            let is_its = fires.contains(&alert.as_str());
            if is_its || may.contains(&alert.as_str()) {
                seen.insert(alert)
            } else {
                others.insert(alert)
            };
        }
        fires.iter().all(|alert| seen.contains(*alert))
    });
    shop.mend(fault)?;
    let mut last = BTreeSet::new();
    let ended = until_true("an end of it", PATIENCE * 2, || {
        last = shop.firing().unwrap_or_default();
        last.is_empty()
    });
    let well = fired.is_ok() && others.is_empty() && ended.is_ok();
    let fate = match (well, fired.is_ok(), others.is_empty()) {
        (true, ..) => format!("{} … ok", fires.join(", ")),
        (_, false, _) => format!("of {} only {seen:?} fired … FAILED", fires.join(", ")),
        (_, _, false) => format!("{others:?} fired too … FAILED"),
        _ => format!("{last:?} does not end … FAILED"),
    };
    Ok((well, fate))
}
