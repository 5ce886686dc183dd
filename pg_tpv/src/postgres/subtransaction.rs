//! Work in a subtransaction. An error that is the data's fault undoes the work and is reported. An
//! error of the machine is raised on, and whoever sent the work tries again.

use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use std::ptr::null;
use std::time::Duration;

use pgrx::pg_sys;
use pgrx::pg_sys::panic::{CaughtError, ErrorReportWithLevel};
use pgrx::{PgSqlErrorCode, PgTryBuilder};
use tpv_core::merge::MergeFault;

/// Why a row could not be worked with: it waits, with this as the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFault {
    /// The SQLSTATE, or a code of our own.
    pub code: String,
    /// The message of PostgreSQL, or a sentence of our own.
    pub detail: String,
}

impl DataFault {
    /// A fault of our own.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

impl From<MergeFault> for DataFault {
    fn from(fault: MergeFault) -> Self {
        Self::new(fault.code(), fault.to_string())
    }
}

/// Does `work` in a subtransaction.
///
/// # Errors
/// SQLSTATE classes 22, 23 and 54, which are the data's fault: everything that `work` wrote is
/// undone. 54 is a value that is too long for an index, or JSON that is too deep.
/// Every other error is raised on after the subtransaction has ended. Left open, it would outlive
/// the statement, and the session would keep its locks until a `rollback`.
pub fn attempt<T>(work: impl FnOnce() -> Result<T, DataFault>) -> Result<T, DataFault> {
    subtransaction(work, |report| {
        let code = sqlstate_of(report);
        let is_about_data = ["22", "23", "54"].iter().any(|class| code.starts_with(class));
        is_about_data.then(|| DataFault { code, detail: report.message().to_owned() })
    })
}

/// Does `work` in a subtransaction, where nobody tries again what has failed.
///
/// # Errors
/// Every error but those of classes 40 (a deadlock) and 57 (somebody ended it), and panics: these are raised
/// on.
pub fn attempt_whatever<T>(work: impl FnOnce() -> Result<T, DataFault>) -> Result<T, DataFault> {
    subtransaction(work, |report| {
        let code = sqlstate_of(report);
        let is_passing = ["40", "57"].iter().any(|class| code.starts_with(class));
        (!is_passing).then(|| DataFault { code, detail: report.message().to_owned() })
    })
}

/// Does `work`, but waits for a lock no longer than `time`; none if that was too short.
pub fn within<T>(time: Duration, work: impl FnOnce() -> T) -> Option<T> {
    struct Reset(i32);
    impl Drop for Reset {
        fn drop(&mut self) {
            // SAFETY: a plain variable of this process, which has one thread.
            unsafe { pg_sys::LockTimeout = self.0 };
        }
    }
    // SAFETY: as above.
    let _reset = unsafe { Reset(pg_sys::LockTimeout) };
    // SAFETY: as above.
    unsafe { pg_sys::LockTimeout = i32::try_from(time.as_millis()).unwrap_or(i32::MAX) };
    subtransaction(|| Ok(work()), |report| (sqlstate_of(report) == LOCK_NOT_AVAILABLE).then_some(())).ok()
}

const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Why work in a subtransaction ended early.
enum Failed<F> {
    AsExpected(F),
    Otherwise(Box<CaughtError>),
}

fn subtransaction<T, F>(
    work: impl FnOnce() -> Result<T, F>,
    expected: impl Fn(&ErrorReportWithLevel) -> Option<F> + UnwindSafe + RefUnwindSafe,
) -> Result<T, F> {
    let sorted = |cause: CaughtError| match &cause {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => match expected(report) {
            Some(fault) => Failed::AsExpected(fault),
            None => Failed::Otherwise(Box::new(cause)),
        },
        CaughtError::RustPanic { .. } => Failed::Otherwise(Box::new(cause)),
    };
    // SAFETY: the pattern of PL/pgSQL's exception block: the memory context and the resource owner
    // are those of before, whichever way the subtransaction ends.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        // At commit an apply worker has said already how far it will have got. In PostgreSQL 17 the
        // end of a subtransaction that failed makes that so, and when the transaction then fails as
        // well, it never comes again.
        let received = pg_sys::replorigin_session_origin_lsn;
        pg_sys::replorigin_session_origin_lsn = 0;
        pg_sys::BeginInternalSubTransaction(null());
        pg_sys::MemoryContextSwitchTo(context);
        let result = PgTryBuilder::new(AssertUnwindSafe(|| work().map_err(Failed::AsExpected)))
            .catch_others(|cause| Err(sorted(cause)))
            .execute();
        match result {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        let result = result.map_err(|failed| match failed {
            Failed::AsExpected(fault) => fault,
            Failed::Otherwise(cause) => cause.rethrow(),
        });
        pg_sys::replorigin_session_origin_lsn = received;
        result
    }
}

/// The SQLSTATE of an error.
pub fn sqlstate_of(report: &ErrorReportWithLevel) -> String {
    five_characters(report.sql_error_code())
}

/// MAKE_SQLSTATE of elog.h, undone: six bits a character, the first lowest.
fn five_characters(code: PgSqlErrorCode) -> String {
    let packed = code as i32;
    (0..5).map(|place| char::from(b'0' + ((packed >> (6 * place)) & 0x3F) as u8)).collect()
}
