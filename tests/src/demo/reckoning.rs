//! What became of everything: every input of every store, every row at central, and whether all nodes agree.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use serde_json::{Map, Value, json};

use crate::account::{self, Account};
use crate::latency::{Latencies, rounded};
use crate::rig::PATIENCE;
use crate::until::until_true;

use super::look::{Eyes, Report, Sibling};
use super::picture::{called, clock, complete_until};
use super::story::Tale;
use super::world::World;

/// The reckoning.
#[derive(Debug, Default)]
pub struct Reckoning {
    accounts: Vec<Account>,
    latencies: Vec<Latencies>,
    reports: Vec<Report>,
    tale: Tale,
    /// Conflicts that are still on record about the last customer.
    open: Vec<Sibling>,
    operations: i64,
    quarantine: i64,
    waiting: i64,
    converged: bool,
    /// Whatever is not where it must be, in words.
    lost: Vec<String>,
}

/// Documents of one store with their content, as one number and one digest.
const DOCUMENTS: &str = "select count(*), coalesce(md5(string_agg(doc_id::text || encode(content_hash, 'hex'), ',' order by doc_id)), '') \
    from wire.doc where node_id = $1";
/// Receipts of one store, in their present state.
const RECEIPTS: &str = "select count(*), coalesce(md5(string_agg(concat_ws(' ', receipt_id, state, total), ',' order by receipt_id)), '') \
    from sales.receipt where node_id = $1";

impl Reckoning {
    /// Waits until nothing is left to do anywhere, then counts and compares.
    pub fn take(world: &World, tale: Tale, trouble: Option<anyhow::Error>) -> Result<Self> {
        let mut eyes = Eyes::open(world)?;
        let mut all = Self { tale, ..Self::default() };
        all.lost.extend(trouble.map(|error| format!("{error:#}")));
        for shop in &world.shops {
            let mut dba = shop.rig.dba()?;
            // What does not settle is counted as lost, which says more than a time-out.
            let late = account::settle(&shop.rig.spool, &mut dba, PATIENCE).err();
            all.lost.extend(late.map(|late| format!("{}: {late}", shop.node.code)));
        }
        all.converged = all.wait_for_central(&mut eyes).is_ok();
        for shop in &world.shops {
            shop.stopwatch.sweep();
            let account = account::reckon(&shop.rig.spool, &mut shop.rig.dba()?, &shop.dropped.inputs())?;
            all.lost.extend(account.lost.iter().map(|lost| format!("{}: {lost}", shop.node.code)));
            all.accounts.push(account);
            all.latencies.push(shop.stopwatch.latencies());
        }
        all.compare(world, &mut eyes)?;
        Ok(all)
    }

    /// Nothing lost, and all nodes agree.
    pub fn good(&self) -> bool {
        self.lost.is_empty() && self.converged
    }

    /// Central says of each store that it is complete until after the last receipt, and all nodes agree.
    fn wait_for_central(&self, eyes: &mut Eyes) -> Result<()> {
        let over = Utc::now();
        until_true("central is complete and all nodes agree", Duration::from_secs(45), || {
            let complete = |report: &Report| report.until.is_some_and(|until| until > over);
            eyes.report().is_ok_and(|reports| reports.iter().all(complete)) && eyes.agree().unwrap_or(false)
        })
    }

    /// What central says is complete must be there, to the last receipt and its content.
    fn compare(&mut self, world: &World, eyes: &mut Eyes) -> Result<()> {
        for (index, shop) in world.shops.iter().enumerate() {
            for (what, query) in [("documents", DOCUMENTS), ("receipts", RECEIPTS)] {
                let ask = |dba: &mut postgres::Client| -> Result<(i64, String)> {
                    let row = dba.query_one(query, &[&shop.node.id]).context(what)?;
                    Ok((row.get(0), row.get(1)))
                };
                let (there, central) = (ask(eyes.store(index))?, ask(eyes.central())?);
                if there != central {
                    let (code, has, of) = (shop.node.code, central.0, there.0);
                    self.lost.push(format!("{code}: {has} of {of} {what} are at central, or their content differs"));
                }
            }
        }
        let broken: i64 =
            eyes.central().query_one("select count(*) from wire.verify_chains() where not intact", &[])?.get(0);
        if broken > 0 {
            self.lost.push(format!("{broken} terminals' chains are broken at central"));
        }
        self.operations = eyes.sum("select coalesce(sum(last_seq), 0)::bigint from sync.op_counter")?;
        self.quarantine = eyes.sum("select count(*) from sync.quarantine where resolved_at is null")?;
        self.waiting = eyes.sum(
            "select (select count(*) from sync.head where waits) + (select coalesce(sum(lag_operations), 0)::bigint from sync.status)",
        )?;
        if let Some((customer, _, _)) = self.tale.about {
            self.open = eyes.siblings(customer)?;
        }
        self.reports = eyes.report()?;
        Ok(())
    }

    /// For people.
    pub fn write(&self, to: &mut dyn Write) -> Result<()> {
        self.write_report(to)?;
        self.write_conflicts(to)?;
        self.write_counts(to)?;
        writeln!(to)?;
        let agree = if self.converged { "yes" } else { "no" };
        writeln!(to, "  all nodes agree  {agree:>6}   {} changes of shared tables, alike on 4 nodes", self.operations)?;
        writeln!(
            to,
            "  lost             {:>6}   every input, receipt, .dat and row at central compared",
            self.lost.len()
        )?;
        for line in self.lost.iter().take(20) {
            writeln!(to, "    {line}")?;
        }
        Ok(to.flush()?)
    }

    fn write_report(&self, to: &mut dyn Write) -> Result<()> {
        let verified = self.reports.iter().any(|report| report.verified.is_some());
        let heading = if verified { "   verified until" } else { "" };
        writeln!(to, "\n  central's report     receipts    sales EUR   {:<20}{heading}", "complete until")?;
        let now = Utc::now();
        for report in &self.reports {
            let until = complete_until(report, false, now);
            let verified = if verified { format!("   {}", clock(report.verified)) } else { String::new() };
            writeln!(to, "    {:<15}{:>12}{:>13}   {until:<20}{verified}", report.code, report.receipts, report.sales)?;
        }
        writeln!(to, "    in quarantine  {:>12}", self.quarantine)?;
        writeln!(to, "    rows waiting   {:>12}\n", self.waiting)?;
        Ok(())
    }

    fn write_conflicts(&self, to: &mut dyn Write) -> Result<()> {
        let (found, settled) = (self.tale.siblings, self.tale.settled);
        writeln!(to, "  written at once      {found:>8}   values on record; conflicts settled by a person: {settled}")?;
        let name = self.tale.about.map_or("", |(_, name, _)| name);
        for one in &self.open {
            let shown = if one.chosen { "shown" } else { "kept" };
            writeln!(
                to,
                "    still open     {:>12}   {} {} from {} ({shown})",
                name,
                one.column,
                one.value,
                called(&one.code)
            )?;
        }
        writeln!(to)?;
        Ok(())
    }

    fn write_counts(&self, to: &mut dyn Write) -> Result<()> {
        let codes: String = self.reports.iter().map(|report| format!("{:>7}", report.code)).collect();
        writeln!(to, "  at the stores    {:>6}{codes}", "all")?;
        let mut row = |label: &str, of: &dyn Fn(usize) -> usize, note: &str| {
            let each: Vec<usize> = (0..self.accounts.len()).map(of).collect();
            let cells: String = each.iter().map(|count| format!("{count:>7}")).collect();
            writeln!(to, "  {}", format!("{label:<17}{:>4}{cells}   {note}", each.iter().sum::<usize>()).trim_end())
        };
        row("files delivered", &|at| self.accounts[at].receipts, "")?;
        row("  accepted", &|at| self.accounts[at].accepted, "")?;
        row("  duplicate", &|at| self.accounts[at].duplicate, "nothing changed")?;
        row("  held", &|at| self.accounts[at].held, "an operator decides")?;
        row("  quarantined", &|at| self.accounts[at].quarantined, "each with its reason beside it")?;
        row(
            "  with no line",
            &|at| usize::try_from(self.tale.offline[at]).unwrap_or(0),
            "taken in while central was out of reach",
        )?;
        row(".dat files", &|at| self.accounts[at].dat_files, "")?;
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            let each: String =
                self.latencies.iter().map(|latencies| format!("{:>7.1}", latencies.percentile_ms(share))).collect();
            let all = self.all_latencies().percentile_ms(share);
            writeln!(to, "  close to .dat {label} {all:>5.1}{each}   ms")?;
        }
        Ok(())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let sum = |of: fn(&Account) -> usize| self.accounts.iter().map(of).sum::<usize>();
        let latencies = self.all_latencies();
        let until = |of: fn(&Report) -> Option<chrono::DateTime<Utc>>| {
            let each =
                self.reports.iter().map(|report| (report.code.clone(), json!(of(report).map(|at| at.to_rfc3339()))));
            each.collect::<Map<_, _>>()
        };
        let mut all = json!({
            "stores": self.accounts.len(),
            "receipts": sum(|account| account.receipts),
            "accepted": sum(|account| account.accepted),
            "duplicate": sum(|account| account.duplicate),
            "held": sum(|account| account.held),
            "quarantined": sum(|account| account.quarantined),
            "dat_files": sum(|account| account.dat_files),
            "lost": self.lost.len(),
            "p50_ms": rounded(latencies.percentile_ms(0.5)),
            "p99_ms": rounded(latencies.percentile_ms(0.99)),
            "central_receipts": self.reports.iter().map(|report| report.receipts).sum::<i64>(),
            "offline_receipts": self.tale.offline.iter().sum::<i64>(),
            "operations": self.operations,
            "siblings": self.tale.siblings,
            "settled": self.tale.settled,
            "in_quarantine": self.quarantine,
            "waiting": self.waiting,
            "converged": self.converged,
            "complete_until": until(|report| report.until),
        });
        if self.reports.iter().any(|report| report.verified.is_some()) {
            all["verified_until"] = until(|report| report.verified).into();
        }
        all
    }

    fn all_latencies(&self) -> Latencies {
        Latencies(self.latencies.iter().flat_map(|latencies| latencies.0.iter().copied()).collect())
    }
}
