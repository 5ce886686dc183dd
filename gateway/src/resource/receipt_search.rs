//! `GET /v1/receipts`: by number, by what a customer says at a counter, by day, by state.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Timelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::list::{Page, filter, page, paging};
use super::receipt::{Receipt, receipt_columns};
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::http::written::{Amount, Digits};

/// How far back a short number is looked for, unless a day or hours say otherwise.
const COUNTER_HOURS: u16 = 48;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Accepted,
    Held,
    Released,
    Voided,
}

filter! {
    pub struct Filter {
        /// One store; without it all that you may see.
        node: u16,
        #[schemars(length(max = 20))]
        department: String,
        business_date: NaiveDate,
        /// Those that are held wait for a person.
        state: State,
        /// The number that is printed on it, all of it.
        #[schemars(length(max = 40))]
        number: String,
        /// The last digits of its number, as somebody says them at a counter. Without a day or hours
        /// it is looked for among those of the last 48 hours.
        short_number: Digits,
        /// Exact, e.g. 12.30.
        total: Amount,
        /// Printed within so many hours.
        #[schemars(range(min = 1, max = 1000))]
        hours: u16,
    }
}

/// What a filter asks for; the place apart. `$first` says once more what an index can find: the
/// rest of the text is planned once for all filters, and then finds nothing by an index but ids.
macro_rules! asked {
    ($first:literal) => {
        concat!(
            $first,
            " and receipt_id < $2 and receipt_id >= $9 and printed_at >= $10
              and ($4::date is null or business_date = $4) and ($5::text is null or state = $5)
              and ($6::text is null or receipt_number = $6) and ($7::text is null or total = $7::text::numeric)
              and ($11::text is null or right(receipt_number, length($11)) = $11)"
        )
    };
}

macro_rules! receipts {
    ($first:literal) => {
        concat!(
            "select r.* from (
                select s.node_id, $3::text as department from own.store s
                 where ($1::int is null or s.node_id = $1)
                   and exists (select from own.scope w where w.department_code is null
                                  and (w.node_id is null or w.node_id = s.node_id))
                union
                select d.node_id, d.department_code from own.scope d
                 where ($1::int is null or d.node_id = $1) and ($3::text is null or d.department_code = $3)
                   and not exists (select from own.scope w where w.department_code is null
                                      and (w.node_id is null or w.node_id = d.node_id))) s
              cross join lateral (
                (select ",
            receipt_columns!(),
            " from own.receipt where s.department is null and node_id = s.node_id and ",
            asked!($first),
            " limit $8)
                union all
                (select ",
            receipt_columns!(),
            " from own.receipt where department = s.department and node_id = s.node_id and ",
            asked!($first),
            " limit $8)) r
              order by r.receipt_id desc limit $8"
        )
    };
}

/// The newest first: a receipt's id begins with its printed time, and own.receipt has them in this
/// order within a store, and within a department of it. Each place of the caller's scope is read by
/// itself, and only as far as the page needs.
pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Receipt>>> {
    let sql = match &filter {
        Filter { number: Some(_), .. } => receipts!("receipt_number = $6"),
        Filter { business_date: Some(_), .. } => receipts!("business_date = $4"),
        Filter { state: Some(State::Held), .. } => receipts!("state = 'held'"),
        _ => receipts!("true"),
    };
    let paging = paging::<Uuid>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let before = paging.after.unwrap_or(Uuid::max());
    let since = since(&filter, Utc::now());
    let state = filter.state.map(|state| match state {
        State::Accepted => "accepted",
        State::Held => "held",
        State::Released => "released",
        State::Voided => "voided",
    });
    let node = filter.node.map(i32::from);
    let (total, short_number) = (filter.total.as_ref().map(|a| &a.0), filter.short_number.as_ref().map(|d| &d.0));
    let Filter { department, business_date, number, .. } = &filter;
    let (least, printed) = (since.map_or(Uuid::nil(), least_id), since.unwrap_or_default());
    let parameters: [&(dyn ToSql + Sync); 11] = [
        &node,
        &before,
        department,
        business_date,
        &state,
        number,
        &total,
        &paging.fetch,
        &least,
        &printed,
        &short_number,
    ];
    page(&call, &paging, sql, &parameters, |row: &Receipt| row.receipt_id).await
}

fn since(filter: &Filter, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at_counter = filter.short_number.is_some() && filter.business_date.is_none() && filter.number.is_none();
    let hours = filter.hours.or(at_counter.then_some(COUNTER_HOURS))?;
    now.checked_sub_signed(TimeDelta::hours(i64::from(hours)))
}

/// The least id of what was printed since then, wherever: the wall clock of no store is a day
/// behind. Ids begin with date and minute, a decimal digit in four bits (ARCHITECTURE.md).
fn least_id(since: DateTime<Utc>) -> Uuid {
    let Some(wall) = since.naive_utc().checked_sub_days(Days::new(1)) else { return Uuid::nil() };
    let digits =
        format!("{:04}{:02}{:02}{:02}{:02}", wall.year(), wall.month(), wall.day(), wall.hour(), wall.minute());
    u128::from_str_radix(&digits, 16).map_or(Uuid::nil(), |digits| Uuid::from_u128(digits << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ids_of_a_time_begin_with_its_digits() {
        let id = least_id(at("2026-11-30T10:07:59Z"));
        assert_eq!(id.to_string(), "20261129-1007-0000-0000-000000000000");
    }

    #[test]
    fn a_short_number_is_looked_for_where_it_can_be_meant() {
        let filter = |query: serde_json::Value| serde_json::from_value::<Filter>(query).unwrap();
        let now = at("2026-11-30T10:00:00Z");
        let short = serde_json::json!({"short_number": "12"});
        assert_eq!(since(&filter(short), now), Some(at("2026-11-28T10:00:00Z")));
        let of_a_day = serde_json::json!({"short_number": "12", "business_date": "2026-11-01"});
        assert_eq!(since(&filter(of_a_day), now), None);
        assert_eq!(since(&filter(serde_json::json!({"hours": 1})), now), Some(at("2026-11-30T09:00:00Z")));
        assert_eq!(since(&filter(serde_json::json!({})), now), None);
    }
}
