//! What operators decide. Each decision is a document; what it means for the disk is requested from
//! the watcher.

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::prelude::*;
use tpv_core::day::Printed;
use tpv_core::document_id::{document_about, document_of_day};
use tpv_core::document_kind::DocumentKind;
use tpv_core::hash_chain::ChainName;
use tpv_core::intake::{Dat, dat_of_body};
use tpv_core::receipt::{Receipt, State, is_name, reason};
use uuid::Uuid;

use super::dat_file;
use super::hash_chain::HashChain;
use super::terminal::{Terminal, no_store};
use crate::node::{acting, this_node};
use crate::postgres::{Refusal, sql};
use crate::projection::{lock_receipts, state_of_receipt};

/// Releases a held receipt. Called through `sales.release`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn release_receipt(receipt_id: Option<pgrx::Uuid>, why: Option<&str>, file_name: Option<&str>) {
    release(receipt_id, why, file_name).unwrap_or_else(|refusal| refusal.raise());
}

/// Voids a receipt. Called through `sales.void`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn void_receipt(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) {
    void(receipt_id, why).unwrap_or_else(|refusal| refusal.raise());
}

/// Withdraws the `.dat` of a receipt. Called through `dat.withdraw`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn withdraw_dat(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) {
    withdraw(receipt_id, why).unwrap_or_else(|refusal| refusal.raise());
}

/// Makes the `.dat` of a receipt anew. Called through `dat.render_again`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn render_again(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) {
    render(receipt_id, why).unwrap_or_else(|refusal| refusal.raise());
}

/// Closes a business day of this store. Called through `sales.close_day`.
#[pg_extern(volatile, parallel_unsafe)]
pub fn close_day(business_date: Option<Date>, why: Option<&str>) {
    close(business_date, why).unwrap_or_else(|refusal| refusal.raise());
}

fn release(receipt_id: Option<pgrx::Uuid>, why: Option<&str>, file_name: Option<&str>) -> Result<(), Refusal> {
    let mut case = Case::open(receipt_id, why)?;
    match case.state {
        State::Held => {}
        State::Voided => return Err(wrong_state("the receipt is voided, and a void beats a release")),
        State::Released => return Err(wrong_state("the receipt is released already")),
        State::Accepted => return Err(wrong_state("the receipt is not held")),
    }
    case.publish(file_name)?;
    case.record(DocumentKind::Release, 0);
    Ok(())
}

fn void(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) -> Result<(), Refusal> {
    let mut case = Case::open(receipt_id, why)?;
    if case.state == State::Voided {
        return Err(wrong_state("the receipt is voided already"));
    }
    dat_file::withdraw(case.node_id, case.receipt_id, case.why);
    case.record(DocumentKind::Void, 0);
    Ok(())
}

fn withdraw(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) -> Result<(), Refusal> {
    let mut case = Case::open(receipt_id, why)?;
    if !dat_file::withdraw(case.node_id, case.receipt_id, case.why) {
        return Err(wrong_state("the receipt has no .dat that could be withdrawn"));
    }
    case.record_once_more(DocumentKind::Withdraw);
    Ok(())
}

fn render(receipt_id: Option<pgrx::Uuid>, why: Option<&str>) -> Result<(), Refusal> {
    let mut case = Case::open(receipt_id, why)?;
    match case.state {
        State::Accepted | State::Released => {}
        State::Held => {
            return Err(wrong_state("the receipt is held").hint("Release it with sales.release to publish its .dat."));
        }
        State::Voided => return Err(wrong_state("the receipt is voided")),
    }
    dat_file::withdraw(case.node_id, case.receipt_id, case.why);
    dat_file::supersede(case.node_id, case.receipt_id);
    case.publish(None)?;
    case.record_once_more(DocumentKind::Render);
    Ok(())
}

fn close(business_date: Option<Date>, why: Option<&str>) -> Result<(), Refusal> {
    let business_date = Refusal::unless_given(business_date, "business_date")?;
    let date = crate::postgres::calendar_day(business_date)?;
    let node_id = this_node().ok_or_else(no_store)?;
    let store = crate::node::store::day_of(node_id).map_err(|_| no_store())?;
    if date > store.date_of(Utc::now()) {
        return Err(wrong_state("the business day has not begun"));
    }
    let mut chain = HashChain::lock(node_id, ChainName::OWN);
    let closed = sql::row(CLOSED, &[node_id.into(), business_date.into()], |_| ());
    if closed.is_some() {
        return Err(wrong_state("the business day is closed already"));
    }
    let body = reason(None, &acting(), why.unwrap_or_default(), None);
    let kind = DocumentKind::DayClose;
    chain.append(kind, date, document_of_day(node_id, kind, date), body);
    chain.write();
    Ok(())
}

const CLOSED: &str = "select from sales.day_close where node_id = $1 and business_date = $2";

/// A receipt that an operator decides about. The node's own hash chain is locked: one decision at a
/// time.
struct Case<'w> {
    node_id: i32,
    receipt_id: Uuid,
    business_date: NaiveDate,
    terminal: String,
    body: String,
    state: State,
    printed_at: Option<DateTime<Utc>>,
    why: &'w str,
    chain: Option<HashChain>,
}

const RECEIPT: &str = r"
    select d.business_date, d.body::json ->> 'terminalId', d.body from wire.doc d
    where d.node_id = $1 and d.doc_id = $2 and d.kind = 'receipt'";

impl<'w> Case<'w> {
    fn open(receipt_id: Option<pgrx::Uuid>, why: Option<&'w str>) -> Result<Self, Refusal> {
        let (receipt_id, why) = (Refusal::unless_given(receipt_id, "receipt_id")?, why.unwrap_or_default());
        if why.trim().is_empty() {
            return Err(wrong_state("a reason is required"));
        }
        let node_id = this_node().ok_or_else(no_store)?;
        let chain = Some(HashChain::lock(node_id, ChainName::OWN));
        let found = sql::row(RECEIPT, &[node_id.into(), receipt_id.into()], |row| {
            (row.date(1), row.must::<String>(2), row.must::<String>(3))
        });
        let Some((business_date, terminal, body)) = found else {
            let code = PgSqlErrorCode::ERRCODE_NO_DATA_FOUND;
            return Err(Refusal::new(code, "no receipt of this store has that id"));
        };
        let receipt_id = Uuid::from_bytes(*receipt_id.as_bytes());
        // Before its state is read and its .dat is changed. A ticket that undoes the receipt locks
        // in the same order.
        lock_receipts(node_id, &[receipt_id]);
        let receipt_state = state_of_receipt(node_id, receipt_id);
        let (state, printed_at) = (receipt_state.state, receipt_state.printed_at);
        Ok(Self { node_id, receipt_id, business_date, terminal, body, state, printed_at, why, chain })
    }

    /// Makes the `.dat` with the present layout, and requests its publication.
    fn publish(&self, file_name: Option<&str>) -> Result<(), Refusal> {
        let terminal = Terminal::find(&self.terminal)?
            .ok_or_else(|| wrong_state("the terminal of the receipt is no longer registered"))?;
        let mut dat = self.dat(&terminal)?;
        if let Some(name) = file_name {
            if !is_name(name) {
                let message = "a file name has 1 to 64 letters, digits, points, hyphens and underscores";
                return Err(wrong_state(message));
            }
            dat.name = name.to_owned();
            dat.trigger_name = tpv_core::dat::trigger_name(&terminal.profile, name);
        }
        let wanted = [(self.receipt_id, &dat)];
        if dat_file::take_names(self.node_id, &self.terminal, &terminal.layout, &wanted).is_empty() {
            return Err(Refusal::new(
                PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION,
                "another receipt has a .dat of that name in that folder",
            )
            .hint("Give another name to sales.release as file_name."));
        }
        dat_file::request_publication(self.node_id, self.receipt_id, self.why);
        Ok(())
    }

    fn dat(&self, terminal: &Terminal) -> Result<Dat, Refusal> {
        let receipt = Receipt::from_body(&self.body)
            .map_err(|faults| Refusal::faulty("the stored receipt cannot be read", &faults))?;
        let context = terminal.context(Utc::now());
        let printed = match self.printed_at {
            Some(instant) => {
                Printed { instant, local: instant.with_timezone(&terminal.store.zone).naive_local(), flag: None }
            }
            None => context.printed(receipt.timestamp, &receipt.receipt_id, None),
        };
        let dat = dat_of_body(&context, &self.body, &printed, self.business_date);
        let hint = "Save a layout that can show it with dat.save_profile, or void the receipt.";
        dat.map_err(|error| Refusal::from(error).hint(hint))
    }

    /// Writes the decision as a document.
    fn record(&mut self, kind: DocumentKind, nth: i64) {
        let Some(mut chain) = self.chain.take() else { return };
        let body = reason(Some(self.receipt_id), &acting(), self.why, None);
        let id = document_about(self.node_id, kind, self.receipt_id, nth);
        chain.append(kind, self.business_date, id, body);
        chain.write();
    }

    /// The same for a decision that can be made several times.
    fn record_once_more(&mut self, kind: DocumentKind) {
        const BEFORE: &str =
            "select count(*) from sales.receipt_event where node_id = $1 and receipt_id = $2 and kind = $3";
        let args = [self.node_id.into(), sql::uuid(self.receipt_id).into(), kind.word().into()];
        let nth = sql::row(BEFORE, &args, |row| row.must::<i64>(1)).unwrap_or(0);
        self.record(kind, nth);
    }
}

fn wrong_state(message: &str) -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

extension_sql!(
    r#"
comment on function release_receipt(uuid, text, text) is 'Releases a held receipt: see sales.release.';
comment on function void_receipt(uuid, text) is 'Voids a receipt: see sales.void.';
comment on function withdraw_dat(uuid, text) is 'Withdraws the .dat of a receipt: see dat.withdraw.';
comment on function render_again(uuid, text) is 'Makes the .dat of a receipt anew: see dat.render_again.';
comment on function close_day(date, text) is 'Closes a business day of this store: see sales.close_day.';
"#,
    name = "operator_comments",
    requires = [release_receipt, void_receipt, withdraw_dat, render_again, close_day]
);
