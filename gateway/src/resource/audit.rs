//! `GET /v1/audit`, `/v1/audit/{audit_id}`: security events of this node.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::item::one;
use super::list::{Page, filter, page, paging};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    pub struct Audited as audit_columns {
        audit_id: i64,
        at: DateTime<Utc>,
        /// Such as LOGIN_REFUSED or BLOCKED.
        event: String,
        /// What it is about.
        subject: String,
        /// Who did it: employee:<uuid>, or a login of the database.
        actor: String,
        detail: String,
    }
}

filter! {
    pub struct Filter {
        #[schemars(length(max = 64))]
        event: String,
        #[schemars(length(max = 200))]
        subject: String,
        #[schemars(length(max = 200))]
        actor: String,
        /// From this moment on.
        since: DateTime<Utc>,
        /// Before this moment.
        until: DateTime<Utc>,
    }
}

/// The newest first.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Audited>>> {
    let sql = concat!(
        "select ",
        audit_columns!(),
        " from own.audit
          where audit_id < $1 and ($2::text is null or event = $2) and ($3::text is null or subject = $3)
            and ($4::text is null or actor = $4) and ($5::timestamptz is null or at >= $5)
            and ($6::timestamptz is null or at < $6)
          limit $7"
    );
    let paging = paging::<i64>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(i64::MAX);
    let Filter { event, subject, actor, since, until, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 7] = [&before, event, subject, actor, since, until, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Audited| row.audit_id).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Audited>> {
    let sql = concat!("select ", audit_columns!(), " from own.audit where audit_id = $1");
    one::<Audited>(&call, sql, &[&call.long_number(0)?]).await.map(Reply::ok)
}
