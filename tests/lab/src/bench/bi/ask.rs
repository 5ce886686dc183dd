//! The questions, each with its time, the rows that it reads, and its plan.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result};
use postgres::{Client, SimpleQueryMessage};
use serde_json::{Value, json};

use super::nodes::Nodes;
use super::plan::{self, Cost};
use super::question::Question;
use super::straight::Straight;
use crate::measure::{median, rounded};

/// How often a question is asked; once more before, to warm caches.
const ROUNDS: usize = 3;

/// A question without roll-ups is given up after this.
const LONGEST: &str = "120s";

/// What a question costs.
#[derive(Clone, Debug)]
struct Answer {
    ms: f64,
    rows: u64,
    cost: Cost,
}

/// Asks all of them, with roll-ups and without.
pub fn all(nodes: &mut Nodes, questions: &[Question], words: &mut dyn Write) -> Result<Value> {
    let straight = Straight::make(&mut nodes.central)?;
    let mut analyst = nodes.at_central.connect()?;
    analyst.batch_execute("set role tpv_analyst")?;
    writeln!(
        words,
        "\n  questions of docs/analyst.md as an analyst; medians of {ROUNDS}; without: the same views over receipts and lines, asked once, given up after {LONGEST}\n\
         \n  {:>2} {:<56} {:>9} {:>10} {:>8} {:>11} {:>11}  plan",
        "", "", "ms", "rows read", "pages", "without, ms", "rows read"
    )?;
    let mut answers = Vec::new();
    for question in questions {
        let Question { number, title, sql } = question;
        let with = ask(&mut analyst, sql, ROUNDS).with_context(|| format!("question {number}"))?;
        let without = straight.question(sql).map(|sql| without(&mut nodes.central, &sql));
        let (ms, read) = match &without {
            None => ("-".to_owned(), "-".to_owned()),
            Some(None) => (format!("> {LONGEST}"), "-".to_owned()),
            Some(Some(answer)) => (format!("{:.1}", answer.ms), format!("{:.0}", answer.cost.rows)),
        };
        let short: String = title.chars().take(56).collect();
        let Cost { rows, pages, nodes } = &with.cost;
        writeln!(
            words,
            "  {number:>2} {short:<56} {:>9.1} {rows:>10.0} {pages:>8.0} {ms:>11} {read:>11}  {nodes}",
            with.ms
        )?;
        words.flush()?;
        let without = without.map(|answer| answer.map_or_else(|| json!("given up"), |answer| answer.as_json()));
        answers.push(json!({ "number": number, "question": title, "with": with.as_json(), "without": without }));
    }
    let guess = guess(&mut nodes.central)?;
    writeln!(
        words,
        "\n  without roll-ups a rate that is not printed is that of the department; to ask the catalog takes {guess:.0} µs a line\n"
    )?;
    Ok(json!({ "answers": answers, "catalog_us_a_line": rounded(guess) }))
}

impl Answer {
    fn as_json(&self) -> Value {
        let Cost { rows, pages, nodes } = &self.cost;
        json!({ "ms": rounded(self.ms), "answer_rows": self.rows, "rows_read": rows, "pages": pages, "plan": nodes })
    }
}

fn ask(dba: &mut Client, sql: &str, rounds: usize) -> Result<Answer> {
    let (mut times, mut rows) = (Vec::new(), 0);
    // Asked for the first time it may find nothing in memory, which says more of the disk.
    for round in 0..=rounds {
        let started = Instant::now();
        let answer = dba.simple_query(sql)?;
        if round > 0 || rounds == 0 {
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        rows = answer.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).count() as u64;
    }
    let explained: Value = dba.query_one(&format!("explain (analyze, buffers, format json) {sql}"), &[])?.get(0);
    Ok(Answer { ms: median(times), rows, cost: plan::cost(&explained) })
}

/// None when it takes too long.
fn without(dba: &mut Client, sql: &str) -> Option<Answer> {
    dba.batch_execute(&format!("set statement_timeout = '{LONGEST}'")).ok()?;
    let answer = ask(dba, sql, 0);
    dba.batch_execute("reset statement_timeout").ok()?;
    answer.ok()
}

/// What it takes to ask the catalog for the rate of one line.
fn guess(dba: &mut Client) -> Result<f64> {
    const LINES: i64 = 5000;
    let started = Instant::now();
    dba.query(
        "select count(t.rate) from (select l.*, r.department from sales.receipt_line l join sales.receipt r using (node_id, receipt_id) \
          where l.tax_rate is null limit $1) l cross join lateral catalog.line_tax(l.node_id, l.department, l.barcode, l.tax_rate, l.business_date) t",
        &[&LINES],
    )?;
    Ok(started.elapsed().as_secs_f64() * 1e6 / LINES as f64)
}
