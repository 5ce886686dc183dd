//! Heads are written by the merge alone. A row of `sync.head` that somebody changed or removed would
//! go to every node with the next snapshot.

use std::cell::Cell;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::guc;
use crate::postgres::Refusal;

thread_local! {
    static BY_MERGE: Cell<bool> = const { Cell::new(false) };
}

/// Writes heads.
pub(super) fn by_merge<T>(work: impl FnOnce() -> T) -> T {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            BY_MERGE.set(self.0);
        }
    }
    let _reset = Reset(BY_MERGE.replace(true));
    work()
}

extension_sql!(
    r#"
create function guard_heads() returns trigger language c as 'MODULE_PATHNAME', 'tpv_guard_heads';
comment on function guard_heads() is
    'Refuses INSERT, UPDATE, DELETE and TRUNCATE of sync.head outside of the merge, unless pg_tpv.maintenance is on.';
"#,
    name = "guard_heads"
);

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_guard_heads() -> &'static pg_sys::Pg_finfo_record {
    static VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &VERSION_1
}

/// BEFORE INSERT, UPDATE, DELETE or TRUNCATE of `sync.head`.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_guard_heads(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: a context that is not null is a node, whose tag tells what it is; a trigger's data are
    // there.
    unsafe {
        let context = (*call).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            let code = PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
            Refusal::new(code, "this function is a trigger of sync.head").raise()
        }
        if !BY_MERGE.get() && !guc::maintenance() {
            Refusal::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, "heads are written by the merge alone")
                .detail("What is in sync.head goes to every node with the next snapshot.")
                .hint("Update the row of the tracked table. The owner of the tables may set pg_tpv.maintenance.")
                .raise();
        }
        let data: *mut pg_sys::TriggerData = context.cast();
        let updates = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
        pg_sys::Datum::from(if updates { (*data).tg_newtuple } else { (*data).tg_trigtuple })
    }
}
