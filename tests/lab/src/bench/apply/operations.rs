//! Operations a second: edits of customers at a store, merged at central.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::pair::Pair;
use super::way::Way;
use crate::measure::median;
use crate::wait::until_true;

const CUSTOMERS: i32 = 500;
const EDITS: i32 = 3_000;
const PATIENCE: Duration = Duration::from_secs(60);

const EDIT: &str = "do $$ begin for n in 1..EDITS loop \
    update party.customer set phone = 'ROUND-' || n, city = 'Cádiz ' || ROUND where name = 'customer ' || n % CUSTOMERS; \
    commit; end loop; end $$";

/// One edit a transaction, of 500 customers in turn, while the subscription is off; then it is on.
pub fn run(pair: &mut Pair, words: &mut dyn Write, rounds: usize) -> Result<Value> {
    pair.store.execute(
        "insert into party.customer (name) select 'customer ' || n from generate_series(0, $1 - 1) as n",
        &[&CUSTOMERS],
    )?;
    pair.store.batch_execute("create index on party.customer (name); analyze party.customer")?;
    wait_for_last(pair)?;
    let mut rates = Vec::new();
    for round in 0..=rounds {
        pair.pause(Way::Tpv)?;
        let edit = EDIT.replace("EDITS", &EDITS.to_string()).replace("CUSTOMERS", &CUSTOMERS.to_string());
        pair.store.batch_execute(&edit.replace("ROUND", &round.to_string()))?;
        let started = Instant::now();
        pair.resume(Way::Tpv)?;
        wait_for_last(pair)?;
        if round > 0 {
            rates.push(f64::from(EDITS) / started.elapsed().as_secs_f64());
        }
    }
    let rate = median(rates).round();
    writeln!(words, "\n  journal: {EDITS} edits of {CUSTOMERS} customers, two columns each, one a transaction")?;
    writeln!(words, "  {:<22} {rate:>10.0} operations/s, merged into their rows", "tpv")?;
    words.flush()?;
    Ok(json!({ "operations_per_second": rate, "operations": EDITS }))
}

fn wait_for_last(pair: &mut Pair) -> Result<()> {
    let last: i64 = pair.store.query_one("select last_seq from sync.op_counter", &[])?.get(0);
    let there = pair.central.prepare("select exists (select from wire.op where node_id = 1 and seq = $1)")?;
    until_true("the last operation is there", PATIENCE, || {
        pair.central.query_one(&there, &[&last]).is_ok_and(|row| row.get(0))
    })
}
