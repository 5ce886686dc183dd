//! The tally, for people.

use std::io::Write;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::screen::{called, clock, complete_until};
use super::tally::Tally;

/// Writes the whole tally.
pub fn write(all: &Tally, to: &mut dyn Write) -> Result<()> {
    for line in stores(all).into_iter().chain(central(all, Utc::now())).chain(chain(all)) {
        writeln!(to, "{}", line.trim_end())?;
    }
    for line in all.lost.iter().take(20) {
        writeln!(to, "    {line}")?;
    }
    Ok(to.flush()?)
}

/// What became of the terminals' files.
fn stores(all: &Tally) -> Vec<String> {
    let count = |label: &str, of: &dyn Fn(usize) -> usize, note: &str| {
        let each: Vec<usize> = (0..all.audits.len()).map(of).collect();
        row(label, &each.iter().sum::<usize>().to_string(), each.iter().map(usize::to_string), note)
    };
    let audit = |at: usize| &all.audits[at];
    let time = |label: &str, share: f64| {
        let ms = |latencies: &crate::measure::Latencies| format!("{:.1}", latencies.percentile_ms(share));
        row(label, &ms(&all.all_latencies()), all.latencies.iter().map(ms), "close of file to .dat")
    };
    let offline = |at: usize| usize::try_from(all.counts.offline[at]).unwrap_or(0);
    vec![
        String::new(),
        row("At the stores", "all", all.reports.iter().map(|report| report.code.clone()), ""),
        count("  files delivered", &|at| audit(at).receipts, ""),
        count("    accepted", &|at| audit(at).accepted, ""),
        count("    duplicate", &|at| audit(at).duplicate, "nothing changed"),
        count("    held", &|at| audit(at).held, "an operator decides"),
        count("    quarantined", &|at| audit(at).quarantined, "reason beside each"),
        count("  .dat files", &|at| audit(at).dat_files, ""),
        count("  while cut off", &offline, "receipts without a line"),
        time("  p50, ms", 0.5),
        time("  p99, ms", 0.99),
    ]
}

/// What central says.
fn central(all: &Tally, now: DateTime<Utc>) -> Vec<String> {
    let verified = all.reports.iter().any(|report| report.verified.is_some());
    let line = |label: &str, receipts: &str, sales: &str, until: &str, verified: &str| {
        format!("  {label:<18}{receipts:>8}{sales:>13}   {until:<22}{verified}")
    };
    let heading = if verified { "verified until" } else { "" };
    let mut lines = vec![String::new(), line("Central's report", "receipts", "sales EUR", "complete until", heading)];
    for report in &all.reports {
        let verified = if verified { clock(report.verified) } else { String::new() };
        let (label, until) = (format!("  {}", report.code), complete_until(report, false, now));
        lines.push(line(&label, &report.receipts.to_string(), &report.sales, &until, &verified));
    }
    let receipts: i64 = all.reports.iter().map(|report| report.receipts).sum();
    lines.push(line("  all", &receipts.to_string(), "", "", ""));
    lines
}

/// What holds for all nodes.
fn chain(all: &Tally) -> Vec<String> {
    let line = |label: &str, value: &str, note: &str| format!("  {label:<18}{value:>8}   {note}");
    let note = format!("values written at once; a person resolved {}", all.counts.resolved);
    let mut lines = vec![String::new(), line("Conflicts", &all.counts.siblings.to_string(), &note)];
    let name = all.counts.about.map_or("", |(_, name, _)| name);
    for one in &all.open {
        let note = format!("{name}, {}: {} ({})", one.column, one.value, one.shown_as());
        lines.push(line("  still on record", &called(&one.code), &note));
    }
    let agree = if all.converged { "yes" } else { "no" };
    let changes = format!("{} changes of shared tables, alike on all four", all.operations);
    lines.extend([
        line("In quarantine", &all.quarantine.to_string(), "rows, on all nodes"),
        line("Waiting", &all.waiting.to_string(), "rows still to arrive"),
        line("All nodes agree", agree, &changes),
        line("Lost", &all.lost.len().to_string(), "every file, receipt, .dat and row compared"),
    ]);
    lines
}

fn row(label: &str, all: &str, each: impl Iterator<Item = String>, note: &str) -> String {
    let cells: String = each.map(|cell| format!("{cell:>7}")).collect();
    format!("  {label:<18}{all:>8}{cells}   {note}")
}
