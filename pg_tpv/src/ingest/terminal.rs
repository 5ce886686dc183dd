//! What holds at a terminal, as the tables say it.

use std::rc::Rc;

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::datum::Array;
use pgrx::prelude::*;
use tpv_core::dat::Profile;
use tpv_core::day::StoreDay;
use tpv_core::intake::TerminalContext;
use tpv_core::json::{self, Value};
use tpv_core::receipt::Declaration;

use super::dat_file::Layout;
use crate::functions::parsed_profile;
use crate::guc;
use crate::node::store::store_day;
use crate::postgres::{JsonbText, Refusal, sql};

/// A registered terminal of this store.
pub struct Terminal {
    pub node_id: i32,
    pub code: String,
    pub department: String,
    /// Whether it may send receipts.
    pub active: bool,
    pub store: StoreDay,
    /// What it declares, with the store's barcode rules and time zone.
    pub declaration: Declaration,
    /// The layout of its `.dat` files, and which one that is.
    pub profile: Rc<Profile>,
    pub layout: Layout,
    /// Days that were closed by hand, of those that can matter.
    closed: Vec<NaiveDate>,
}

/// Of a till nothing is taken in as a ticket.
const TERMINAL: &str = r"
    select n.node_id, s.timezone, s.cutoff_hour::integer, t.department_code, t.active,
      t.declares::text,
      catalog.barcode_rules(n.node_id)::text,
      p.profile_id, p.version, p.profile::text,
      array(select c.business_date from sales.day_close c
             where c.node_id = n.node_id and c.business_date >= current_date - 400)
    from sync.this_node n
    join org.store s on s.node_id = n.node_id and not s.deleted
    left join (org.terminal t
      join org.department d on d.node_id = t.node_id and d.code = t.department_code and not d.deleted)
      on t.node_id = n.node_id and t.code = $1 and t.kind = 'department' and not t.deleted
    left join lateral (
      select p.profile_id, p.version, p.profile from dat.profile p
       where p.node_id = n.node_id and not p.deleted
         and (p.department_code is null or p.department_code = t.department_code)
       order by p.department_code nulls last, p.version desc limit 1
    ) p on t.code is not null";

impl Terminal {
    /// The terminal of this code; none when it is not registered.
    ///
    /// # Errors
    /// When this database is no store, or what is registered has faults: then nothing can be
    /// decided, and nothing is.
    pub fn find(code: &str) -> Result<Option<Self>, Refusal> {
        sql::row(TERMINAL, &[code.into()], |row| {
            let Some(department) = row.get::<String>(4) else { return Ok(None) };
            let Some(profile) = row.get::<String>(10) else { return Err(no_layout()) };
            let store =
                store_day(&row.must::<String>(2), row.must(3)).unwrap_or_else(|fault| sql::broken(&fault.detail));
            let declaration = declaration(&row.must::<String>(6), &row.must::<String>(7), store)?;
            let closed: Array<'_, Date> = row.must(11);
            Ok(Some(Self {
                node_id: row.must(1),
                code: code.to_owned(),
                department,
                active: row.must(5),
                store,
                declaration,
                profile: parsed_profile(JsonbText(profile))?,
                layout: Layout { profile_id: row.uuid(8), version: row.must(9) },
                closed: closed.iter().flatten().map(sql::day).collect(),
            }))
        })
        .unwrap_or_else(|| Err(no_store()))
    }

    /// What the core decides by, for files that arrive now.
    pub fn context(&self, arrival: DateTime<Utc>) -> TerminalContext<'_> {
        TerminalContext {
            node_id: self.node_id,
            terminal: &self.code,
            department: &self.department,
            store: self.store,
            terminal_zone: self.declaration.timezone,
            window: guc::clock_window(),
            late_after: guc::late_after(),
            closed: &self.closed,
            profile: &self.profile,
            id_map: &self.declaration.id_map,
            arrival,
        }
    }
}

/// The declaration and the rules were checked when they were saved. A fault here was written by
/// another version.
fn declaration(declares: &str, rules: &str, store: StoreDay) -> Result<Declaration, Refusal> {
    let read = |text: &str| json::read(text, usize::MAX).map_err(sql::unreadable);
    let mut declares = read(declares)?;
    if let Value::Object(members) = &mut declares {
        members.push(("barcode_rules".to_owned(), read(rules)?));
    }
    let declared = Declaration::from_json(&declares).map_err(|faults| {
        Refusal::faulty("what the terminal declares cannot be used", &faults)
            .hint("Register the terminal again with org.register_terminal; catalog.barcode_rule holds the rules.")
    })?;
    Ok(Declaration { store_zone: Some(store.zone), ..declared })
}

/// Every layout was deleted.
fn no_layout() -> Refusal {
    let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    Refusal::new(code, "the store has no layout of .dat files").hint("Save one with dat.save_profile.")
}

/// This database is not registered as a store.
pub fn no_store() -> Refusal {
    let code = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    Refusal::new(code, "this database is no store, or its store was deleted")
        .hint("Register it with org.register_store. In a chain, central says in org.store whether a store is deleted.")
}
