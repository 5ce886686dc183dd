//! `GET /v1/pending-revocations`: who still gets in at a store that has not heard.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::list::{Page, filter, page, paging};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;

row! {
    /// Somebody from whom central took something, and a store that has not said that it has heard.
    pub struct PendingRevocation as pending_revocation_columns {
        employee_id: Uuid,
        code: String,
        /// The code of the store.
        store: String,
        since: DateTime<Utc>,
        /// When the last heartbeat of the store came.
        last_heard_at: Option<DateTime<Utc>>,
    }
}

filter! {
    pub struct Filter {
        employee: Uuid,
        /// The code of a store.
        #[schemars(length(max = 16))]
        store: String,
    }
}

/// The oldest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<PendingRevocation>>> {
    let sql = concat!(
        "select ",
        pending_revocation_columns!(),
        " from own.pending_revocation
          where ($1::timestamptz is null or (since, code, store) > ($1, $2, $3))
            and ($4::uuid is null or employee_id = $4) and ($5::text is null or store = $5)
          limit $6"
    );
    let paging = paging::<(DateTime<Utc>, String, String)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (since, place) = paging.after.clone().map(|(since, code, store)| (since, (code, store))).unzip();
    let (code, store) = place.unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 6] = [&since, &code, &store, &filter.employee, &filter.store, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &PendingRevocation| (row.since, row.code.clone(), row.store.clone()))
        .await
}
