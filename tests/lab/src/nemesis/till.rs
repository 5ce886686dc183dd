//! The tills of a store, and its operator. Like the watcher, they send again what was not
//! acknowledged.

use std::sync::atomic::AtomicBool;

use postgres::Client;
use uuid::Uuid;

use super::actor::{Actor, Done};
use super::servers::node;
use crate::dice::Dice;
use crate::store;
use crate::store::{Input, ODDITIES, Receipts};

/// Sells until told to stop.
pub fn work(seed: u64, at: usize, url: &str, stop: &AtomicBool) -> Done {
    let mut actor = Actor::new(seed, at as u64, format!("{}-till", node(at + 1).code), url, stop);
    let mut receipts = Receipts::new(actor.dice.below(1000));
    let (mut held, mut sold): (Vec<Uuid>, Vec<Uuid>) = (Vec::new(), Vec::new());
    while actor.goes_on(25) {
        match actor.dice.below(100) {
            0..=7 => decide(&mut actor, at, "release", &mut held),
            8..=12 => decide(&mut actor, at, "void", &mut sold),
            13..=14 => close(&mut actor),
            _ => {
                let answers = sell(&mut actor, &mut receipts);
                for (outcome, receipt) in answers {
                    actor.done.receipts.push((at, receipt));
                    match outcome.as_str() {
                        "held" => held.push(receipt),
                        "accepted" => sold.push(receipt),
                        _ => {}
                    }
                }
            }
        }
    }
    actor.done
}

fn sell(actor: &mut Actor<'_>, receipts: &mut Receipts) -> Vec<(String, Uuid)> {
    let terminal = store::terminal(usize::try_from(actor.dice.below(3)).unwrap_or(0));
    let files: Vec<Input> = (0..actor.dice.between(1, 4))
        .map(|_| match actor.dice.percent(15) {
            true => receipts.odd(*actor.dice.pick(&ODDITIES), &terminal),
            false => receipts.good(&terminal),
        })
        .collect();
    let bytes: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
    loop {
        let answers = actor.attempt(&[], |dba, dice| ingest(dba, dice, &terminal, &bytes));
        if let Some(answers) = answers {
            return answers;
        }
        if !actor.goes_on(5) {
            return Vec::new();
        }
    }
}

/// Some transactions take long, and some are rolled back, as when the disk is full; then their
/// files come again.
fn ingest(
    dba: &mut Client,
    dice: &mut Dice,
    terminal: &str,
    files: &[&[u8]],
) -> Result<Vec<(String, Uuid)>, postgres::Error> {
    let ingest = "select outcome, receipt_id from sales.ingest_files($1, $2, null) where receipt_id is not null";
    loop {
        let mut work = dba.transaction()?;
        let rows = work.query(ingest, &[&terminal, &files])?;
        if dice.percent(5) {
            let ms = dice.between(50, 800);
            work.batch_execute(&format!("select pg_sleep({ms} / 1000.0)"))?;
        }
        if dice.percent(5) {
            work.rollback()?;
            continue;
        }
        work.commit()?;
        return Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
    }
}

/// What an operator decides about a receipt.
fn decide(actor: &mut Actor<'_>, at: usize, kind: &'static str, about: &mut Vec<Uuid>) {
    if about.is_empty() {
        return;
    }
    let index = usize::try_from(actor.dice.below(about.len() as u64)).unwrap_or(0);
    let receipt = about.swap_remove(index);
    let sql = format!("select from sales.{kind}($1, 'nemesis')");
    // A receipt that was voided cannot be released, and a conflict's file name is taken.
    if actor.attempt(&["22023", "23505", "55000", "P0002", "02000"], |dba, _| dba.execute(&sql, &[&receipt])).is_some()
    {
        actor.done.decided.push((at, receipt, kind));
    }
}

/// A day long ago, so that no receipt is late for it.
fn close(actor: &mut Actor<'_>) {
    actor.attempt(&["22023"], |dba, dice| {
        let day = i32::try_from(dice.between(1, 300)).unwrap_or(1);
        dba.execute("select from sales.close_day('2025-01-01'::date + $1::integer, 'nemesis')", &[&day])
    });
}
