//! `day_close`: a business day is closed.

use super::touched;
use crate::postgres::{DataFault, sql};
use crate::wire::Document;

/// The earliest of several counts, in whatever order they arrive.
const CLOSE: &str = r"
    insert into sales.day_close as c (node_id, business_date, closed_at)
    values ($1, $2, $3::timestamptz)
    on conflict (node_id, business_date) do update set closed_at = least(c.closed_at, excluded.closed_at)";

/// Whether the document can be projected.
pub(super) fn check(document: &Document) -> Result<(), DataFault> {
    let body = tpv_core::json::read(&document.body, 8);
    body.map(drop).map_err(|_| DataFault::new("BAD_BODY", "the body is not JSON"))
}

pub(super) fn project(document: &Document) -> Result<(), DataFault> {
    check(document)?;
    write(document);
    Ok(())
}

pub(super) fn write(document: &Document) {
    let at = sql::instant(document.recorded_at());
    sql::execute(CLOSE, &[document.node_id.into(), sql::date(document.business_date).into(), at.into()]);
    touched::day(document.node_id, document.business_date);
}
