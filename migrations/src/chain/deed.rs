//! `tpv-migrate join`, `rejoin`, `renew`, `leave`: each row of the plan is run on its node, and then the line is
//! watched until it is at work.

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::node::told;
use super::pair::{Pair, Standing};
use super::plan::{self, Deed, Step};
use super::secret::Secret;
use super::{NOT_YET, Order, watch};
use crate::console::{Console, FAILURE, SUCCESS};

/// How long a step may take before it is said what may hold it up.
const LONG: Duration = Duration::from_secs(10);

/// As a shell says it of who was interrupted.
const INTERRUPTED: u8 = 130;

/// Runs it. Ctrl-C ends it between two steps or within one; the same command goes on from there.
pub async fn run(order: &Order, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let ended = tokio::select! {
        ended = work(order, console) => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
    };
    ended.unwrap_or_else(|| {
        let word = order.deed.word();
        let _ = writeln!(
            console.err,
            "tpv-migrate: interrupted; what was done stays, and the same {word} goes on from there"
        );
        Ok(INTERRUPTED)
    })
}

async fn work(order: &Order, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let pair = Pair::open(order).await?;
    let standing = match order.deed {
        Deed::Join => pair.standing().await?,
        Deed::Rejoin | Deed::Leave => Standing::ToDo,
        Deed::Renew => {
            pair.must_have_joined().await?;
            Standing::ToDo
        }
    };
    let secrets = (Secret::draw(), Secret::draw());
    let mut steps = if standing == Standing::Joined { Vec::new() } else { pair.steps(order, &secrets).await? };
    if standing == Standing::OnItsWay {
        steps.retain(|step| step.step == plan::REQUEST);
    }
    if order.dry_run {
        show(&steps, order.json, console);
        return Ok(SUCCESS);
    }
    let started = Instant::now();
    let gets_snapshot = standing == Standing::ToDo && order.deed != Deed::Renew;
    let before = watch::Before::of(&pair, gets_snapshot, order.deed == Deed::Renew && order.draw_passwords).await?;
    let mut done = Vec::new();
    for step in &steps {
        let Some(client) = pair.client(step.side) else { continue };
        let at = Instant::now();
        if let Err(error) = patiently(one(client, step), step, console).await {
            let text = secrets.0.hide(&secrets.1.hide(&told(&error)));
            let _ = writeln!(console.err, "tpv-migrate: {}", failed(step, &text, order.deed));
            return Ok(FAILURE);
        }
        let ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !order.json {
            let _ = writeln!(console.out, "{:>4}  {:<10}  {ms:>6} ms  {}", step.step, step.node, step.why);
        }
        done.push(json!({ "step": step.step, "node": step.node, "ms": ms, "why": step.why }));
    }
    let seen = match order.deed {
        Deed::Leave => None,
        Deed::Join | Deed::Rejoin | Deed::Renew => Some(watch::until_running(&pair, &before, order, console).await?),
    };
    let seconds = started.elapsed().as_secs_f64();
    let is_running = seen.as_ref().is_none_or(|seen| seen.is_running);
    let _ = if order.json {
        writeln!(console.out, "{:#}", report(order.deed, &pair.store_code, &done, seen.as_ref(), seconds))
    } else {
        let had_joined = standing == Standing::Joined;
        writeln!(console.out, "{}", sentence(order.deed, had_joined, &pair.store_code, seen.as_ref(), seconds))
    };
    Ok(if is_running { SUCCESS } else { NOT_YET })
}

/// A slot that a command that was killed is still making is not made yet.
const HALF_MADE: &str = "select count(*) from pg_catalog.pg_replication_slots r
    where r.database = current_database() and starts_with(r.slot_name, 'tpv_') and r.confirmed_flush_lsn is null";

async fn one(client: &Client, step: &Step) -> Result<(), tokio_postgres::Error> {
    if step.sql.contains("pg_create_logical_replication_slot") {
        while client.query_one(HALF_MADE, &[]).await?.get::<_, i64>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    client.batch_execute(&step.sql).await
}

async fn patiently<T>(work: impl Future<Output = T>, step: &Step, console: &mut Console<'_>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(LONG, &mut work).await {
            Ok(done) => return done,
            Err(_) => {
                let _ = writeln!(
                    console.err,
                    "step {} at {} takes long ({}); a slot waits for transactions that were open before it, and a subscription \
                     for the other server",
                    step.step, step.node, step.why
                );
            }
        }
    }
}

fn failed(step: &Step, text: &str, deed: Deed) -> String {
    let word = deed.word();
    let give_up = match deed {
        Deed::Join => " To give up, run tpv-migrate leave: slots that were made keep WAL.",
        Deed::Renew => " Do so now: a line that breaks before does not come back by itself.",
        Deed::Rejoin | Deed::Leave => "",
    };
    format!(
        "step {} at {} failed: {text}\n  {}\n  What was done stays; the same {word} goes on from there.{give_up}",
        step.step, step.node, step.shown
    )
}

fn report(deed: Deed, store: &str, done: &[Value], seen: Option<&watch::Seen>, seconds: f64) -> Value {
    json!({
        "store": store,
        "deed": deed.word(),
        "steps": done,
        "running": seen.map(|it| it.is_running),
        "documents": seen.map(|it| it.documents),
        "rows": seen.and_then(|it| it.rows),
        "advice": seen.and_then(|it| it.advice.as_deref()),
        "seconds": (seconds * 10.0).round() / 10.0,
    })
}

fn sentence(deed: Deed, had_joined: bool, store: &str, seen: Option<&watch::Seen>, seconds: f64) -> String {
    match seen {
        None => format!("{store} has left, in {seconds:.1} s; what was exchanged stays on both sides"),
        Some(seen) if seen.is_running && had_joined => {
            format!("nothing to do: {store} has joined, and both directions are running")
        }
        Some(seen) if seen.is_running && deed == Deed::Renew => {
            format!("the line of {store} is renewed, in {seconds:.1} s, and both directions are running")
        }
        Some(seen) if seen.is_running => format!(
            "{store} {}, in {seconds:.1} s: {} documents of it are at central, {} parts of central's snapshot are in the store, \
             and both directions are running",
            if deed == Deed::Join { "has joined" } else { "has joined again" },
            seen.documents,
            seen.parts,
        ),
        Some(seen) => format!(
            "all steps are done, and {store} is not there yet after {seconds:.0} s: {}\n\
             It goes on by itself; tpv-migrate status --central … shows how far it is.",
            seen.advice.as_deref().unwrap_or("it is still at work")
        ),
    }
}

fn show(steps: &[Step], as_json: bool, console: &mut Console<'_>) {
    if as_json {
        let _ = writeln!(console.out, "{:#}", json!(steps));
        return;
    }
    for step in steps {
        let _ = writeln!(console.out, "{:>4}  {:<10}  {}\n      {}\n", step.step, step.node, step.why, step.shown);
    }
    let _ = writeln!(console.out, "nothing was run: --dry-run");
}

#[cfg(test)]
mod tests {
    use super::super::plan::Side;
    use super::*;

    #[test]
    fn a_step_that_failed_is_told_with_what_to_do() {
        let step = Step {
            step: 20,
            node: "S07".to_owned(),
            side: Side::Store,
            shown: "select x".to_owned(),
            sql: "select x".to_owned(),
            why: "y".to_owned(),
        };
        assert_eq!(
            failed(&step, "node 7 is taken", Deed::Join),
            "step 20 at S07 failed: node 7 is taken\n  select x\n  What was done stays; the same join goes on from there. \
             To give up, run tpv-migrate leave: slots that were made keep WAL."
        );
    }

    #[test]
    fn what_is_not_there_yet_is_told_with_its_reason() {
        let seen = watch::Seen { advice: Some("the snapshot is not complete".to_owned()), ..watch::Seen::default() };
        assert_eq!(
            sentence(Deed::Join, false, "S07", Some(&seen), 3600.0),
            "all steps are done, and S07 is not there yet after 3600 s: the snapshot is not complete\n\
             It goes on by itself; tpv-migrate status --central … shows how far it is."
        );
    }
}
