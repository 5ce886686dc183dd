//! Whether the server that comes to stream is the one that a peer had before: `tpv_core::life`
//! decides, `sync.life` is what is on record.
//!
//! A connection begins with a statement, and streams by a command later. The statement has a
//! transaction, in which the life is judged and what was decided is written. So a refusal is on
//! record, and it is the command that is refused. The login has no right on any table: the owner of
//! the tables does this, and no statement of the login's can.

use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::time::Duration;

use pgrx::pg_sys;
use pgrx::prelude::*;
use tpv_core::life::{Descent, Life, REFUSAL, Recorded, Refused, State, Verdict, Why, heard, judge, tell};

use super::connections::pids_of_this_login;
use crate::node::{life, this_node};
use crate::postgres::{Refusal, sql, within};
use crate::wire::subscription_of;

/// Whoever was let in streams within this time or not at all; until then the slot counts as its own.
const STARTING_MS: i64 = 10_000;

/// Another connection of the same peer is being judged; that takes milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// No connection that nobody answers lasts longer than Linux lets it, where the server has no limit.
const LONGEST_LEFT_OVER: Duration = Duration::from_secs(3 * 60 * 60);

/// A walsender that is stopped, or decodes a large transaction, looks at the time later.
const LEAST_PATIENCE: Duration = Duration::from_secs(60);

/// How many lives of a peer are kept. One that was forgotten comes from nobody knows where.
const KEPT: i64 = 500;

thread_local! {
    /// What was decided about the life that this connection named.
    static VERDICT: Cell<Option<Verdict>> = const { Cell::new(None) };
    /// Whether the statement that runs is one of ours.
    static IS_DECIDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the statement that is parsed is one of those by which a life is judged.
pub fn is_deciding() -> bool {
    IS_DECIDING.get()
}

/// Judges the life that this connection of a peer names. Within the transaction of its first
/// statement.
pub fn judge_connection(slot: &str) {
    if VERDICT.get().is_none()
        && let Some(comes) = named()
    {
        VERDICT.set(Some(as_owner(|| decide(slot, &comes)).unwrap_or(Verdict::Continue)));
    }
}

/// Refuses to stream to a life that was not let in. One that names none is of an older version, or a
/// person.
pub fn refuse_unless_let_in() {
    let Some(comes) = named() else { return };
    let refusal = match VERDICT.get() {
        Some(Verdict::Continue | Verdict::Take { .. }) => return,
        Some(Verdict::Wait) => waits(),
        Some(Verdict::Refuse(why)) => refused(&comes, why),
        // A subscription does, and then it was judged.
        None => Refusal::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "a connection that names a life begins as a subscription does",
        ),
    };
    refusal.raise()
}

fn waits() -> Refusal {
    let message = "another connection in the place of this server has not ended yet";
    Refusal::new(PgSqlErrorCode::ERRCODE_OBJECT_IN_USE, message)
        .hint("It is tried again. What a server leaves over when it starts anew ends within a minute or two.")
}

fn refused(comes: &Descent, why: Why) -> Refusal {
    let name = comes.life;
    let detail = match why {
        Why::Replaced => format!("Life {name} was here before, and another one has taken its place."),
        Why::Follows(before) => {
            format!("Life {name} follows {before}, which was replaced by another: a copy, or a restored server.")
        }
        Why::Beside => format!("Life {name} came while another one was connected, and both servers are alive."),
    };
    Refusal::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, REFUSAL).detail(detail).hint(
        "A person decides which server it is: docs/dba.md, \"Two servers say that they are one node\". \
         One that was restored comes back by sync.rejoin_plan.",
    )
}

/// The life that this connection names, and those before it.
fn named() -> Option<Descent> {
    // SAFETY: reads a setting that PostgreSQL itself keeps, as text that lives as long as it.
    let name = unsafe {
        let name = pg_sys::GetConfigOption(c"application_name".as_ptr(), true, false);
        if name.is_null() { "" } else { CStr::from_ptr(name).to_str().unwrap_or_default() }
    };
    Descent::parse(name)
}

/// Does `work` with the rights of whoever owns the tables. None where there is nobody.
fn as_owner<T>(work: impl FnOnce() -> T) -> Option<T> {
    struct Back(pg_sys::Oid, c_int);
    impl Drop for Back {
        fn drop(&mut self) {
            IS_DECIDING.set(false);
            // SAFETY: what they were; also when the transaction is about to be rolled back.
            unsafe { pg_sys::SetUserIdAndSecContext(self.0, self.1) };
        }
    }
    // SAFETY: looks up a name, and reads and sets two variables of this process.
    unsafe {
        let owner = pg_sys::get_role_oid(c"tpv_owner".as_ptr(), true);
        if owner == pg_sys::InvalidOid || pg_sys::RecoveryInProgress() {
            return None;
        }
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let _back = Back(user, context);
        let of_owner = context | pg_sys::SECURITY_LOCAL_USERID_CHANGE.cast_signed();
        pg_sys::SetUserIdAndSecContext(owner, of_owner);
        IS_DECIDING.set(true);
        Some(work())
    }
}

/// The tables of an older version have none of this.
const IS_READY: &str = "select to_regprocedure('sync.note_clone(integer, text, integer, boolean)') is not null";
const PEER: &str = "select sync.peer_of_slot($1)";
const LOCK: &str = "select from sync.life where node_id = $1 and state = 'current' for update";
const SLOT: &str = "select active_pid from pg_catalog.pg_replication_slots where slot_name = $1";
const KNOWN: &str = r"
    select life, state, coalesce(pid, 0), coalesce(predecessor, ''),
      (extract(epoch from clock_timestamp() - first_at) * 1000)::bigint,
      (extract(epoch from clock_timestamp() - last_at) * 1000)::bigint
    from sync.life where node_id = $1";

/// Where there is nothing to decide with, or no slot, PostgreSQL says what is wrong.
fn decide(slot: &str, comes: &Descent) -> Verdict {
    if !is_ready() {
        return Verdict::Continue;
    }
    let Some(peer) = sql::row(PEER, &[slot.into()], |row| row.get::<i32>(1)).flatten() else {
        return Verdict::Continue;
    };
    // SAFETY: reads a variable of this process.
    let can_write = !unsafe { pg_sys::XactReadOnly };
    // Two that come at once are judged one after the other. Where nobody is current yet, an index
    // lets one of them in.
    if can_write && within(LOCK_PATIENCE, || sql::execute(LOCK, &[peer.into()])).is_none() {
        waits().raise();
    }
    let Some(active) = sql::row(SLOT, &[slot.into()], |row| row.get::<i32>(1)) else { return Verdict::Continue };
    let mut is_starting = false;
    let known = sql::rows(KNOWN, &[peer.into()], |row| {
        let (known, state) = (Life::parse(&row.must::<String>(1))?, row.must::<String>(2));
        let (pid, before) = (row.must::<i32>(3), Life::parse(&row.must::<String>(4)));
        let (since_ms, last_ms) = (row.must::<i64>(5), row.must::<i64>(6));
        let state = match state.as_str() {
            "current" => State::Current,
            "waiting" => State::Waiting(Duration::from_millis(u64::try_from(since_ms).unwrap_or(0))),
            "refused" => State::Refused,
            _ => State::Replaced,
        };
        is_starting |= state == State::Current && (0..STARTING_MS).contains(&last_ms) && serves(pid);
        Some(Recorded { life: known, before, state })
    });
    let known: Vec<_> = known.into_iter().flatten().collect();
    let verdict = judge(comes, &known, active.is_none() && !is_starting, patience());
    if can_write {
        record(peer, comes, verdict);
    }
    verdict
}

fn is_ready() -> bool {
    sql::row(IS_READY, &[], |row| row.must(1)) == Some(true)
}

/// Whether another process serves this login under that number.
fn serves(pid: i32) -> bool {
    // SAFETY: reads a variable of this process.
    pid != unsafe { pg_sys::MyProcPid } && pids_of_this_login().contains(&pid)
}

/// What is left over of a server that has ended holds the slot no longer than this.
fn patience() -> Duration {
    // SAFETY: reads a setting.
    let timeout_ms = u64::try_from(unsafe { pg_sys::wal_sender_timeout }).unwrap_or(0);
    match timeout_ms {
        0 => LONGEST_LEFT_OVER,
        _ => Duration::from_millis(timeout_ms.saturating_mul(2)).max(LEAST_PATIENCE),
    }
}

const CONTINUE: &str = "update sync.life set last_at = clock_timestamp(), pid = $3 where node_id = $1 and life = $2";
const REPLACE: &str = r"
    update sync.life set state = 'replaced', replaced_at = clock_timestamp(), replacement = $2, pid = null
    where node_id = $1 and life <> $2 and (state = 'current' or (state = 'waiting' and life = any ($3)))";
const TAKE: &str = r"
    insert into sync.life as l (node_id, life, predecessor, state, is_known, pid) values ($1, $2, $3, 'current', $4, $5)
    on conflict (node_id, life) do update
    set state = 'current', is_known = excluded.is_known, last_at = clock_timestamp(), pid = excluded.pid, refusals = 0,
        replaced_at = null, replacement = null";
const WAIT: &str = r"
    insert into sync.life as l (node_id, life, predecessor, state) values ($1, $2, $3, 'waiting')
    on conflict (node_id, life) do update set last_at = clock_timestamp()";
/// Whoever is refused comes again every few seconds. Once that has alarmed, it is noted now and
/// then.
const REFUSE: &str = r"
    insert into sync.life as l (node_id, life, predecessor, state, refusals) values ($1, $2, $3, 'refused', 1)
    on conflict (node_id, life) do update
    set state = case l.state when 'replaced' then l.state else 'refused' end, refusals = l.refusals + 1,
        last_at = clock_timestamp()
    where l.refusals < 2 or l.last_at < clock_timestamp() - interval '10 seconds'
    returning refusals";
const FORGET: &str = r"
    delete from sync.life l
    where l.node_id = $1 and l.state <> 'current' and l.life in (
      select o.life from sync.life o where o.node_id = $1 order by o.last_at desc offset $2)";
const NOTE: &str = "select sync.note_clone($1, $2, $3, $4)";

fn record(peer: i32, comes: &Descent, verdict: Verdict) {
    let name = comes.life.to_string();
    let predecessor = comes.before.first().map(Life::to_string);
    // SAFETY: reads a variable of this process.
    let pid = unsafe { pg_sys::MyProcPid };
    match verdict {
        Verdict::Continue => _ = sql::execute(CONTINUE, &[peer.into(), name.into(), pid.into()]),
        Verdict::Take { is_known } => {
            let before: Vec<_> = comes.before.iter().map(Life::to_string).collect();
            sql::execute(REPLACE, &[peer.into(), name.clone().into(), before.into()]);
            sql::execute(TAKE, &[peer.into(), name.into(), predecessor.into(), is_known.into(), pid.into()]);
        }
        Verdict::Wait => _ = sql::execute(WAIT, &[peer.into(), name.into(), predecessor.into()]),
        Verdict::Refuse(_) => {
            let args = [peer.into(), name.clone().into(), predecessor.into()];
            let refusals: Option<i32> = sql::row(REFUSE, &args, |row| row.must(1));
            // A packet that a dead server has left in the network comes once. A server that is alive
            // comes again.
            if refusals >= Some(2) {
                note(peer, &name, this_node(), false);
            }
        }
    }
    if verdict != Verdict::Continue {
        sql::execute(FORGET, &[peer.into(), KEPT.into()]);
    }
}

/// Notes that somebody has refused a life in the name of a node.
fn note(node_id: i32, name: &str, from_node: Option<i32>, is_here: bool) {
    if let Some(from_node) = from_node {
        sql::row(NOTE, &[node_id.into(), name.into(), from_node.into(), is_here.into()], |_| ());
    }
}

const REFUSED_HERE: &str = "select sync.note_refusal($1, $2)";

/// Notes that a peer has refused this server. In the background worker: the worker that was refused
/// has ended.
pub fn note_refusal() {
    for origin in life::refused() {
        if let Some(own) = life::this_life()
            && is_ready()
            && let Some(subscription) = subscription_of(origin)
        {
            sql::row(REFUSED_HERE, &[subscription.into(), own.to_string().into()], |_| ());
        }
    }
}

const REFUSED: &str = r"
    select node_id, life from sync.clone
    where from_node = $1 and node_id <> $1 and settled_at is null and last_at > clock_timestamp() - interval '10 minutes'
    order by last_at desc limit 20";

/// Adds to what a heartbeat of this node says which lives in the names of peers it has refused.
pub fn tell_refused(here: i32, more: String) -> String {
    if !is_ready() {
        return more;
    }
    let mut refused = Refused::new();
    for (node, name) in sql::rows(REFUSED, &[here.into()], |row| (row.must::<i32>(1), row.must::<String>(2))) {
        refused.entry(node).or_default().extend(Life::parse(&name));
    }
    tell(&more, &refused)
}

/// Notes what a heartbeat of a peer says of lives in the name of this node that it has refused. This
/// server's own it hears of where it is refused.
pub fn hear_refused(here: i32, peer: i32, more: &str) {
    let others: Vec<_> = heard(more, here).into_iter().filter(|life| Some(*life) != life::this_life()).collect();
    if !others.is_empty() && is_ready() {
        others.iter().for_each(|life| note(here, &life.to_string(), Some(peer), false));
    }
}
