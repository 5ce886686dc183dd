//! A peer's heartbeat, folded into `sync.peer` and the tables beside it. Nothing is written where
//! nothing has changed: a chain that rests writes one small row for each heartbeat.

use std::collections::HashSet;

use tpv_core::hash_chain::NamedBy;
use tpv_core::heartbeat::{Own, Report, Since};
use tpv_core::row_limits::CHAINS_OF_PEER;

use super::lives;
use crate::node::{clock, this_node};
use crate::postgres::{DataFault, attempt, sql};
use crate::wire::{BeatRow, Sender, refuse_once};

/// Not for a heartbeat that was heard before. A node that was restored from a backup gives numbers
/// again, later; one whose clock was set back gives earlier stamps to later numbers.
const KNOWN: &str = r"
    select whole_hlc from sync.peer where node_id = $1 and (beat is null or beat < $2 or coalesce(beat_hlc < $3, true))";

const IS_FINITE: &str = "select isfinite($1::timestamptz)";

/// When a heartbeat is missing, rows may be missing too: `received_until` does not move until
/// `sync.reconcile` has compared. The first heartbeat of a peer counts as such a gap.
const FOLD: &str = r"
    update sync.peer p
    set beat = $2, beat_at = clock_timestamp(), low_water = $3, version = $4, ahead_ms = $5, beat_hlc = $6, whole_hlc = $7,
        joined_seq = coalesce(p.joined_seq, $8),
        heads_requested_at = case when $6 = $7 then null else p.heads_requested_at end,
        gap_beat = case when p.beat + 1 = $2 then p.gap_beat else $2 end,
        received_until = case when p.beat + 1 = $2 and p.gap_beat is null then $3 else p.received_until end
    where p.node_id = $1";

const HEADS: &str = r"
    insert into sync.peer_chain as c (node_id, name, writer_id, chain, chain_seq, hash, hlc)
    select $1, t.name, t.writer_id, t.chain, t.chain_seq, t.hash, t.hlc
    from unnest($2::text[], $3::integer[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[])
      as t (name, writer_id, chain, chain_seq, hash, hlc)
    left join sync.peer_chain h on h.node_id = $1 and h.name = t.name
    where (h.chain_seq, h.hash) is distinct from (t.chain_seq, t.hash)
    on conflict (node_id, name) do update set chain_seq = excluded.chain_seq, hash = excluded.hash, hlc = excluded.hlc";

/// A heartbeat that names all of the peer's own hash chains, and not one that it named before.
const GONE: &str = r"
    update sync.peer_chain c set chain_seq = 0, hash = decode(repeat('00', 32), 'hex'), hlc = null
    where c.node_id = $1 and c.writer_id = $1 and c.chain_seq > 0 and c.name <> all ($2::text[])";

const OPERATIONS: &str = r"
    with told as (
      select t.writer_id, t.seq from unnest($2::integer[], $3::bigint[]) as t (writer_id, seq)
    ), gone as (
      delete from sync.peer_vector v
      where v.node_id = $1 and not exists (select from told t where t.writer_id = v.writer_id)
    )
    insert into sync.peer_vector as v (node_id, writer_id, seq)
    select $1, t.writer_id, t.seq from told t
    left join sync.peer_vector h on h.node_id = $1 and h.writer_id = t.writer_id
    where h.seq is distinct from t.seq
    on conflict (node_id, writer_id) do update set seq = excluded.seq";

const QUESTION: &str = "select sync.hear_question($1, $2, $3)";

/// Folds a peer's heartbeat into `sync.peer`. A heartbeat that the sender passes on for another
/// node is dropped.
pub fn fold(from: Sender, beat: &BeatRow) {
    let Sender::Peer { node_id: peer, is_central } = from else { return };
    if peer != beat.node_id {
        return;
    }
    // A number at the end of its type is the data's fault too.
    if let Err(fault) = attempt(|| note(peer, is_central, beat)) {
        refuse_once(&beat.as_refused(), &fault);
    }
}

fn note(peer: i32, is_central: bool, beat: &BeatRow) -> Result<(), DataFault> {
    let is_finite = sql::row(IS_FINITE, &[beat.low_water.into()], |row| row.must(1)).unwrap_or(false);
    if !(0..i64::MAX).contains(&beat.beat) || beat.hlc < 0 || !is_finite {
        return Err(DataFault::new(
            "BAD_BEAT",
            "its number, its stamp or its low-water mark is none; nothing of it counts",
        ));
    }
    let ahead = clock::follow(beat.hlc);
    let known = sql::row(KNOWN, &[peer.into(), beat.beat.into(), beat.hlc.into()], |row| row.get::<i64>(1));
    let (Some(known), Some(here)) = (known, this_node()) else { return Ok(()) };
    let report = Report::read(&beat.ops, &beat.chains, &beat.more);
    if !report.faults.is_empty() {
        let detail = format!("its column {} cannot be read; the others count", report.faults.join(", "));
        refuse_once(&beat.as_refused(), &DataFault::new("BAD_BEAT", detail));
    }
    sql::execute(
        FOLD,
        &[
            peer.into(),
            beat.beat.into(),
            beat.low_water.into(),
            beat.version.as_str().into(),
            ahead.into(),
            beat.hlc.into(),
            report.whole(known, beat.hlc).into(),
            // With its first heartbeat a store says what it wrote before it joined.
            last_of_before(peer, is_central, &report).into(),
        ],
    );
    if !note_heads(peer, &report, |chain| chain.is_sent_to(here, peer, is_central)) {
        let detail = "it names more hash chains than a node has; those that are new do not count";
        refuse_once(&beat.as_refused(), &DataFault::new("BAD_BEAT", detail));
    }
    note_operations(peer, &report);
    lives::hear_refused(here, peer, &beat.more);
    if let Some(Own { token, stamps }) = report.own {
        sql::execute(QUESTION, &[peer.into(), token.into(), stamps.into()]);
    }
    Ok(())
}

/// The number of a store's last operation, as it says.
fn last_of_before(peer: i32, is_central: bool, report: &Report) -> Option<i64> {
    let operations = report.operations.as_ref().filter(|_| !is_central)?;
    Some(operations.get(&peer).copied().unwrap_or(0))
}

const KNOWN_CHAINS: &str = "select name from sync.peer_chain where node_id = $1";

/// Notes the heads of those chains whose documents come here. This node never follows the others.
/// False if there are more than a node has ([`CHAINS_OF_PEER`]): then those that are new are left out.
fn note_heads(peer: i32, report: &Report, concerns: impl Fn(&NamedBy<'_>) -> bool) -> bool {
    let mut told: Vec<_> = report
        .heads
        .0
        .iter()
        .map(|(called, head)| (called, NamedBy::parse(called, peer), head))
        // Only by its one name: a chain that is named in two ways would be followed twice.
        .filter(|(called, chain, _)| concerns(chain) && chain.called_by(peer) == **called)
        .collect();
    let all: Vec<_> = told.iter().map(|(called, ..)| called.as_str()).collect();
    let mut is_noted = true;
    if !told.is_empty() {
        let known: HashSet<String> = sql::rows(KNOWN_CHAINS, &[peer.into()], |row| row.must(1)).into_iter().collect();
        let new = told.iter().filter(|(called, ..)| !known.contains(called.as_str())).count();
        is_noted = new == 0 || known.len() + new <= CHAINS_OF_PEER;
        told.retain(|(called, ..)| is_noted || known.contains(called.as_str()));
    }
    if !told.is_empty() {
        sql::execute(
            HEADS,
            &[
                peer.into(),
                told.iter().map(|(called, ..)| called.as_str()).collect::<Vec<_>>().into(),
                told.iter().map(|(_, chain, _)| chain.writer).collect::<Vec<_>>().into(),
                told.iter().map(|(_, chain, _)| chain.name).collect::<Vec<_>>().into(),
                told.iter().map(|(.., head)| head.seq).collect::<Vec<_>>().into(),
                told.iter().map(|(.., head)| head.hash.to_vec()).collect::<Vec<_>>().into(),
                told.iter().map(|(.., head)| head.hlc).collect::<Vec<_>>().into(),
            ],
        );
    }
    if report.since == Since::All && report.faults.is_empty() {
        sql::execute(GONE, &[peer.into(), all.into()]);
    }
    is_noted
}

fn note_operations(peer: i32, report: &Report) {
    let Some(operations) = &report.operations else { return };
    let args = [
        peer.into(),
        operations.keys().copied().collect::<Vec<_>>().into(),
        operations.values().copied().collect::<Vec<_>>().into(),
    ];
    sql::execute(OPERATIONS, &args);
}
