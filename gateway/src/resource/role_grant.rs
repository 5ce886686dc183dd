//! `/v1/role-grants`: who has which role where. Central decides.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, filter, page, paging};
use super::write::{Members, once};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::{NoContent, Nothing};
use crate::token::claims::Role;

row! {
    pub struct RoleGrant as role_grant_columns {
        role_grant_id: Uuid,
        employee_id: Uuid,
        role: String,
        /// The only store it holds in; null for the whole chain.
        node_id: Option<i32>,
        /// The only department of that store; null for all of it.
        department_code: Option<String>,
        valid_from: NaiveDate,
        /// Its last day; null for no end.
        valid_to: Option<NaiveDate>,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        employee: Uuid,
        role: Role,
        /// One store.
        node: u16,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is what it is for: members go to the database as they came")]
pub struct NewGrant {
    role: Role,
    /// The code of the store's node, such as S01; without it the whole chain.
    #[schemars(length(min = 1, max = 16))]
    node: Option<String>,
    /// The code of a department of that store.
    #[schemars(length(min = 1, max = 16))]
    department: Option<String>,
    /// Today when it is left out.
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
}

/// What is left out stays as it is; a valid_to of null is no end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is what it is for: members go to the database as they came")]
pub struct GrantChanges {
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<RoleGrant>>> {
    let sql = concat!(
        "select ",
        role_grant_columns!(),
        " from own.role_grant
          where (employee_id, role_grant_id) > ($1, $2) and ($3::uuid is null or employee_id = $3)
            and ($4::text is null or role = $4) and ($5::int is null or node_id = $5)
          limit $6"
    );
    let paging = paging::<(Uuid, Uuid)>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let (employee, id) = paging.after.unwrap_or_default();
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&employee, &id, &filter.employee, &filter.role.map(Role::name), &filter.node.map(i32::from), &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &RoleGrant| (row.employee_id, row.role_grant_id)).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<RoleGrant>> {
    let sql = concat!("select ", role_grant_columns!(), " from own.role_grant where role_grant_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &RoleGrant| row.etag.clone()).await
}

pub async fn create(call: Call, grant: Members<NewGrant>) -> Outcome<Reply<RoleGrant>> {
    let mut members = grant.0;
    members.insert("employee_id".to_owned(), json!(call.uuid(0)?));
    let done = once::<RoleGrant>(&call, "grant_role", Value::Object(members)).await?;
    Ok(done.reply(|row| {
        let (version, place) = (row.etag.clone(), format!("/v1/role-grants/{}", row.role_grant_id));
        Reply::created(row, place).version(version)
    }))
}

pub async fn change(call: Call, changes: Members<GrantChanges>) -> Outcome<Reply<RoleGrant>> {
    let arguments = json!({ "role_grant_id": call.uuid(0)?, "version": call.if_match()?, "changes": changes.0 });
    let done = once::<RoleGrant>(&call, "change_grant", arguments).await?;
    Ok(done.reply(|row| {
        let version = row.etag.clone();
        Reply::ok(row).version(version)
    }))
}

pub async fn end(call: Call, _: Nothing) -> Outcome<Reply<NoContent>> {
    let arguments = json!({ "role_grant_id": call.uuid(0)?, "version": call.if_match()? });
    let done = once::<Value>(&call, "end_grant", arguments).await?;
    Ok(done.reply(|_| Reply::nothing()))
}
