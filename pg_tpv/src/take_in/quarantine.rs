//! Documents that are stored and could not be projected.

use pgrx::datum::DatumWithOid;

use super::Document;
use crate::attempt::DataFault;
use crate::sql;

const RECORD: &str = "insert into sync.quarantine as q (node_id, doc_id, business_date, kind, code, detail) \
    values ($1, $2, $3, $4, $5, $6) \
    on conflict (node_id, doc_id, business_date) do update \
    set at = clock_timestamp(), code = excluded.code, detail = excluded.detail, resolved_at = null";

/// Records that a document waits, and why.
pub fn quarantine(document: &Document, fault: &DataFault) {
    let args: [DatumWithOid<'_>; 6] = [
        document.node_id.into(),
        sql::uuid(document.doc_id).into(),
        sql::date(document.business_date).into(),
        document.kind.as_str().into(),
        fault.code.as_str().into(),
        fault.detail.as_str().into(),
    ];
    sql::execute(RECORD, &args);
}
