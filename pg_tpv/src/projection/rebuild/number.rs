//! The arbiter of this node's own receipts, `sales.receipt_key`. It is no projection, but follows
//! from the node's own documents; no other transaction changes a row of it.

use std::collections::BTreeMap;
use std::time::Duration;

use tpv_core::intake::receipt_key;
use tpv_core::rebuild::{Values, differences};
use tpv_core::receipt::{Receipt, ReceiptState};
use uuid::Uuid;

use super::counts::{Counts, Projection};
use super::slice::{Compared, Key, Keys, Slice};

use crate::node::this_node;
use crate::postgres::{sql, within};
use crate::projection::state_of_receipt;
use crate::wire::Document;

/// As for receipts.
const PATIENCE: Duration = Duration::from_millis(100);

/// Adds the row that a receipt of this node explains.
pub fn explain(document: &Document, state: &ReceiptState, keys: &mut Keys) {
    if this_node() != Some(document.node_id) {
        return;
    }
    let Ok(receipt) = Receipt::from_body(&document.body) else { return };
    let key = receipt_key(document.node_id, &receipt.terminal_id, &receipt);
    let variant = match state.arrived_on {
        Some(_) => document.doc_id.as_bytes().to_vec(),
        None if key.document_id(receipt.timestamp.local) == document.doc_id => Vec::new(),
        None => document.content_hash.clone(),
    };
    let date = |date: chrono::NaiveDate| date.format("%Y-%m-%d").to_string();
    let outcome = if state.hold.is_some() { "held" } else { "accepted" };
    // Flags are words of our own, so the text of the array needs no quotes.
    let values = vec![
        Some(document.doc_id.to_string()),
        Some(date(document.business_date)),
        Some(hex(&document.content_hash)),
        Some(outcome.to_owned()),
        Some(format!("{{{}}}", state.flags.join(","))),
        state.arrived_on.map(date),
    ];
    keys.insert([key.terminal, date(key.printed_date), key.series, key.number, hex(&variant)], values);
}

const OF_DATE: &str = r"
    select array[terminal, to_char(printed_date, 'YYYY-MM-DD'), series, receipt_number, encode(variant, 'hex')],
      array[receipt_id::text, to_char(business_date, 'YYYY-MM-DD'), encode(content_hash, 'hex'), first_outcome,
        flags::text, to_char(arrived_on, 'YYYY-MM-DD')], receipt_id
    from sales.receipt_key where business_date = $1";
const OF_KEY: &str = r"
    select array[k.terminal, to_char(k.printed_date, 'YYYY-MM-DD'), k.series, k.receipt_number, encode(k.variant, 'hex')],
      array[k.receipt_id::text, to_char(k.business_date, 'YYYY-MM-DD'), encode(k.content_hash, 'hex'), k.first_outcome,
        k.flags::text, to_char(k.arrived_on, 'YYYY-MM-DD')]
    from sales.receipt_key k
    where (k.terminal, k.printed_date, k.series, k.receipt_number, k.variant)
      = ($1, to_date($2, 'YYYY-MM-DD'), $3, $4, decode($5, 'hex'))";
const ADD: &str = r"
    insert into sales.receipt_key (terminal, printed_date, series, receipt_number, variant, receipt_id, business_date,
      content_hash, first_outcome, flags, arrived_on)
    values ($1, to_date($2, 'YYYY-MM-DD'), $3, $4, decode($5, 'hex'), $6::uuid, to_date($7, 'YYYY-MM-DD'),
      decode($8, 'hex'), $9, $10::text[], to_date($11, 'YYYY-MM-DD'))
    on conflict (terminal, printed_date, series, receipt_number, variant) do update
      set receipt_id = excluded.receipt_id, business_date = excluded.business_date,
          content_hash = excluded.content_hash, first_outcome = excluded.first_outcome, flags = excluded.flags,
          arrived_on = excluded.arrived_on";
const REMOVE: &str = r"
    delete from sales.receipt_key k
    where (k.terminal, k.printed_date, k.series, k.receipt_number, k.variant)
      = ($1, to_date($2, 'YYYY-MM-DD'), $3, $4, decode($5, 'hex'))";

/// Compares the rows of a slice of this node.
pub fn compare(slice: Slice, compared: &Compared, dry_run: bool, counts: &mut Counts) {
    if this_node() != Some(slice.node_id) {
        return;
    }
    let rows = sql::rows(OF_DATE, &[slice.date.into()], |row| (key(row), row.must::<Values>(2), row.uuid(3)));
    let mut there: Keys = rows.iter().map(|(key, values, _)| (key.clone(), values.clone())).collect();
    let mut explained = compared.keys.clone();
    // A row with a wrong date.
    for key in compared.keys.keys().filter(|key| !there.contains_key(*key)).cloned().collect::<Vec<_>>() {
        there.extend(sql::rows(OF_KEY, &args(&key), |row| (self::key(row), row.must::<Values>(2))));
    }
    // A row that has the date of this slice, and is that of a receipt of another.
    let ids: BTreeMap<&Key, Uuid> = rows.iter().map(|(key, _, id)| (key, *id)).collect();
    for id in
        there.keys().filter(|key| !explained.contains_key(*key)).filter_map(|key| ids.get(key)).collect::<Vec<_>>()
    {
        explain_other(slice.node_id, *id, &there, &mut explained);
    }
    counts.of(Projection::Key).looked_at += compared.keys.len();
    let todo = differences(&explained, &there);
    if dry_run || todo.is_empty() {
        return counts.add(Projection::Key, &todo);
    }
    let written = within(PATIENCE, || {
        for key in todo.missing.iter().chain(&todo.wrong) {
            let values = explained[key].iter().map(|value| value.clone().into());
            sql::execute(ADD, &args(key).into_iter().chain(values).collect::<Vec<_>>());
        }
        for key in &todo.unexplained {
            sql::execute(REMOVE, &args(key));
        }
    });
    match written {
        Some(()) => counts.add(Projection::Key, &todo),
        None => counts.of(Projection::Key).busy += 1,
    }
}

/// Explains a row by the receipt that it names, if that is of another date and has that number.
fn explain_other(node_id: i32, id: Uuid, there: &Keys, explained: &mut Keys) {
    const DOCUMENT: &str = r"
        select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
        from wire.doc where node_id = $1 and doc_id = $2 and kind = 'receipt' order by business_date";
    let args = [node_id.into(), sql::uuid(id).into()];
    let Some(document) = sql::row(DOCUMENT, &args, Document::from_row) else { return };
    let state = state_of_receipt(node_id, id);
    let mut keys = Keys::new();
    explain(&document, &state, &mut keys);
    explained.extend(keys.into_iter().filter(|(key, _)| there.contains_key(key)));
}

fn key(row: &sql::Row<'_>) -> Key {
    row.must::<Vec<String>>(1).try_into().unwrap_or_else(|_| sql::broken("a key of another form"))
}

fn args(key: &Key) -> Vec<sql::Arg<'_>> {
    key.iter().map(|part| part.as_str().into()).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
