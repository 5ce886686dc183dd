//! `/v1/customers`: list, one, create, change, delete, erase, and loosening of consent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, filter, page, paging};
use super::write::{Members, once};
use crate::database::decimal::Decimal;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::{NoContent, Nothing};

row! {
    /// Somebody who buys.
    pub struct Customer as customer_columns {
        customer_id: Uuid,
        name: String,
        email: Option<String>,
        phone: Option<String>,
        street: Option<String>,
        postcode: Option<String>,
        city: Option<String>,
        country: Option<String>,
        tags: Value,
        /// none, email or all.
        consent: String,
        credit_limit: Option<Decimal>,
        /// The store that knows her best.
        home_node_id: Option<i32>,
        /// The customer that this one was found to be.
        alias_of: Option<Uuid>,
        /// How many values of hers contradict each other.
        conflicts: i32,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        /// How the name begins, in upper or lower case.
        #[schemars(length(max = 100))]
        q: String,
        /// The whole address, in upper or lower case.
        #[schemars(length(max = 254))]
        email: String,
        /// As it was written.
        #[schemars(length(max = 40))]
        phone: String,
    }
}

/// What may be said of a customer. What is left out stays as it is; null empties it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is what it is for: members go to the database as they came")]
pub struct Values {
    #[schemars(length(max = 200))]
    name: Option<String>,
    #[schemars(length(max = 200))]
    email: Option<String>,
    #[schemars(length(max = 50))]
    phone: Option<String>,
    #[schemars(length(max = 200))]
    street: Option<String>,
    #[schemars(length(max = 20))]
    postcode: Option<String>,
    #[schemars(length(max = 100))]
    city: Option<String>,
    #[schemars(length(max = 2))]
    country: Option<String>,
    #[schemars(length(max = 100))]
    tags: Option<Vec<String>>,
    consent: Option<Level>,
    /// Exact, so a string.
    #[schemars(length(max = 30))]
    credit_limit: Option<String>,
}

/// What a customer has agreed to get.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    None,
    Email,
    All,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    #[schemars(length(min = 1, max = 500))]
    why: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    consent: Level,
    #[schemars(length(min = 1, max = 500))]
    why: String,
}

/// `$found` is what an index can find; the rest is planned once for all filters.
macro_rules! customers {
    ($found:literal) => {
        concat!(
            "select ",
            customer_columns!(),
            " from own.customer
               where ",
            $found,
            " and (name_key, customer_id) > (left(lower($1::text), 100), $2)
              and ($3::text is null or name_key ^@ left(lower($3::text), 100))
              and ($4::text is null or email_key = left(lower($4::text), 300))
              and ($5::text is null or phone_key = left($5, 40))
              limit $6"
        )
    };
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Customer>>> {
    let sql = match &filter {
        Filter { email: Some(_), .. } => customers!("email_key = left(lower($4::text), 300)"),
        Filter { phone: Some(_), .. } => customers!("phone_key = left($5, 40)"),
        Filter { q: Some(_), .. } => customers!("name_key ^@ left(lower($3::text), 100)"),
        _ => customers!("true"),
    };
    let paging = paging::<(String, Uuid)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (name, id) = paging.after.clone().unwrap_or_default();
    let Filter { q, email, phone, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 6] = [&name, &id, q, email, phone, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Customer| (key(&row.name), row.customer_id)).await
}

/// As much of a name as lists are in the order of.
fn key(name: &str) -> String {
    name.chars().take(100).collect()
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Customer>> {
    let sql = concat!("select ", customer_columns!(), " from own.customer where customer_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Customer| row.etag.clone()).await
}

pub async fn create(call: Call, values: Members<Values>) -> Outcome<Reply<Customer>> {
    let done = once::<Customer>(&call, "create_customer", Value::Object(values.0)).await?;
    Ok(done.reply(|row| {
        let (version, place) = (row.etag.clone(), format!("/v1/customers/{}", row.customer_id));
        Reply::created(row, place).version(version)
    }))
}

pub async fn change(call: Call, changes: Members<Values>) -> Outcome<Reply<Customer>> {
    let arguments = json!({ "customer_id": call.uuid(0)?, "version": call.if_match()?, "changes": changes.0 });
    let done = once::<Customer>(&call, "change_customer", arguments).await?;
    Ok(done.reply(with_version))
}

pub async fn delete(call: Call, _: Nothing) -> Outcome<Reply<NoContent>> {
    let arguments = json!({ "customer_id": call.uuid(0)?, "version": call.if_match()? });
    let done = once::<Value>(&call, "delete_customer", arguments).await?;
    Ok(done.reply(|_| Reply::nothing()))
}

pub async fn erase(call: Call, erase: Erase) -> Outcome<Reply<NoContent>> {
    let arguments = json!({ "customer_id": call.uuid(0)?, "why": erase.why });
    let done = once::<Value>(&call, "erase_customer", arguments).await?;
    Ok(done.reply(|_| Reply::nothing()))
}

pub async fn loosen_consent(call: Call, consent: Consent) -> Outcome<Reply<Customer>> {
    let arguments = json!({ "customer_id": call.uuid(0)?, "consent": consent.consent, "why": consent.why });
    let done = once::<Customer>(&call, "loosen_consent", arguments).await?;
    Ok(done.reply(with_version))
}

fn with_version(row: Customer) -> Reply<Customer> {
    let version = row.etag.clone();
    Reply::ok(row).version(version)
}
