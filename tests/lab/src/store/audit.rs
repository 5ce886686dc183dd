//! What became of everything: the files that were dropped, held against the disk and the database.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

use anyhow::Result;
use postgres::Client;

use super::receipts::{Expect, Input};
use super::spool::{Place, Spool};
use crate::wait::until_true;

/// What was counted, and what is missing.
#[derive(Debug, Default)]
pub struct Audit {
    /// Files that terminals delivered and that are finished: the sum of the four outcomes.
    pub receipts: usize,
    /// Deliveries that became a receipt at once.
    pub accepted: usize,
    /// Deliveries of what was there already.
    pub duplicate: usize,
    /// Deliveries that became a receipt which an operator had to decide about, decided or not.
    pub held: usize,
    /// Files in quarantine.
    pub quarantined: usize,
    /// Lines of all receipts in the database.
    pub lines: usize,
    /// `.dat` files that the checkout can see.
    pub dat_files: usize,
    /// Whatever is not where it must be, in words. Empty when nothing was lost.
    pub lost: Vec<String>,
}

/// Waits until nothing is left to do: inboxes are empty and nothing is pending.
pub fn wait_until_done(spool: &Spool, dba: &mut Client, patience: Duration) -> Result<()> {
    until_true("all inboxes are empty and nothing is pending", patience, || {
        spool.waiting() == 0 && dba.query("select from dat.pending_list(1)", &[]).is_ok_and(|rows| rows.is_empty())
    })
}

/// Counts and compares. Call it when nothing is left to do: a file still in its inbox is no loss,
/// but no receipt either.
pub fn audit(spool: &Spool, dba: &mut Client, inputs: &[Input]) -> Result<Audit> {
    let mut audit = Audit::default();
    let places = spool.places();
    let receipts = receipts(dba)?;
    audit.lines = usize::try_from(dba.query_one("select count(*) from sales.receipt_line", &[])?.get::<_, i64>(0))?;
    let mut archived = 0;
    for input in inputs {
        match places.get(&(input.terminal.clone(), input.name.clone())).map(Vec::as_slice) {
            Some([Place::In]) => {}
            Some([Place::Archive]) => archived += 1,
            Some([Place::Quarantine]) => audit.quarantined += 1,
            Some(several) => audit.lost.push(format!("{} is in {} places: {several:?}", input.name, several.len())),
            None => audit.lost.push(format!("{} is in none of in, archive, quarantine", input.name)),
        }
    }
    audit.held = receipts.iter().filter(|receipt| receipt.was_held).count();
    audit.accepted = receipts.len() - audit.held;
    audit.duplicate = archived - receipts.len().min(archived);
    audit.receipts = archived + audit.quarantined;
    if receipts.len() > archived {
        audit.lost.push(format!("{} receipts stand for {archived} archived files", receipts.len()));
    }
    check_rejected(spool, dba, &mut audit)?;
    check_receipts(inputs, &places, &receipts, &mut audit);
    check_dats(spool, dba, inputs, &mut audit)?;
    Ok(audit)
}

struct Receipt {
    terminal: String,
    number: String,
    was_held: bool,
}

fn receipts(dba: &mut Client) -> Result<Vec<Receipt>> {
    let rows = dba.query("select terminal, receipt_number, first_outcome from sales.receipt", &[])?;
    let receipt = |row: postgres::Row| Receipt {
        terminal: row.get(0),
        number: row.get(1),
        was_held: row.get::<_, &str>(2) == "held",
    };
    Ok(rows.into_iter().map(receipt).collect())
}

/// Each file in quarantine has a row, and its reason beside it.
fn check_rejected(spool: &Spool, dba: &mut Client, audit: &mut Audit) -> Result<()> {
    let rejected = dba.query("select distinct terminal, file_name from sales.rejected", &[])?;
    let rows: HashSet<(String, String)> = rejected.iter().map(|row| (row.get(0), row.get(1))).collect();
    for path in spool.files("quarantine") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".reason.json") || name.starts_with('.') {
            continue;
        }
        let folder = path.parent().and_then(|p| p.file_name()).unwrap_or_default().to_string_lossy().into_owned();
        if !rows.iter().any(|(terminal, file)| *terminal == folder && *file == name) {
            audit.lost.push(format!("{name} is in quarantine and not in sales.rejected"));
        }
        if !path.with_file_name(format!("{name}.reason.json")).is_file() {
            audit.lost.push(format!("{name} is in quarantine without its reason"));
        }
    }
    Ok(())
}

/// Each valid file that left its inbox is a receipt, once.
fn check_receipts(
    inputs: &[Input],
    places: &HashMap<(String, String), Vec<Place>>,
    receipts: &[Receipt],
    audit: &mut Audit,
) {
    let mut count: HashMap<(&str, &str, bool), usize> = HashMap::new();
    for receipt in receipts {
        *count.entry((&receipt.terminal, &receipt.number, receipt.was_held)).or_default() += 1;
    }
    for input in inputs {
        let was_held = match input.expect {
            Expect::Accepted => false,
            Expect::Held(_) => true,
            _ => continue,
        };
        let done = places.get(&(input.terminal.clone(), input.name.clone())).is_some_and(|at| at != &[Place::In]);
        match count.get(&(input.terminal.as_str(), input.number.as_str(), was_held)).copied().unwrap_or(0) {
            1 => {}
            0 if !done => {}
            0 => audit.lost.push(format!("{} became no receipt", input.name)),
            times => audit.lost.push(format!("{} became {times} receipts", input.name)),
        }
    }
}

/// What the database published is on the disk, byte for byte, and nothing else is.
fn check_dats(spool: &Spool, dba: &mut Client, inputs: &[Input], audit: &mut Audit) -> Result<()> {
    let mut disk = spool.dats();
    audit.dat_files = disk.len();
    let rows = dba.query("select folder, name, bytes, dat.staged(folder, name, sha256) from dat.file", &[])?;
    let mut names = HashSet::new();
    for row in rows {
        let (folder, name, bytes, state): (String, String, Vec<u8>, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        names.insert(name.clone());
        let found = disk.remove(&format!("{folder}/{name}"));
        match (state.as_str(), found) {
            ("publish", Some(path)) if fs::read(&path).is_ok_and(|on_disk| on_disk == bytes) => {}
            ("publish", Some(_)) => audit.lost.push(format!("{folder}/{name} is not what the database published")),
            ("publish", None) => audit.lost.push(format!("{folder}/{name} is published and not on the disk")),
            (_, Some(_)) => audit.lost.push(format!("{folder}/{name} is withdrawn and still on the disk")),
            (_, None) => {}
        }
    }
    audit.lost.extend(disk.keys().map(|stray| format!("{stray} is on the disk and unknown to the database")));
    let places = spool.places();
    for input in inputs.iter().filter(|input| input.expect == Expect::Accepted && !names.contains(&input.dat_name())) {
        if places.get(&(input.terminal.clone(), input.name.clone())).is_some_and(|at| at != &[Place::In]) {
            audit.lost.push(format!("{} has no .dat", input.name));
        }
    }
    Ok(())
}
