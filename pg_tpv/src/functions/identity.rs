//! `tpv.uuid7` and `tpv.document_link`: new ids, and the hash by which the next document names this
//! one.

use pgrx::datum::{Date, Uuid};
use pgrx::prelude::*;
use tpv_core::hash_chain::Link;

use crate::postgres::calendar_day;

/// A new uuid v7 (RFC 9562): it begins with the time in milliseconds, so that an index grows at its
/// end.
#[pg_extern(volatile, parallel_safe)]
pub fn uuid7() -> Uuid {
    Uuid::from_bytes(uuid::Uuid::now_v7().into_bytes())
}

/// The hash by which the next document of a chain names this one, 32 bytes:
/// `sha256(prev_hash || content_hash || 'node/chain/seq/doc_id/kind/business_date')`.
///
/// # Errors
/// `22008` for a business date outside of the calendar.
#[pg_extern(immutable, strict, parallel_safe)]
#[allow(clippy::too_many_arguments, reason = "they are the columns of a document that the hash covers")]
pub fn document_link(
    node_id: i32,
    chain: &str,
    chain_seq: i64,
    doc_id: Uuid,
    kind: &str,
    business_date: Date,
    prev_hash: &[u8],
    content_hash: &[u8],
) -> Vec<u8> {
    let doc_id = uuid::Uuid::from_bytes(*doc_id.as_bytes());
    let business_date = calendar_day(business_date).unwrap_or_else(|refusal| refusal.raise());
    Link { node_id, chain, chain_seq, doc_id, kind, business_date, prev_hash, content_hash }.hash().to_vec()
}

extension_sql!(
    r#"
comment on function uuid7() is
    'A new uuid v7 (RFC 9562): it begins with the time, so that an index grows at its end.';
comment on function document_link(integer, text, bigint, uuid, text, date, bytea, bytea) is
    'The hash by which the next document of a chain names this one: '
    'sha256(prev_hash || content_hash || ''node/chain/seq/doc_id/kind/business_date'').';
"#,
    name = "identity_comments",
    requires = [uuid7, document_link]
);
