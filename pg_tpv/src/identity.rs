//! `tpv.uuid7` and `tpv.document_link`: who a document is, and the hash by which the next one names it.

use chrono::{Days, NaiveDate};
use pgrx::datum::{Date, Uuid};
use pgrx::prelude::*;
use tpv_core::chain::Link;

use crate::refusal::Refusal;

/// A new uuid v7 (RFC 9562): it begins with the time in milliseconds, so that an index grows at its end.
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

/// A date of SQL as a day of the calendar.
///
/// # Errors
/// `22008` for `infinity`, and for years of more than four digits or before Christ, which no document has and which
/// two programs would write in two ways.
pub fn calendar_day(date: Date) -> Result<NaiveDate, Refusal> {
    let since_2000 = date.to_pg_epoch_days();
    let days = Days::new(u64::from(since_2000.unsigned_abs()));
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1);
    let day = match since_2000 {
        0.. => epoch.and_then(|epoch| epoch.checked_add_days(days)),
        _ => epoch.and_then(|epoch| epoch.checked_sub_days(days)),
    };
    day.filter(|day| (1..=9999).contains(&chrono::Datelike::year(day))).ok_or_else(|| {
        let message = "a date must be of the years 1 to 9999";
        Refusal::new(PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW, message)
    })
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
