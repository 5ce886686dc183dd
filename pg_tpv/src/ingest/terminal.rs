//! A terminal's desk, as the tables describe it.

use std::rc::Rc;

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::datum::Array;
use pgrx::prelude::*;
use tpv_core::dat::Profile;
use tpv_core::day::StoreDay;
use tpv_core::intake::Desk;
use tpv_core::json::{self, Value};
use tpv_core::receipt::Terminal;

use super::dat_file::Layout;
use crate::guc;
use crate::node::store::store_day;
use crate::postgres::JsonbText;
use crate::postgres::Refusal;
use crate::postgres::sql;

/// What holds at a terminal.
pub struct Context {
    /// This node.
    pub node_id: i32,
    /// The terminal.
    pub terminal: String,
    /// Its department.
    pub department: String,
    /// The store's day.
    pub store: StoreDay,
    /// What it declares, with the store's barcode rules.
    pub declared: Terminal,
    /// The layout of its `.dat` files.
    pub profile: Rc<Profile>,
    /// Which layout that is.
    pub layout: Layout,
    /// Days that were closed by hand, of those that can matter.
    closed: Vec<NaiveDate>,
}

const CONTEXT: &str = r"
    select n.node_id, s.timezone, s.cutoff_hour::integer, t.department_code, t.active,
      t.declares::text,
      (select coalesce(jsonb_agg(catalog.rule_as_json(r) order by r.priority, r.name), '[]')
         from catalog.barcode_rule r where r.node_id is null or r.node_id = n.node_id)::text,
      p.profile_id, p.version, p.profile::text,
      array(select c.business_date from sales.day_close c
             where c.node_id = n.node_id and c.business_date >= current_date - 400)
    from sync.this_node n
    join org.store s on s.node_id = n.node_id
    left join org.terminal t on t.node_id = n.node_id and t.code = $1
    left join lateral (
      select p.profile_id, p.version, p.profile from dat.profile p
       where p.node_id = n.node_id and (p.department_code is null or p.department_code = t.department_code)
       order by p.department_code nulls last, p.version desc limit 1
    ) p on t.code is not null";

/// A terminal, known or not.
pub struct Found {
    /// What holds at the terminal; none when it is not registered.
    pub context: Option<Context>,
    /// Whether it may send receipts.
    pub active: bool,
}

/// What the tables say about a terminal of this store.
///
/// # Errors
/// When this database is no store, or what is registered has faults: then nothing can be decided, and nothing is.
pub fn find(terminal: &str) -> Result<Found, Refusal> {
    sql::row(CONTEXT, &[terminal.into()], |row| {
        let node_id = row.must(1);
        let Some(department) = row.get::<String>(4) else {
            return Ok(Found { context: None, active: false });
        };
        let declared = declaration(&row.must::<String>(6), &row.must::<String>(7))?;
        let closed: Array<'_, Date> = row.must(11);
        let context = Context {
            node_id,
            terminal: terminal.to_owned(),
            department,
            store: store_day(row.must(2), row.must(3)),
            declared,
            profile: crate::functions::parsed_profile(JsonbText(row.must(10)))?,
            layout: Layout { profile_id: row.uuid(8), version: row.must(9) },
            closed: closed.iter().flatten().map(sql::day).collect(),
        };
        Ok(Found { context: Some(context), active: row.must(5) })
    })
    .unwrap_or_else(|| {
        let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
        Err(Refusal::new(code, "this database is no store yet").hint("org.register_store says which"))
    })
}

/// The declaration and the rules were checked when they were saved; a fault here is a newer or an older version's.
fn declaration(declares: &str, rules: &str) -> Result<Terminal, Refusal> {
    let read = |text: &str| json::read(text, usize::MAX).map_err(sql::unreadable);
    let mut declares = read(declares)?;
    if let Value::Object(members) = &mut declares {
        members.push(("barcode_rules".to_owned(), read(rules)?));
    }
    Terminal::from_json(&declares).map_err(|faults| {
        Refusal::faulty("what the terminal declares can not be used", &faults)
            .hint("org.register_terminal declares it anew; catalog.barcode_rule holds the rules")
    })
}

impl Context {
    /// The desk at which the core decides.
    pub fn desk(&self, arrival: DateTime<Utc>) -> Desk<'_> {
        Desk {
            node_id: self.node_id,
            terminal: &self.terminal,
            department: &self.department,
            store: self.store,
            terminal_zone: self.declared.timezone,
            window: guc::clock_window(),
            late_after: guc::late_after(),
            closed: &self.closed,
            profile: &self.profile,
            arrival,
        }
    }
}
