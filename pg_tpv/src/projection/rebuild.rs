//! Makes every projection anew, from the documents alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use pgrx::prelude::*;
use tpv_core::receipt::Receipt;
use uuid::Uuid;

use super::{project, state_of_receipt};
use crate::node::{store, this_node};
use crate::postgres::{DataFault, Refusal, attempt, sql};
use crate::wire::{Document, quarantine};

const EMPTY: &str = r"
    truncate sales.receipt, sales.receipt_line, sales.receipt_event,
    sales.early_event, sales.day_close, sales.receipt_key";

/// By key, not by time: the result must not depend on the order in which documents came, so they
/// are read in another one.
const PAGE: &str = r"
    select node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, body, content_hash
    from wire.doc where (node_id, doc_id, business_date) > ($1, $2, $3)
    order by node_id, doc_id, business_date limit 500";

/// Documents that were quarantined before and are projected now. Operations and refused rows are
/// not projected.
const RESOLVE: &str = r"
    update sync.quarantine set resolved_at = clock_timestamp()
    where resolved_at is null and doc_id is not null and at < transaction_timestamp()";

const KEY: &str = r"
    insert into sales.receipt_key (terminal, printed_date, series, receipt_number, variant, receipt_id,
    business_date, content_hash, first_outcome, flags) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

#[derive(Default)]
struct Count {
    documents: i64,
    projected: i64,
}

/// Empties every projection and fills it again from `wire.doc`; one row for each kind of document.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the macro reads the columns from the type itself")]
pub fn rebuild_projections()
-> TableIterator<'static, (name!(kind, String), name!(documents, i64), name!(projected, i64), name!(quarantined, i64))>
{
    if this_node().is_none() {
        let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
        Refusal::new(code, "this database is no node yet")
            .hint("Register it with org.register_central or org.register_store.")
            .raise();
    }
    sql::execute(EMPTY, &[]);
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut after = (0, Uuid::nil(), NaiveDate::default());
    loop {
        let args = [after.0.into(), sql::uuid(after.1).into(), sql::date(after.2).into()];
        let page = sql::rows(PAGE, &args, Document::from_row);
        let Some(last) = page.last() else { break };
        after = (last.node_id, last.doc_id, last.business_date);
        for (document, projected) in page.iter().zip(project_all(&page)) {
            let count = counts.entry(document.kind.clone()).or_default();
            count.documents += 1;
            count.projected += i64::from(projected);
        }
    }
    refill_keys();
    sql::execute(RESOLVE, &[]);
    TableIterator::new(counts.into_iter().map(|(kind, count)| {
        let Count { documents, projected } = count;
        (kind, documents, projected, documents - projected)
    }))
}

/// Projects a page at once, or one by one when one of them fails. Answers which were projected.
fn project_all(page: &[Document]) -> Vec<bool> {
    if attempt(|| page.iter().try_for_each(project)).is_ok() {
        return vec![true; page.len()];
    }
    let one = |document: &Document| match attempt(|| project(document)) {
        Ok(()) => true,
        Err(fault) => {
            quarantine(document, &fault);
            false
        }
    };
    page.iter().map(one).collect()
}

const OWN: &str = r"
    select d.doc_id, d.business_date, d.chain, d.body, d.content_hash from wire.doc d
    where d.node_id = $1 and d.kind = 'receipt' and d.doc_id > $2 order by d.doc_id limit 500";

/// The arbiter of this node's own receipts, `sales.receipt_key`, follows from the documents too.
fn refill_keys() {
    let (Some(node_id), mut after) = (this_node(), Uuid::nil()) else { return };
    loop {
        let page = sql::rows(OWN, &[node_id.into(), sql::uuid(after).into()], |row| {
            (row.uuid(1), row.date(2), row.must::<String>(3), row.must::<String>(4), row.hash(5))
        });
        let Some((last, ..)) = page.last() else { return };
        after = *last;
        for (doc_id, business_date, terminal, body, content_hash) in page {
            // A body that is no receipt is in quarantine by now.
            let _: Result<(), DataFault> = attempt(|| {
                let (Ok(receipt), Some(clock)) = (Receipt::from_body(&body), store::clock_of(node_id, &terminal))
                else {
                    return Ok(());
                };
                let key = clock.key(node_id, &terminal, &receipt);
                let variant = if key.document_id() == doc_id { Vec::new() } else { content_hash.to_vec() };
                let receipt_state = state_of_receipt(node_id, doc_id);
                let outcome = if receipt_state.hold.is_some() { "held" } else { "accepted" };
                sql::execute(
                    KEY,
                    &[
                        terminal.as_str().into(),
                        sql::date(key.printed_date).into(),
                        key.series.into(),
                        key.number.into(),
                        variant.into(),
                        sql::uuid(doc_id).into(),
                        sql::date(business_date).into(),
                        content_hash.to_vec().into(),
                        outcome.into(),
                        receipt_state.flags.into(),
                    ],
                );
                Ok(())
            });
        }
    }
}

extension_sql!(
    r#"
comment on function rebuild_projections() is
    'Makes every projection anew. Callers use sales.rebuild_projections, which runs as the owner of the tables.';
"#,
    name = "rebuild_comments",
    requires = [rebuild_projections]
);
