//! What a store can say whose superuser is hostile, and what becomes of it: ARCHITECTURE.md, "Who
//! may say what about whom".

mod ban;
mod bases;
mod entitlement;
mod snapshots;

use tpv_lab::cluster::Cluster;

use crate::support::run;

/// Writes an operation into the journal of store 2 past all guards, as its superuser can.
const OP: &str = "create or replace function evil.op(entity text, key text, patch text, base text default '{}') returns bigint \
    language plpgsql as $$ declare s bigint; begin \
      insert into sync.op_counter as c values (2, 1) on conflict (node_id) do update set last_seq = c.last_seq + 1 \
        returning last_seq into s; \
      insert into wire.op (node_id, seq, hlc, table_name, key, patch, base) values (2, s, tpv.hlc_now(), entity, key, patch, base); \
      return s; end $$";

/// Sends central what store 2 is not asked for.
const SEND: &str = "create or replace function evil.send(kind text, body text) returns void language sql as \
    $$ insert into wire.resend (node_id, to_node, hlc, kind, body) values (2, 100, tpv.hlc_now(), kind, body) $$";

/// Gives the superuser of store 2 the functions by which it lies.
#[track_caller]
fn turn_hostile(at: &Cluster) {
    run(at, &["create schema if not exists evil", OP, SEND]);
}
