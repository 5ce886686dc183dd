//! What of a store is not taken now, and comes again by comparing: an operation far beyond a gap in
//! its numbers. What is beyond a gap is named in every snapshot and counted again and again.

use std::cell::Cell;

use tpv_core::row_limits::BEYOND_GAP;

use crate::postgres::sql;
use crate::wire::{Sender, note_dropped};

thread_local! {
    /// A store, and the number up to which its operations are here without a gap, at least.
    static CONTIGUOUS: Cell<(i32, i64)> = const { Cell::new((0, 0)) };
}

const HORIZON: &str = "select seq from sync.horizon where node_id = $1";
const IS_HERE: &str = "select from wire.op where node_id = $1 and seq = $2";
/// Numbers that somebody let be missing are passed over, as comparing does.
const ACCEPTED: &str = r"
    select max(to_seq) from sync.accepted_drift
    where what = 'operations' and subject = $1::integer::text and from_seq <= $2::bigint + 1 and to_seq > $2";
/// How many follow without a gap, and at most a page of them.
const FOLLOW: &str = r"
    select count(*) from (
      select o.seq, row_number() over (order by o.seq) as place from wire.op o
       where o.node_id = $1 and o.seq > $2 order by o.seq limit 10000) next
    where next.seq = $2 + next.place";

/// Whether an operation is so far beyond a gap that it is not taken now. That is counted.
pub fn is_far_beyond_gap(from: Sender, node_id: i32, seq: i64) -> bool {
    // Central sends what it took itself.
    if !matches!(from, Sender::Peer { node_id: peer, is_central: false } if peer == node_id) {
        return false;
    }
    let (known, last) = CONTIGUOUS.get();
    if known == node_id && seq.saturating_sub(last) <= BEYOND_GAP {
        return false;
    }
    let last = contiguous(node_id, seq, if known == node_id { last } else { 0 });
    CONTIGUOUS.set((node_id, last));
    let is_far = seq.saturating_sub(last) > BEYOND_GAP;
    if is_far {
        note_dropped(node_id);
    }
    is_far
}

/// The number up to which the operations of a node are here without a gap, as far as that matters
/// for `seq`; at least `last`.
fn contiguous(node_id: i32, seq: i64, last: i64) -> i64 {
    let horizon = sql::row(HORIZON, &[node_id.into()], |row| row.must::<i64>(1)).unwrap_or(0);
    let mut last = last.max(horizon);
    while seq.saturating_sub(last) > BEYOND_GAP {
        // Nearly always it is a gap that stays, which one look tells.
        if sql::row(IS_HERE, &[node_id.into(), last.saturating_add(1).into()], |_| ()).is_some() {
            last += sql::row(FOLLOW, &[node_id.into(), last.into()], |row| row.must::<i64>(1)).unwrap_or(0);
            continue;
        }
        match sql::row(ACCEPTED, &[node_id.into(), last.into()], |row| row.get::<i64>(1)).flatten() {
            Some(passed) => last = passed,
            None => break,
        }
    }
    last
}
