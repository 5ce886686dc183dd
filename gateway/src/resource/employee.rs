//! `/v1/employees`: list, one, create, change, block, unblock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::item::versioned;
use super::list::{Page, filter, page, paging};
use super::receipt::Why;
use super::write::{Members, once};
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// Somebody who works in the chain, and may have roles.
    pub struct Employee as employee_columns {
        employee_id: Uuid,
        /// What she logs in with.
        code: String,
        name: String,
        active: bool,
        /// Whether somebody keeps her out at this node, whatever central says.
        blocked: bool,
        has_password: bool,
        etag: String,
    }
}

filter! {
    pub struct Filter {
        /// How code or name begins, in upper or lower case.
        #[schemars(length(max = 100))]
        q: String,
        #[schemars(length(max = 64))]
        code: String,
        active: bool,
        blocked: bool,
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmployee {
    /// 2 to 64 of a-z, 0-9, point, hyphen and underscore.
    #[schemars(length(min = 2, max = 64))]
    code: String,
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

/// What is left out stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is what it is for: members go to the database as they came")]
pub struct EmployeeChanges {
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// Whether she may log in.
    active: Option<bool>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Blocked {
    employee_id: Uuid,
    blocked: bool,
    #[serde(default)]
    sessions_ended: i32,
}

pub async fn list(call: Call, filter: Filter) -> Outcome<Reply<Page<Employee>>> {
    let sql = concat!(
        "select ",
        employee_columns!(),
        " from own.employee
          where code > $1 and ($2::text is null or code = $2) and ($3::bool is null or active = $3)
            and ($4::bool is null or blocked = $4)
            and ($5::text is null or code ^@ lower($5) or lower(name) ^@ lower($5))
          limit $6"
    );
    let paging = paging::<String>(&call, &filter, filter.limit, filter.cursor.as_deref())?;
    let after = paging.after.clone().unwrap_or_default();
    let Filter { q, code, active, blocked, .. } = &filter;
    let parameters: [&(dyn ToSql + Sync); 6] = [&after, code, active, blocked, q, &paging.fetch];
    page(&call, &paging, sql, &parameters, |row: &Employee| row.code.clone()).await
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<Employee>> {
    let sql = concat!("select ", employee_columns!(), " from own.employee where employee_id = $1");
    versioned(&call, sql, &[&call.uuid(0)?], |row: &Employee| row.etag.clone()).await
}

pub async fn create(call: Call, employee: NewEmployee) -> Outcome<Reply<Employee>> {
    let done = once::<Employee>(&call, "create_employee", json!(employee)).await?;
    Ok(done.reply(|row| {
        let (version, place) = (row.etag.clone(), format!("/v1/employees/{}", row.employee_id));
        Reply::created(row, place).version(version)
    }))
}

pub async fn change(call: Call, changes: Members<EmployeeChanges>) -> Outcome<Reply<Employee>> {
    let arguments = json!({ "employee_id": call.uuid(0)?, "version": call.if_match()?, "changes": changes.0 });
    let done = once::<Employee>(&call, "change_employee", arguments).await?;
    Ok(done.reply(|row| {
        let version = row.etag.clone();
        Reply::ok(row).version(version)
    }))
}

/// At this node, at once, even when central is away.
pub async fn block(call: Call, why: Why) -> Outcome<Reply<Blocked>> {
    decide(call, "block", why).await
}

pub async fn unblock(call: Call, why: Why) -> Outcome<Reply<Blocked>> {
    decide(call, "unblock", why).await
}

async fn decide(call: Call, verb: &'static str, why: Why) -> Outcome<Reply<Blocked>> {
    let arguments = json!({ "employee_id": call.uuid(0)?, "why": why.why });
    Ok(once::<Blocked>(&call, verb, arguments).await?.reply(Reply::ok))
}
