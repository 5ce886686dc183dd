//! The questions, each with its time, the rows that it reads, and its plan.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result};
use postgres::error::SqlState;
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

/// Of a question that takes longer the plan is not looked at.
const LONG_MS: f64 = 20_000.0;

/// What a question costs.
#[derive(Clone, Debug)]
struct Answer {
    ms: f64,
    rows: u64,
    /// None where it took too long to look.
    cost: Option<Cost>,
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
        let without = straight.question(sql).map(|sql| without(&mut nodes.central, &sql)).transpose();
        let without = without.with_context(|| format!("question {number} without roll-ups"))?;
        let (ms, read) = match &without {
            None => ("-".to_owned(), "-".to_owned()),
            Some(None) => (format!("> {LONGEST}"), "-".to_owned()),
            Some(Some(answer)) => (format!("{:.1}", answer.ms), answer.read()),
        };
        let short: String = title.chars().take(56).collect();
        let (pages, nodes) = with.cost.as_ref().map_or((0.0, ""), |cost| (cost.pages, cost.nodes.as_str()));
        writeln!(
            words,
            "  {number:>2} {short:<56} {:>9.1} {:>10} {pages:>8.0} {ms:>11} {read:>11}  {nodes}",
            with.ms,
            with.read()
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
    /// How many rows were read, as text.
    fn read(&self) -> String {
        self.cost.as_ref().map_or_else(|| "-".to_owned(), |cost| format!("{:.0}", cost.rows))
    }

    fn as_json(&self) -> Value {
        let (ms, answer_rows) = (rounded(self.ms), self.rows);
        match &self.cost {
            Some(Cost { rows, pages, nodes }) => {
                json!({ "ms": ms, "answer_rows": answer_rows, "rows_read": rows, "pages": pages, "plan": nodes })
            }
            None => json!({ "ms": ms, "answer_rows": answer_rows }),
        }
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
    // Who waited that long once is not asked again.
    if times.iter().any(|ms| *ms > LONG_MS) {
        return Ok(Answer { ms: median(times), rows, cost: None });
    }
    let explained: Value = dba.query_one(&format!("explain (analyze, buffers, format json) {sql}"), &[])?.get(0);
    Ok(Answer { ms: median(times), rows, cost: Some(plan::cost(&explained)) })
}

/// None when it takes too long.
fn without(dba: &mut Client, sql: &str) -> Result<Option<Answer>> {
    dba.batch_execute(&format!("set statement_timeout = '{LONGEST}'"))?;
    let answer = ask(dba, sql, 0);
    dba.batch_execute("reset statement_timeout")?;
    let is_too_long = |error: &anyhow::Error| {
        let code = error.downcast_ref::<postgres::Error>().and_then(postgres::Error::code);
        code == Some(&SqlState::QUERY_CANCELED)
    };
    match answer {
        Err(error) if is_too_long(&error) => Ok(None),
        answer => answer.map(Some),
    }
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
