//! What reports cost at central: the twenty questions of `docs/analyst.md` with roll-ups and without,
//! what the roll-ups take to make and to keep, and one late receipt.
//!
//! | file | has |
//! | --- | --- |
//! | `extent` | how large the chain is |
//! | `nodes` | central, and a store that hands in late receipts |
//! | `load`, `rows` | receipts and lines of a life, copied into central's tables |
//! | `fold` | until everything is summed up, and how large that is |
//! | `question` | the questions, out of the document |
//! | `ask` | an answer's time, rows and plan |
//! | `plan` | what a plan says |
//! | `straight` | the same views without roll-ups |
//! | `late` | one late receipt in a month-old day |

mod ask;
mod extent;
mod fold;
mod late;
mod load;
mod nodes;
mod plan;
mod question;
mod rows;
mod straight;

use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};

use crate::machine::Lab;
use nodes::Nodes;

/// Fills central, sums it up, asks, and hands in late receipts.
pub fn run(words: &mut dyn Write, lines: Option<u64>, quick: bool) -> Result<Value> {
    let lab = Lab::open()?;
    let questions = question::read(&lab.checkout.join("docs/analyst.md"))?;
    let life = extent::life(lines, quick);
    let mut nodes = Nodes::start(&lab, &life)?;
    let loaded = load::fill(&nodes, &life, words)?;
    let summed = fold::sum_up(&mut nodes, &loaded, words)?;
    let late = late::measure(&mut nodes, &life, words)?;
    let answers = ask::all(&mut nodes, &questions, words)?;
    Ok(json!({ "load": loaded.as_json(), "fold": summed, "late": late, "questions": answers }))
}
