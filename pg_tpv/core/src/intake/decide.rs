//! What becomes of one file of a terminal.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::TerminalContext;
use super::undated::{self, StoredReceipt};

use crate::dat;
use crate::day::{self, BusinessDay, Printed, StoreDay};
use crate::document_id::ReceiptKey;
use crate::hash_chain::Hash;
use crate::json::Value;
use crate::problem::Problem;
use crate::receipt::{Hold, IdMap, Intake, Outcome, Receipt, Verdict};

/// What becomes of a file.
#[derive(Debug)]
pub enum Decision {
    /// It is no usable receipt of this terminal.
    Quarantined {
        /// Why.
        problem: Problem,
        /// Whether whoever is responsible for security should know.
        suspicious: bool,
    },
    /// It is stored already, under this id.
    Duplicate(Uuid),
    /// It is a new receipt.
    New(Box<New>),
}

/// The receipt that the terminal issued before this one.
#[derive(Debug)]
pub struct PreviousReceipt<'a> {
    /// Its number and its instant.
    pub printed: day::PreviousTime,
    /// Its id.
    pub receipt_id: Uuid,
    /// The receipt itself; only asked for when this one is wholly negative.
    pub receipt: Option<&'a Receipt>,
}

/// A receipt that is to be stored.
#[derive(Debug)]
pub struct New {
    /// The document's id.
    pub doc_id: Uuid,
    /// The number it claims.
    pub key: ReceiptKey,
    /// Whether another receipt has that number already.
    pub conflicts: bool,
    /// The day on which it first arrived, where its printed date identifies nothing.
    pub arrived_on: Option<NaiveDate>,
    /// The business day.
    pub business_date: NaiveDate,
    /// When it was printed.
    pub printed: Printed,
    /// What the store decided.
    pub intake: Intake,
    /// Its `.dat`; none when it is held, late or undoes another receipt.
    pub dat: Option<Dat>,
    /// The receipt that this one undoes.
    pub voids: Option<Uuid>,
}

/// A `.dat` to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dat {
    /// Folder below the place of publication.
    pub folder: String,
    /// Name in that folder.
    pub name: String,
    /// Empty file that follows it.
    pub trigger_name: Option<String>,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether a character had to be replaced.
    pub substituted: bool,
}

impl New {
    /// Why it is held, when it is.
    pub fn hold(&self) -> Option<&Hold> {
        self.intake.holds.first()
    }

    /// What tells it from other receipts under the same key: nothing for the first, its content for
    /// one that conflicts, its id where its date identifies nothing.
    pub fn variant<'n>(&'n self, content_hash: &'n Hash) -> &'n [u8] {
        match (self.arrived_on, self.conflicts) {
            (Some(_), _) => self.doc_id.as_bytes(),
            (None, true) => content_hash,
            (None, false) => &[],
        }
    }

    /// Whether its number and its time tell where it stands among the receipts of its terminal.
    pub fn is_in_order(&self) -> bool {
        !self.conflicts && self.arrived_on.is_none()
    }

    /// Holds it for one more reason, behind the others. A held receipt has no `.dat`.
    pub fn hold_for(&mut self, problem: &Problem) {
        self.intake.holds.push(problem.into());
        self.dat = None;
    }
}

/// The reason for holding a receipt whose file name another one has.
pub fn name_taken() -> Problem {
    Problem::new("NAME_COLLISION", "/receiptId", "another receipt has a .dat of that name in that folder")
}

/// Decides about a file that was judged, given the receipts that are stored under its key and the
/// one before it. `archived_on` is the day on which it arrived, if it comes out of the archive.
pub fn decide(
    context: &TerminalContext<'_>,
    verdict: &Verdict,
    known: &[StoredReceipt],
    previous: Option<&PreviousReceipt<'_>>,
    archived_on: Option<NaiveDate>,
) -> Decision {
    let (Some(receipt), Some(content_hash)) = (&verdict.receipt, verdict.content_hash) else {
        let nameless = || Problem::new("NOT_A_RECEIPT", "", "the file is not a usable receipt");
        let problem = verdict.problems.first().cloned().unwrap_or_else(nameless);
        return Decision::Quarantined { problem, suspicious: false };
    };
    if receipt.terminal_id != context.terminal {
        let problem =
            Problem::new("WRONG_TERMINAL", "/terminalId", "the receipt names another terminal than its inbox");
        return Decision::Quarantined { problem, suspicious: true };
    }
    let dated = |known: &&StoredReceipt| known.undated.is_none();
    if let Some(same) = known.iter().filter(dated).find(|known| verdict.says(&known.content_hash)) {
        return Decision::Duplicate(same.receipt_id);
    }
    let stamp = verdict.printed.unwrap_or(receipt.timestamp);
    let printed = context.printed(stamp, &receipt.receipt_id, previous.map(|previous| &previous.printed));
    let arrival = archived_on.map_or(context.arrival, |day| context.store.arrival_on(day, &printed));
    let day = context.store.business_day(&printed, arrival, context.window);
    let arrived_on = day.hold.is_some().then(|| context.store.calendar_day(arrival));
    if arrived_on.is_some()
        && let Some(repeated) = undated::repeated(context, known, verdict, archived_on)
    {
        return Decision::Duplicate(repeated);
    }
    let arrived = Arrived { printed, day, arrived_on };
    Decision::New(Box::new(accept(context, verdict, receipt, content_hash, known, previous, arrived)))
}

/// When a receipt was printed, which day that makes it, and on which it arrived if its date
/// identifies nothing.
struct Arrived {
    printed: Printed,
    day: BusinessDay,
    arrived_on: Option<NaiveDate>,
}

fn accept(
    context: &TerminalContext<'_>,
    verdict: &Verdict,
    receipt: &Receipt,
    content_hash: Hash,
    known: &[StoredReceipt],
    previous: Option<&PreviousReceipt<'_>>,
    Arrived { printed, day, arrived_on }: Arrived,
) -> New {
    let (key, at) = (context.key(receipt), receipt.timestamp.local);
    // A date that identifies nothing claims no number, so nobody has it already.
    let conflicts = arrived_on.is_none() && known.iter().any(|known| known.undated.is_none());
    let doc_id = match arrived_on {
        Some(day) => {
            let nth = undated::alike(known, verdict).filter(|(_, undated)| undated.arrived_on == day).count();
            key.undated_document_id(at, &content_hash, day, nth)
        }
        None if conflicts => key.conflicting_document_id(at, &content_hash),
        None => key.document_id(at),
    };
    let late = context.is_closed(day.date);

    let mut flags: BTreeSet<&str> = verdict.flags.iter().copied().collect();
    flags.extend(printed.flag);
    flags.extend(day.flag);
    flags.extend(late.then_some("LATE"));

    let mut problems = Vec::new();
    if conflicts {
        let detail = "another receipt of this terminal and date has this number";
        problems.push(Problem::new("DUP_CONFLICT", "/receiptId", detail));
    }
    if verdict.outcome == Outcome::Held {
        problems.extend(verdict.problems.iter().cloned());
    }
    if receipt.department_code != context.department {
        let detail = "the terminal belongs to another department";
        problems.push(Problem::new("WRONG_DEPARTMENT", "/departmentCode", detail));
    }
    problems.extend(undated::came_before(context, known, verdict).or_else(|| day.hold.clone()));

    let voids = undone(receipt, previous).filter(|_| !conflicts && problems.is_empty());
    let mut dat = None;
    if voids.is_none() && !late {
        match publish(context, verdict, &printed, day.date) {
            Ok(made) => {
                flags.extend(made.substituted.then_some("SUBSTITUTED"));
                dat = problems.is_empty().then_some(made);
            }
            // What the layout cannot show holds the receipt only if nothing else holds it for the
            // same place.
            Err(problem) if problems.iter().all(|other| other.pointer != problem.pointer) => problems.push(problem),
            Err(_) => {}
        }
    }
    let intake = Intake {
        flags: flags.into_iter().map(str::to_owned).collect(),
        holds: problems.iter().map(Hold::from).collect(),
        printed_at: (printed.instant != plain_instant(context.store, receipt)).then_some(printed.instant),
        arrived_on,
        voids,
    };
    New { doc_id, key, conflicts, arrived_on, business_date: day.date, printed, intake, dat, voids }
}

/// The receipt that this one undoes: the one right before it, with the opposite of every line.
fn undone(receipt: &Receipt, previous: Option<&PreviousReceipt<'_>>) -> Option<Uuid> {
    let previous = previous.filter(|_| receipt.wholly_negative())?;
    receipt.is_twin_of(previous.receipt?).then_some(previous.receipt_id)
}

/// When it was printed, for a reader who knows only the receipt and the store's zone.
fn plain_instant(store: StoreDay, receipt: &Receipt) -> DateTime<Utc> {
    store.printed(receipt.timestamp.local, receipt.timestamp.offset, &receipt.receipt_id, None).instant
}

fn publish(
    context: &TerminalContext<'_>,
    verdict: &Verdict,
    printed: &Printed,
    day: NaiveDate,
) -> Result<Dat, Problem> {
    let refusal = |error: dat::RenderError| Problem::new(error.code(), error.pointer.clone(), error.to_string());
    let receipt = with_store_time(verdict.canonical.clone().unwrap_or(Value::Null), printed, day);
    make_dat(context.profile, context.id_map, &receipt, context.published_on()).map_err(refusal)
}

/// The receipt as a layout sees it: with what the store's clock showed and the day that counts.
pub(crate) fn with_store_time(mut receipt: Value, printed: &Printed, day: NaiveDate) -> Value {
    if let Value::Object(members) = &mut receipt {
        // Keys of the same name in the receipt itself are the terminal's and do not count.
        let local = printed.local.format("%Y-%m-%dT%H:%M:%S").to_string();
        members.push(("localTimestamp".to_owned(), Value::String(local)));
        members.push(("businessDate".to_owned(), Value::String(day.to_string())));
    }
    receipt
}

fn make_dat(
    profile: &dat::Profile,
    id_map: &IdMap,
    receipt: &Value,
    published_on: NaiveDate,
) -> Result<Dat, dat::RenderError> {
    let rendered = dat::render(profile, receipt)?;
    let (folder, name) = match id_map.is_empty() {
        true => dat::folder_and_name(profile, receipt, published_on)?,
        false => dat::folder_and_name(profile, &with_name(receipt.clone(), id_map), published_on)?,
    };
    let trigger_name = dat::trigger_name(profile, &name);
    Ok(Dat { folder, name, trigger_name, bytes: rendered.bytes, substituted: rendered.substituted })
}

/// The receipt as the name of its file sees it: with what stands there for its number.
fn with_name(mut receipt: Value, id_map: &IdMap) -> Value {
    if let Value::Object(members) = &mut receipt {
        for (_, value) in members.iter_mut().filter(|(key, _)| key == "receiptId") {
            if let Some(name) = value.as_str().and_then(|number| id_map.name_of(number)) {
                *value = Value::String(name);
            }
        }
    }
    receipt
}

/// The `.dat` of a stored receipt, for an operator who publishes it: `body` is its canonical form.
///
/// # Errors
/// The first value that the layout cannot show.
pub fn dat_of_body(
    context: &TerminalContext<'_>,
    body: &str,
    printed: &Printed,
    day: NaiveDate,
) -> Result<Dat, dat::RenderError> {
    let receipt = crate::json::read(body, usize::MAX).unwrap_or(Value::Null);
    let published_on = context.published_on();
    make_dat(context.profile, context.id_map, &with_store_time(receipt, printed, day), published_on)
}
