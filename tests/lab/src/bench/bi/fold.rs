//! Until everything is summed up, and how large that is.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use postgres::Client;
use serde_json::{Value, json};

use super::load::Loaded;
use super::nodes::{Nodes, yes};
use crate::life::cents_text;
use crate::machine::Process;
use crate::measure::rounded;
use crate::wait::until_true;

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

const IS_DONE: &str = "select not exists (select from rollup.due) and not exists (select from sync.touched)";

const SIZES: &str = "
select n.nspname || '.' || c.relname, pg_relation_size(c.oid), pg_total_relation_size(c.oid), c.reltuples::bigint
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r'
   and (n.nspname || '.' || c.relname in ('sales.receipt', 'sales.receipt_line')
        or n.nspname = 'rollup' and c.relname in ('bucket', 'sales_hour', 'item_day', 'item', 'tax_day', 'terminal_day'))
 order by n.nspname desc, 3 desc";

/// Has all of it summed up, and waits.
pub fn sum_up(nodes: &mut Nodes, loaded: &Loaded, words: &mut dyn Write) -> Result<Value> {
    let dba = &mut nodes.central;
    until_true("what was furnished is summed up", PATIENCE, || yes(dba, IS_DONE))?;
    let fold = process(dba)?;
    let (started, busy) = (Instant::now(), fold.busy());
    let buckets: i64 = dba.query_one("select rollup.rebuild()", &[])?.get(0);
    wait(dba, buckets)?;
    let (took, busy) = (started.elapsed().as_secs_f64(), (fold.busy() - busy).as_secs_f64());
    let gross: String = dba.query_one("select coalesce(sum(gross), 0)::text from rollup.sales_hour", &[])?.get(0);
    let expected = cents_text(loaded.gross);
    ensure!(gross == expected, "the roll-ups come to {gross}, and should come to {expected}");
    dba.batch_execute(UNTIL)?;
    dba.batch_execute("vacuum (analyze)")?;
    let each = busy * 1000.0 / buckets as f64;
    writeln!(
        words,
        "  rollup.rebuild: {buckets} buckets in {took:.0} s, of which the fold worked {busy:.0} s: {each:.2} ms a bucket; sales come to {gross}, as they should"
    )?;
    words.flush()?;
    let sizes = sizes(dba, words)?;
    Ok(
        json!({ "buckets": buckets, "seconds": rounded(took), "busy_seconds": rounded(busy), "ms_a_bucket": rounded(each),
        "sizes": sizes }),
    )
}

/// Waits until nothing is due, and says how far it is.
fn wait(dba: &mut Client, buckets: i64) -> Result<()> {
    let mut progress = std::io::stderr();
    let mut said = Instant::now();
    until_true("all is summed up", PATIENCE, || {
        if said.elapsed() > Duration::from_secs(5) {
            said = Instant::now();
            let left = dba.query_one("select count(*) from rollup.due", &[]).map_or(buckets, |row| row.get(0));
            let _ = write!(progress, "\r{} of {buckets} buckets are summed up ", buckets - left);
        }
        yes(dba, IS_DONE)
    })?;
    Ok(writeln!(progress)?)
}

/// Stores that are not real send no heartbeats.
const UNTIL: &str = "
insert into rollup.until (node_id, complete_until)
select node_id, now() from org.store where node_id > 1 on conflict do nothing";

/// The process that sums up.
pub fn process(dba: &mut Client) -> Result<Process> {
    let row = dba.query_opt("select pid from pg_stat_activity where backend_type = 'pg_tpv fold'", &[])?;
    let fold = row.and_then(|row| Process::of(row.get(0)));
    fold.ok_or_else(|| anyhow::anyhow!("the fold does not run"))
}

fn sizes(dba: &mut Client, words: &mut dyn Write) -> Result<Value> {
    writeln!(words, "\n  {:<22} {:>12} {:>10} {:>13}", "table", "rows", "MB", "with indexes")?;
    let (mut lines, mut sums, mut all) = (0, 0, serde_json::Map::new());
    for row in dba.query(SIZES, &[])? {
        let (name, heap, total, rows): (String, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let mb = |bytes: i64| bytes as f64 / 1e6;
        writeln!(words, "  {name:<22} {rows:>12} {:>10.1} {:>13.1}", mb(heap), mb(total))?;
        if name.starts_with("rollup.") {
            sums += total
        } else {
            lines += total
        }
        all.insert(name, json!({ "rows": rows, "mb": rounded(mb(heap)), "mb_with_indexes": rounded(mb(total)) }));
    }
    let share = sums as f64 * 100.0 / lines as f64;
    writeln!(words, "  roll-ups take {share:.1} % of what receipts and lines take")?;
    words.flush()?;
    all.insert("percent_of_receipts_and_lines".to_owned(), json!(rounded(share)));
    Ok(all.into())
}
