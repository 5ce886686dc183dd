//! Writes the rows of what was decided: documents, keys, raw bytes, refusals.

use std::collections::HashMap;

use tpv_core::actor::Actor;
use tpv_core::document_id::document_about;
use tpv_core::document_kind::DocumentKind;
use tpv_core::hash_chain::{Hash, sha256};
use tpv_core::intake::{Dat, Decision, New};
use tpv_core::problem::Problem;
use tpv_core::receipt::reason;
use uuid::Uuid;

use super::answer::Answer;
use super::dat_file;
use super::file::File;
use super::hash_chain::HashChain;
use super::sort::new_of;
use super::terminal::Terminal;
use crate::postgres::sql;

/// Writes all rows, and answers for each file.
pub fn write(terminal: &Terminal, mut chain: HashChain, files: &[File<'_>], decisions: Vec<Decision>) -> Vec<Answer> {
    for (file, decision) in files.iter().zip(&decisions) {
        if let (Decision::New(new), Some(body)) = (decision, &file.verdict.body) {
            append(terminal.node_id, &mut chain, new, body);
        }
    }
    chain.write();
    write_keys(terminal, files, &decisions);
    write_tail(terminal, &decisions);
    for new in new_of(&decisions) {
        if let Some(undone) = new.voids {
            dat_file::withdraw(terminal.node_id, undone, UNDONE);
        }
    }
    write_raw(terminal, files, &decisions);
    let first = first_deliveries(terminal, files, &decisions);
    let answer = |(file, decision): (&File<'_>, Decision)| match decision {
        Decision::Quarantined { problem, suspicious } => {
            refuse(&terminal.code, file.name, file.raw, &problem, suspicious)
        }
        Decision::Duplicate(id) => first.get(&id).map_or_else(Answer::default, |first| first.answer(id)),
        Decision::New(new) => accepted(*new),
    };
    files.iter().zip(decisions).map(answer).collect()
}

const UNDONE: &str = "undone by the ticket after it";

/// The receipt, what the store decided about it, and what it undoes.
fn append(node_id: i32, chain: &mut HashChain, new: &New, body: &str) {
    chain.append(DocumentKind::Receipt, new.business_date, new.doc_id, body.to_owned());
    if !new.intake.is_empty() {
        let id = document_about(node_id, DocumentKind::Intake, new.doc_id, 0);
        chain.append(DocumentKind::Intake, new.business_date, id, new.intake.to_body(new.doc_id));
    }
    if let Some(undone) = new.voids {
        let id = document_about(node_id, DocumentKind::Void, undone, 0);
        let by = Actor::Terminal(new.key.terminal.clone());
        let body = reason(Some(undone), &by, UNDONE, Some(new.doc_id));
        chain.append(DocumentKind::Void, new.business_date, id, body);
    }
}

fn accepted(new: New) -> Answer {
    let reason = new.hold().cloned();
    let outcome = if reason.is_some() { "held" } else { "accepted" };
    Answer {
        outcome,
        receipt_id: Some(new.doc_id),
        dat: new.dat,
        first_outcome: Some(outcome.to_owned()),
        flags: new.intake.flags,
        reason,
    }
}

const KEYS: &str = r"
    insert into sales.receipt_key (terminal, printed_date, series, receipt_number, variant, receipt_id,
      business_date, content_hash, first_outcome, flags, arrived_on)
    select $1, k.printed_date, k.series, k.receipt_number, k.variant, k.receipt_id, k.business_date, k.content_hash,
      k.first_outcome, k.flags::text[], k.arrived_on
    from unnest($2::date[], $3::text[], $4::text[], $5::bytea[], $6::uuid[], $7::date[], $8::bytea[], $9::text[],
        $10::text[], $11::date[])
      as k (printed_date, series, receipt_number, variant, receipt_id, business_date, content_hash, first_outcome, flags,
        arrived_on)";

fn write_keys(terminal: &Terminal, files: &[File<'_>], decisions: &[Decision]) {
    let new: Vec<(&New, Hash)> = files
        .iter()
        .zip(decisions)
        .filter_map(|(file, decision)| match decision {
            Decision::New(new) => Some((&**new, file.verdict.content_hash?)),
            _ => None,
        })
        .collect();
    if new.is_empty() {
        return;
    }
    // Flags are words of our own, so the text of the array needs no quotes.
    let flags = |new: &New| format!("{{{}}}", new.intake.flags.join(","));
    let outcome = |new: &New| if new.hold().is_some() { "held" } else { "accepted" };
    let args = [
        terminal.code.as_str().into(),
        new.iter().map(|(new, _)| sql::date(new.key.printed_date)).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| new.key.series.as_str()).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| new.key.number.as_str()).collect::<Vec<_>>().into(),
        new.iter().map(|(new, hash)| new.variant(hash).to_vec()).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| sql::uuid(new.doc_id)).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| sql::date(new.business_date)).collect::<Vec<_>>().into(),
        new.iter().map(|(_, hash)| hash.to_vec()).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| outcome(new)).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| flags(new)).collect::<Vec<_>>().into(),
        new.iter().map(|(new, _)| new.arrived_on.map(sql::date)).collect::<Vec<_>>().into(),
    ];
    sql::execute(KEYS, &args);
}

const TAIL: &str = r"
    insert into sales.terminal_tail (terminal, receipt_id, business_date, receipt_number, printed_at)
    values ($1, $2, $3, $4, $5::timestamptz)
    on conflict (terminal) do update set receipt_id = excluded.receipt_id, business_date = excluded.business_date,
      receipt_number = excluded.receipt_number, printed_at = excluded.printed_at";

fn write_tail(terminal: &Terminal, decisions: &[Decision]) {
    if let Some(last) = new_of(decisions).filter(|new| new.is_in_order()).last() {
        let args = [
            terminal.code.as_str().into(),
            sql::uuid(last.doc_id).into(),
            sql::date(last.business_date).into(),
            last.key.number.as_str().into(),
            sql::instant(last.printed.instant).into(),
        ];
        sql::execute(TAIL, &args);
    }
}

const RAW: &str = r"
    insert into sales.raw (terminal, file_name, outcome, receipt_id, bytes)
    select $1, r.file_name, r.outcome, r.receipt_id, r.bytes
    from unnest($2::text[], $3::text[], $4::uuid[], $5::bytea[]) as r (file_name, outcome, receipt_id, bytes)";

fn write_raw(terminal: &Terminal, files: &[File<'_>], decisions: &[Decision]) {
    let stored = |(file, decision)| {
        let (outcome, id) = match decision {
            &Decision::Quarantined { .. } => return None,
            Decision::Duplicate(id) => ("duplicate", *id),
            Decision::New(new) => (if new.hold().is_some() { "held" } else { "accepted" }, new.doc_id),
        };
        let file: &File<'_> = file;
        Some((file.name, outcome, id, file.raw))
    };
    let rows: Vec<_> = files.iter().zip(decisions).filter_map(stored).collect();
    if rows.is_empty() {
        return;
    }
    let args = [
        terminal.code.as_str().into(),
        rows.iter().map(|row| row.0).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.1).collect::<Vec<_>>().into(),
        rows.iter().map(|row| sql::uuid(row.2)).collect::<Vec<_>>().into(),
        rows.iter().map(|row| row.3).collect::<Vec<_>>().into(),
    ];
    sql::execute(RAW, &args);
}

/// The answer to the first delivery of a receipt, and the `.dat` that the receipt has now.
struct First {
    outcome: String,
    flags: Vec<String>,
    dat: Option<Dat>,
}

impl First {
    fn answer(&self, receipt_id: Uuid) -> Answer {
        Answer {
            outcome: "duplicate",
            receipt_id: Some(receipt_id),
            dat: self.dat.clone(),
            first_outcome: Some(self.outcome.clone()),
            flags: self.flags.clone(),
            reason: None,
        }
    }
}

const FIRST: &str = r"
    select k.receipt_id, k.first_outcome, k.flags, f.folder, f.name, f.trigger_name, f.bytes
    from unnest($3::date[], $4::text[], $5::text[]) as d (printed_date, series, receipt_number)
    cross join lateral (
      select k.receipt_id, k.first_outcome, k.flags from sales.receipt_key k
       where k.terminal = $2 and k.printed_date = d.printed_date and k.series = d.series
         and k.receipt_number = d.receipt_number
      offset 0) k
    left join lateral (
      select f.folder, f.name, f.trigger_name, f.bytes from dat.file f
       where f.node_id = $1 and f.receipt_id = k.receipt_id and f.withdrawn_at is null
      offset 0) f on true";

fn first_deliveries(terminal: &Terminal, files: &[File<'_>], decisions: &[Decision]) -> HashMap<Uuid, First> {
    let context = terminal.context(chrono::Utc::now());
    let repeated = |(file, decision): (&File<'_>, &Decision)| match decision {
        Decision::Duplicate(_) => Some(context.key(file.verdict.receipt.as_ref()?)),
        _ => None,
    };
    let keys: Vec<_> = files.iter().zip(decisions).filter_map(repeated).collect();
    if keys.is_empty() {
        return HashMap::new();
    }
    let args = [
        terminal.node_id.into(),
        terminal.code.as_str().into(),
        keys.iter().map(|key| sql::date(key.printed_date)).collect::<Vec<_>>().into(),
        keys.iter().map(|key| key.series.as_str()).collect::<Vec<_>>().into(),
        keys.iter().map(|key| key.number.as_str()).collect::<Vec<_>>().into(),
    ];
    let rows = sql::rows(FIRST, &args, |row| {
        let dat = row.get::<String>(4).map(|folder| Dat {
            folder,
            name: row.must(5),
            trigger_name: row.get(6),
            bytes: row.must(7),
            substituted: false,
        });
        (row.uuid(1), First { outcome: row.must(2), flags: row.must(3), dat })
    });
    rows.into_iter().collect()
}

const REJECT: &str = r"
    insert into sales.rejected (terminal, file_name, size_bytes, sha256, code, pointer, detail, raw)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing";

/// A file that is larger than any receipt is not kept here: it lies in the quarantine folder.
const MOST_RAW: usize = 16 * 1024 * 1024;

const ALARM: &str = "insert into sec.audit (event, subject, detail) values ($1, $2, $3)";

/// Records a file that is no receipt of this terminal. The same bytes again add nothing.
pub fn refuse(terminal: &str, name: Option<&str>, raw: &[u8], problem: &Problem, suspicious: bool) -> Answer {
    let kept = Some(raw).filter(|raw| raw.len() <= MOST_RAW);
    let args = [
        terminal.into(),
        name.into(),
        i64::try_from(raw.len()).unwrap_or(i64::MAX).into(),
        sha256(raw).to_vec().into(),
        problem.code.into(),
        problem.pointer.as_str().into(),
        problem.detail.as_str().into(),
        kept.into(),
    ];
    let recorded = sql::execute(REJECT, &args);
    if suspicious && recorded > 0 {
        sql::execute(ALARM, &[problem.code.into(), terminal.into(), problem.detail.as_str().into()]);
    }
    Answer::quarantined(problem)
}
