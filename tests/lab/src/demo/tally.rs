//! What became of everything: every file of every store, every row at central, and whether all
//! nodes agree.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use serde_json::{Map, Value, json};

use crate::measure::{Latencies, rounded};
use crate::store::audit::{audit, wait_until_done};
use crate::store::{Audit, PATIENCE};
use crate::wait::until_true;

use super::queries::{Queries, Report, Sibling};
use super::servers::Servers;
use super::story::Counts;

/// What was counted, and what is missing.
#[derive(Debug, Default)]
pub struct Tally {
    pub audits: Vec<Audit>,
    pub latencies: Vec<Latencies>,
    pub reports: Vec<Report>,
    pub counts: Counts,
    /// Conflicts that are still on record about the last customer.
    pub open: Vec<Sibling>,
    pub operations: i64,
    pub quarantine: i64,
    pub waiting: i64,
    pub converged: bool,
    /// Whatever is not where it must be, in words.
    pub lost: Vec<String>,
}

/// Documents of one store with their content, as one number and one digest.
const DOCUMENTS: &str = "select count(*), coalesce(md5(string_agg(doc_id::text || encode(content_hash, 'hex'), ',' order by doc_id)), '') \
    from wire.doc where node_id = $1";
/// Receipts of one store, in their present state.
const RECEIPTS: &str = "select count(*), coalesce(md5(string_agg(concat_ws(' ', receipt_id, state, total), ',' order by receipt_id)), '') \
    from sales.receipt where node_id = $1";

impl Tally {
    /// Waits until nothing is left to do anywhere, then counts and compares.
    pub fn of(servers: &Servers, counts: Counts, trouble: Option<anyhow::Error>) -> Result<Self> {
        let mut queries = Queries::connect(servers.nodes())?;
        let mut all = Self { counts, ..Self::default() };
        all.lost.extend(trouble.map(|error| format!("{error:#}")));
        for shop in &servers.shops {
            let mut dba = shop.rig.dba()?;
            // What is never done is counted as lost, which says more than a time-out.
            let late = wait_until_done(&shop.rig.spool, &mut dba, PATIENCE).err();
            all.lost.extend(late.map(|late| format!("{}: {late}", shop.node.code)));
        }
        all.converged = all.wait_for_central(&mut queries).is_ok();
        for shop in &servers.shops {
            shop.stopwatch.sweep();
            let found = audit(&shop.rig.spool, &mut shop.rig.dba()?, &shop.dropped.inputs())?;
            all.lost.extend(found.lost.iter().map(|lost| format!("{}: {lost}", shop.node.code)));
            all.audits.push(found);
            all.latencies.push(shop.stopwatch.latencies());
        }
        all.compare(servers, &mut queries)?;
        Ok(all)
    }

    /// Nothing lost, and all nodes agree.
    pub fn good(&self) -> bool {
        self.lost.is_empty() && self.converged
    }

    /// Central says of each store that it is complete until after the last receipt, and all nodes
    /// agree.
    fn wait_for_central(&self, queries: &mut Queries) -> Result<()> {
        let over = Utc::now();
        until_true("central is complete and all nodes agree", Duration::from_secs(45), || {
            let complete = |report: &Report| report.until.is_some_and(|until| until > over);
            queries.report().is_ok_and(|reports| reports.iter().all(complete)) && queries.agree().unwrap_or(false)
        })
    }

    /// What central says is complete must be there, to the last receipt and its content.
    fn compare(&mut self, servers: &Servers, queries: &mut Queries) -> Result<()> {
        for (index, shop) in servers.shops.iter().enumerate() {
            for (what, query) in [("documents", DOCUMENTS), ("receipts", RECEIPTS)] {
                let ask = |dba: &mut postgres::Client| -> Result<(i64, String)> {
                    let row = dba.query_one(query, &[&shop.node.id]).context(what)?;
                    Ok((row.get(0), row.get(1)))
                };
                let (there, central) = (ask(queries.store(index))?, ask(queries.central())?);
                if there != central {
                    let (code, has, of) = (shop.node.code, central.0, there.0);
                    self.lost.push(format!("{code}: {has} of {of} {what} are at central, or their content differs"));
                }
            }
        }
        let broken: i64 =
            queries.central().query_one("select count(*) from wire.verify_chains() where not intact", &[])?.get(0);
        if broken > 0 {
            self.lost.push(format!("{broken} hash chains are broken at central"));
        }
        self.operations = queries.sum("select coalesce(sum(last_seq), 0)::bigint from sync.op_counter")?;
        self.quarantine = queries.sum("select count(*) from sync.quarantine where resolved_at is null")?;
        self.waiting = queries.sum(
            "select (select count(*) from sync.head where waits) + (select coalesce(sum(lag_operations), 0)::bigint from sync.status)",
        )?;
        if let Some((customer, _, _)) = self.counts.about {
            self.open = queries.siblings(customer)?;
        }
        self.reports = queries.report()?;
        Ok(())
    }

    /// As one object for programs; its keys are an interface.
    pub fn json(&self) -> Value {
        let sum = |of: fn(&Audit) -> usize| self.audits.iter().map(of).sum::<usize>();
        let latencies = self.all_latencies();
        let until = |of: fn(&Report) -> Option<chrono::DateTime<Utc>>| {
            let each =
                self.reports.iter().map(|report| (report.code.clone(), json!(of(report).map(|at| at.to_rfc3339()))));
            each.collect::<Map<_, _>>()
        };
        let mut all = json!({
            "stores": self.audits.len(),
            "receipts": sum(|audit| audit.receipts),
            "accepted": sum(|audit| audit.accepted),
            "duplicate": sum(|audit| audit.duplicate),
            "held": sum(|audit| audit.held),
            "quarantined": sum(|audit| audit.quarantined),
            "dat_files": sum(|audit| audit.dat_files),
            "lost": self.lost.len(),
            "p50_ms": rounded(latencies.percentile_ms(0.5)),
            "p99_ms": rounded(latencies.percentile_ms(0.99)),
            "central_receipts": self.reports.iter().map(|report| report.receipts).sum::<i64>(),
            "offline_receipts": self.counts.offline.iter().sum::<i64>(),
            "operations": self.operations,
            "siblings": self.counts.siblings,
            "settled": self.counts.resolved,
            "decisions": self.counts.decisions,
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

    /// Those of all stores together.
    pub fn all_latencies(&self) -> Latencies {
        Latencies(self.latencies.iter().flat_map(|latencies| latencies.0.iter().copied()).collect())
    }
}
