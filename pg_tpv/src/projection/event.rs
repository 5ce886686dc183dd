//! `intake`, `release`, `void`, `withdraw`, `render`: documents about a receipt.

use tpv_core::json::{self, Value};
use uuid::Uuid;

use super::{early_event, receipt_state, touched};
use crate::postgres::{DataFault, sql};
use crate::wire::Document;

const RECORD: &str = r"
    insert into sales.receipt_event (node_id, receipt_id, doc_node, doc_id, kind, hlc, body, business_date)
    values ($1, $2, $1, $3, $4, $5, $6, $7) on conflict do nothing";

/// Which receipt the document is about.
pub(super) fn about(document: &Document) -> Result<Uuid, DataFault> {
    let body = json::read(&document.body, 8).map_err(|_| DataFault::new("BAD_BODY", "the body is not JSON"))?;
    let about = body.get("about").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    about.ok_or_else(|| DataFault::new("BAD_BODY", "the body does not say which receipt it is about"))
}

pub(super) fn project(document: &Document) -> Result<(), DataFault> {
    let about = about(document)?;
    record(document, about);
    let node = document.node_id;
    touched::receipts([(node, about)].into_iter());
    if !receipt_state::write(node, about) {
        early_event::remember(node, about);
        // A rebuild may have added the receipt meanwhile, without this document.
        if receipt_state::write(node, about) {
            early_event::forget(node, about);
        }
    }
    Ok(())
}

/// Writes the row of a document about a receipt.
pub(super) fn record(document: &Document, about: Uuid) {
    let (kind, body) = (document.kind.as_str(), document.body.as_str());
    sql::execute(
        RECORD,
        &[
            document.node_id.into(),
            sql::uuid(about).into(),
            sql::uuid(document.doc_id).into(),
            kind.into(),
            document.hlc.into(),
            body.into(),
            sql::date(document.business_date).into(),
        ],
    );
}
