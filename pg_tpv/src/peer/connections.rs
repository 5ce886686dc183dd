//! Which connections a peer's login has.

use pgrx::pg_sys;

/// The processes that serve this login, this one among them. PostgreSQL's own count,
/// `CountUserBackends`, leaves walsenders out.
pub fn pids_of_this_login() -> Vec<i32> {
    // SAFETY: the array is in shared memory and lives as long as the server. Each number is read
    // whole; one that changes meanwhile is of a connection that begins or ends. A place whose
    // connection has ended keeps its numbers, and is not found by them any more.
    unsafe {
        let login = pg_sys::GetSessionUserId();
        let processes = &raw const *pg_sys::ProcGlobal;
        let pid_of_login = |place: *mut pg_sys::PGPROC| {
            let pid = (&raw const (*place).pid).read_volatile();
            let role = (&raw const (*place).roleId).read_volatile();
            (pid != 0 && role == login && pg_sys::BackendPidGetProc(pid) == place).then_some(pid)
        };
        let count = usize::try_from((*processes).allProcCount).unwrap_or_default();
        (0..count).filter_map(|nth| pid_of_login((*processes).allProcs.add(nth))).collect()
    }
}
