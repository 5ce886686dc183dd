//! `intake`, `release`, `void`, `withdraw`, `render`: documents about a receipt.

use tpv_core::json::{self, Value};
use uuid::Uuid;

use super::{early_event, receipt_state};
use crate::postgres::{DataFault, sql};
use crate::wire::Document;

const RECORD: &str = r"
    insert into sales.receipt_event (node_id, receipt_id, doc_node, doc_id, kind, hlc, body)
    values ($1, $2, $1, $3, $4, $5, $6) on conflict do nothing";

pub(super) fn project(document: &Document) -> Result<(), DataFault> {
    let body = json::read(&document.body, 8).map_err(|_| DataFault::new("BAD_BODY", "the body is not JSON"))?;
    let about = body.get("about").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    let about = about.ok_or_else(|| DataFault::new("BAD_BODY", "the body does not say which receipt it is about"))?;
    let (node, receipt) = (document.node_id, sql::uuid(about));
    let (kind, body) = (document.kind.as_str(), document.body.as_str());
    sql::execute(
        RECORD,
        &[
            node.into(),
            receipt.into(),
            sql::uuid(document.doc_id).into(),
            kind.into(),
            document.hlc.into(),
            body.into(),
        ],
    );
    if !receipt_state::write(node, about) {
        early_event::remember(node, about);
    }
    Ok(())
}
