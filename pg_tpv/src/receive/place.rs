//! Documents that come a second time, or in a place that is taken: their writer was restored from a
//! backup, and recorded them anew or gave numbers again.

use pgrx::pg_sys;

use crate::postgres::{DataFault, sql};
use crate::wire::{Document, refuse_this_once};

const STANDS: &str = r"
    select (chain, chain_seq) = ($4, $5), content_hash = $6, hlc <> $7 and prev_hash = $8 from wire.doc
    where (node_id, doc_id, business_date) = ($1, $2, $3)";
const RECORDED_BEFORE: &str = "select sync.note_recorded_before($1, $2, $3)";
const NOTE: &str = "select sync.note_place($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Notes what is new in a document that is here already: another place in a hash chain, through which
/// that links; another body, which does not count; another stamp, of which its writer is told.
///
/// # Safety
/// The document was read from the tuple, one of that relation.
pub unsafe fn note_repeat(document: &Document, tuple: pg_sys::HeapTuple, relation: pg_sys::Relation) {
    let key = || (document.node_id, sql::uuid(document.doc_id), sql::date(document.business_date));
    let (chain, seq, hash) = (document.chain.as_str(), document.chain_seq, document.content_hash.clone());
    let (node_id, doc_id, date) = key();
    // SAFETY: the caller's promise.
    let prev_hash = unsafe { Document::prev_hash(tuple, relation) };
    let args = [
        node_id.into(),
        doc_id.into(),
        date.into(),
        chain.into(),
        seq.into(),
        hash.clone().into(),
        document.hlc.into(),
        prev_hash.clone().into(),
    ];
    let stands = sql::row(STANDS, &args, |row| (row.must::<bool>(1), row.must::<bool>(2), row.must::<bool>(3)));
    let Some((same_place, same_body, recorded_before)) = stands else { return };
    if !same_body {
        refuse_reused(document);
    } else if same_place && recorded_before {
        sql::execute(RECORDED_BEFORE, &[node_id.into(), chain.into(), seq.into()]);
    }
    if !same_place {
        let (node_id, doc_id, date) = key();
        let args = [
            node_id.into(),
            doc_id.into(),
            date.into(),
            document.kind.as_str().into(),
            document.hlc.into(),
            chain.into(),
            seq.into(),
            prev_hash.into(),
            hash.into(),
        ];
        sql::execute(NOTE, &args);
    }
}

const TAKEN: &str = "select from wire.doc where (node_id, chain, chain_seq) = ($1, $2, $3) limit 1";

/// Whether another document has its place, which the caller has not found by its key. It is not
/// stored then, and a copy is kept: the one that came first stands.
pub fn is_taken(document: &Document) -> bool {
    let args = [document.node_id.into(), document.chain.as_str().into(), document.chain_seq.into()];
    let is_taken = sql::row(TAKEN, &args, |_| ()).is_some();
    if is_taken {
        refuse_reused(document);
    }
    is_taken
}

fn refuse_reused(document: &Document) {
    let detail = "its node recorded another document there before; was it restored from a backup?";
    let fault = DataFault::new("NUMBER_REUSED", detail);
    refuse_this_once("doc_id", &document.doc_id.to_string(), &document.as_refused(), &fault);
}
