//! The person of this transaction: who acts, in which role, and what she may see.
//!
//! All of it is in the memory of the backend until the transaction ends, and not in a setting, which
//! any session could write. It is said once: no RESET ROLE, no rollback to a savepoint and no second
//! call changes it. For a login that nobody entered, role and scope follow the role that it has set,
//! and are read once in a transaction.

use std::cell::RefCell;

use pgrx::prelude::*;
use pgrx::{PgXactCallbackEvent, pg_sys, register_xact_callback};
use tpv_core::scope::{Day, Scope};
use uuid::Uuid;

use crate::postgres::{JsonbText, Refusal, sql};

/// A role with what it may see.
struct Standing {
    role: String,
    scope: Scope,
    /// The scope as it was given.
    text: String,
}

/// A person of the gateway.
struct Person {
    employee: Uuid,
    standing: Standing,
}

/// What this backend knows of its transaction.
#[derive(Default)]
struct Known {
    person: Option<Person>,
    /// Of a login that nobody entered: what the role that it has set may see, by that role. None of
    /// a role without a scope.
    login: Option<(pg_sys::Oid, Option<Standing>)>,
    /// Whether the end of the transaction forgets this.
    is_forgotten: bool,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// The person whom the gateway entered.
pub fn entered() -> Option<Uuid> {
    KNOWN.with_borrow(|known| known.person.as_ref().map(|person| person.employee))
}

/// Enters a person until the transaction ends. Whoever calls this has checked the session.
#[pg_extern(volatile, strict, parallel_unsafe)]
pub fn enter(employee: pgrx::Uuid, role: &str, scope: JsonbText) {
    let standing = Standing::read(role, scope).unwrap_or_else(|refusal| refusal.raise());
    if entered().is_some() {
        Refusal::new(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this transaction is another person's already",
        )
        .hint("Begin another transaction.")
        .raise();
    }
    let person = Person { employee: Uuid::from_bytes(*employee.as_bytes()), standing };
    KNOWN.with_borrow_mut(|known| known.person = Some(person));
    forget_at_the_end();
}

/// Whether a row of this store, department and business date is in the scope of whoever acts.
/// Without a department it is for those who have the whole store.
#[pg_extern(stable, parallel_restricted)]
pub fn may_see(node: Option<i32>, department: Option<&str>, business_date: Option<Date>) -> bool {
    let day: Option<Day> = business_date.map(|date| date.to_pg_epoch_days());
    with_standing(|standing| standing.is_some_and(|it| it.scope.covers(node, department, day)))
}

/// Whether anything of this store is in the scope of whoever acts. Without a store: the chain.
#[pg_extern(stable, parallel_restricted)]
pub fn may_see_node(node: Option<i32>) -> bool {
    with_standing(|standing| standing.is_some_and(|it| it.scope.covers_node(node)))
}

/// The role in which somebody acts: cashier, supervisor …
#[pg_extern(stable, parallel_restricted)]
pub fn acting_role() -> Option<String> {
    with_standing(|standing| standing.map(|it| it.role.clone()))
}

/// What whoever acts may see.
#[pg_extern(stable, parallel_restricted)]
pub fn acting_scope() -> Option<JsonbText> {
    with_standing(|standing| standing.map(|it| JsonbText(it.text.clone())))
}

/// The employee who acts.
#[pg_extern(stable, parallel_restricted)]
pub fn acting_employee() -> Option<pgrx::Uuid> {
    entered().map(sql::uuid)
}

/// Of the person who was entered; else of the role that the login has set.
fn with_standing<T>(look: impl FnOnce(Option<&Standing>) -> T) -> T {
    // What was looked up is not borrowed while a statement runs: it may come back here.
    if !KNOWN.with_borrow(|known| known.person.is_some()) {
        look_up_login();
    }
    KNOWN.with_borrow(|known| {
        let login = known.login.as_ref().and_then(|(_, standing)| standing.as_ref());
        look(known.person.as_ref().map(|person| &person.standing).or(login))
    })
}

fn look_up_login() {
    // SAFETY: reads a variable of the backend. It is the role that SET ROLE chose, also inside of a
    // function that runs as another one.
    let role = unsafe { pg_sys::GetCurrentRoleId() };
    if KNOWN.with_borrow(|known| known.login.as_ref().is_some_and(|(of, _)| *of == role)) {
        return;
    }
    let standing = if role == pg_sys::InvalidOid { None } else { of_login() };
    KNOWN.with_borrow_mut(|known| known.login = Some((role, standing)));
    forget_at_the_end();
}

/// What `sec.login_scope` says of the login of this session and the role that it has set.
fn of_login() -> Option<Standing> {
    const SCOPE: &str = "select s.role, s.scope from sec.scope_of_login() s";
    let (role, scope) = sql::row(SCOPE, &[], |row| (row.must::<String>(1), row.must::<JsonbText>(2)))?;
    Some(Standing::read(&role, scope).unwrap_or_else(|refusal| refusal.raise()))
}

impl Standing {
    fn read(role: &str, scope: JsonbText) -> Result<Self, Refusal> {
        let read = Scope::read(&scope.read_as("the scope")?)
            .map_err(|faults| Refusal::faulty("the scope cannot be read", &faults))?;
        Ok(Self { role: role.to_owned(), scope: read, text: scope.0 })
    }
}

/// Only once in a transaction: each call would be made at its end.
fn forget_at_the_end() {
    if KNOWN.with_borrow_mut(|known| std::mem::replace(&mut known.is_forgotten, true)) {
        return;
    }
    for end in [PgXactCallbackEvent::Commit, PgXactCallbackEvent::Abort, PgXactCallbackEvent::Prepare] {
        register_xact_callback(end, || KNOWN.set(Known::default()));
    }
}

extension_sql!(
    r#"
comment on function enter(uuid, text, jsonb) is
    'Says once which employee acts until the transaction ends, in which role, and what she may see. For the function that has checked a session of the gateway; nobody else may call it.';
comment on function may_see(integer, text, date) is
    'Whether a row of this store, department and business date is in the scope of whoever acts. No department: for those who have the whole store. No date: days are not asked.';
comment on function may_see_node(integer) is
    'Whether anything of this store is in the scope of whoever acts. No store: whether the whole chain is.';
comment on function acting_role() is
    'The role in which whoever acts was entered; of another login the role that it has set, when sec.login_scope gives it a scope; null when there is none.';
comment on function acting_scope() is 'What whoever acts may see, as tpv.enter was given it; null when there is none.';
comment on function acting_employee() is 'The employee of tpv.enter in this transaction; null for another login.';
"#,
    name = "person_comments",
    requires = [enter, may_see, may_see_node, acting_role, acting_scope, acting_employee]
);
