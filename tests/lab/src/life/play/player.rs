//! Hands in files, decides and closes, as events say.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail};
use chrono::NaiveDate;
use postgres::Client;
use uuid::Uuid;

use crate::life::{Decision, Event, Fate, File, Life, TicketKey, What};

/// More files than these are not taken in one call.
const MOST_FILES: usize = 64;

/// Tells events to stores. What it has told already can be told again, by this one or by another:
/// nothing happens twice.
#[derive(Debug)]
pub struct Player<'l> {
    life: &'l Life,
    /// Files in one call.
    together: usize,
    ids: HashMap<TicketKey, Uuid>,
}

impl<'l> Player<'l> {
    /// Hands in up to so many files at once, at most 64.
    pub fn new(life: &'l Life, together: usize) -> Self {
        Self { life, together: together.clamp(1, MOST_FILES), ids: HashMap::new() }
    }

    /// The receipt of a ticket that was handed in.
    pub fn receipt(&self, key: &TicketKey) -> Option<Uuid> {
        self.ids.get(key).copied()
    }

    /// Tells events in their order. `stores` are connections of the DBA to the stores of the life,
    /// by place; a store without one is left out, with its events.
    pub fn play<'e>(
        &mut self,
        stores: &mut BTreeMap<usize, Client>,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<()> {
        // Files of one terminal keep their order; those of two have none.
        let mut waiting: BTreeMap<(usize, usize), Vec<&File>> = BTreeMap::new();
        for event in events {
            let Some(dba) = stores.get_mut(&event.store) else { continue };
            match &event.what {
                What::File(file) => {
                    let files = waiting.entry((event.store, file.ticket.terminal)).or_default();
                    files.push(file);
                    if files.len() >= self.together {
                        self.hand_in(dba, &std::mem::take(files))?;
                    }
                }
                What::Decision(key, decision) => {
                    self.hand_in_all(dba, event.store, &mut waiting)?;
                    self.decide(dba, key, *decision)?;
                }
                What::Close(date) => {
                    self.hand_in_all(dba, event.store, &mut waiting)?;
                    close(dba, *date)?;
                }
            }
        }
        for (store, dba) in stores {
            self.hand_in_all(dba, *store, &mut waiting)?;
        }
        Ok(())
    }

    fn hand_in_all(
        &mut self,
        dba: &mut Client,
        store: usize,
        waiting: &mut BTreeMap<(usize, usize), Vec<&File>>,
    ) -> Result<()> {
        for (_, files) in waiting.range_mut((store, 0)..=(store, usize::MAX)) {
            self.hand_in(dba, &std::mem::take(files))?;
        }
        Ok(())
    }

    /// Hands in files of one terminal.
    fn hand_in(&mut self, dba: &mut Client, files: &[&File]) -> Result<()> {
        let Some(first) = files.first() else { return Ok(()) };
        let terminal = &self.life.stores[first.ticket.store].terminals[first.ticket.terminal].code;
        let bytes: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
        let names: Vec<String> =
            files.iter().map(|file| format!("{}/{}", file.on.format("%Y%m%d"), file.name)).collect();
        let sql = "select \"position\", outcome, receipt_id, code, pointer, detail from sales.ingest_files($1, $2, $3)";
        let rows = dba.query(sql, &[terminal, &bytes, &names]).context("handing in files")?;
        for (file, row) in files.iter().zip(rows) {
            let (outcome, id): (&str, Option<Uuid>) = (row.get(1), row.get(2));
            let expected = match file.ticket.fate {
                Fate::Held(_) => "held",
                _ => "accepted",
            };
            if outcome != expected && outcome != "duplicate" {
                let why: [Option<&str>; 3] = [row.get(3), row.get(4), row.get(5)];
                bail!(
                    "{} is {outcome}, and should be {expected}: {}",
                    file.name,
                    why.map(Option::unwrap_or_default).join(" ")
                );
            }
            if let Some(id) = id {
                self.ids.insert(file.ticket.key(), id);
            }
        }
        Ok(())
    }

    fn decide(&self, dba: &mut Client, key: &TicketKey, decision: Decision) -> Result<()> {
        let id = self.ids.get(key).with_context(|| format!("{key:?} was not handed in"))?;
        let state: String = dba
            .query_one("select state from sales.receipt where receipt_id = $1", &[id])
            .context("the receipt")?
            .get(0);
        let (sql, is_done) = match decision {
            Decision::Release => ("select sales.release($1, 'the clerk says it is right')", state == "released"),
            Decision::Void => ("select sales.void($1, 'the customer did not take it')", state == "voided"),
        };
        if !is_done {
            dba.execute(sql, &[id]).with_context(|| format!("{decision:?} of {key:?}, which is {state}"))?;
        }
        Ok(())
    }
}

fn close(dba: &mut Client, date: NaiveDate) -> Result<()> {
    let sql = "select sales.close_day($1, 'end of the day') \
                where not exists (select from sales.day_close where business_date = $1 and node_id = (select node_id from sync.this_node))";
    dba.execute(sql, &[&date]).with_context(|| format!("closing {date}"))?;
    Ok(())
}
