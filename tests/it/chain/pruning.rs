//! The journal is pruned at every node, and everything goes on.

use std::thread;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::wait::{until, until_true};

use crate::support::{ANA, HEADS, SOON, all_say, ask, run, until_at, until_verified, update_ana, with_ana};

/// Nothing is kept for its age, and a peer that is silent is waited for as long as this.
fn keep_nothing(chain: &Chain, wait_for_peer: &str) {
    for node in chain.nodes() {
        let wait = format!("alter system set pg_tpv.wait_for_peer = '{wait_for_peer}'");
        let statements =
            ["alter system set pg_tpv.keep_operations = 0", "alter system set pg_tpv.beat_interval = '1s'", &wait];
        run(node, &statements);
        run(node, &["select pg_reload_conf()"]);
    }
}

/// Compares and prunes until something has left the journal.
fn prune(node: &Cluster) {
    let operations = || ask(node, "select count(*)::text from wire.op");
    let before = operations();
    until_true("operations have left the journal", SOON, || {
        run(node, &["select sync.reconcile()", "select sync.prune_operations()"]);
        operations() != before
    })
    .unwrap();
}

fn write_a_lot<'c>(nodes: impl IntoIterator<Item = &'c Cluster>, round: usize) {
    for (nth, node) in nodes.into_iter().enumerate() {
        for step in 0..20 {
            run(node, &[&update_ana(&format!("name = 'Ana {round} {nth} {step}', phone = '{step}'"))]);
        }
        let new = format!("insert into party.customer (name, tags) values ('new {round} {nth}', '[\"a\"]')");
        run(node, &[&new]);
    }
}

#[test]
fn a_pruned_journal_changes_nothing_of_what_nodes_agree_on() {
    let chain = with_ana();
    keep_nothing(&chain, "30d");
    for round in 0..3 {
        write_a_lot(chain.nodes(), round);
        chain.converge().unwrap();
        chain.nodes().for_each(prune);
        // What names operations that have left, and what was written at the same time.
        thread::scope(|scope| {
            for (nth, node) in chain.nodes().enumerate() {
                scope.spawn(move || run(node, &[&update_ana(&format!("city = 'Round {round} {nth}'"))]));
            }
        });
        chain.converge().unwrap();
        all_say(&chain, HEADS);
        // Who was erased stays erased, whatever has left the journal.
        let gone =
            ask(&chain.central, &format!("select customer_id::text from party.customer where name = 'new {round} 1'"));
        run(&chain.central, &[&format!("select party.erase('{gone}', 'request {round}')")]);
        chain.converge().unwrap();
    }
    chain.nodes().for_each(prune);
    let left = "select (count(*) < 60)::text from wire.op where table_name = 'party.customer'";
    assert_eq!(all_say(&chain, left), "true");
    let erased = format!(
        "select string_agg(c::text, ',' order by customer_id) from party.customer c where deleted and customer_id <> '{ANA}'"
    );
    assert!(!all_say(&chain, &erased).contains("new "));
    assert_eq!(all_say(&chain, "select string_agg(q::text, ', ') from sync.quarantine q"), "");
    until_verified(&chain);
}

/// Its slot was moved on by hand, as if it had been lost.
#[test]
fn a_store_that_was_away_until_operations_had_left_gets_a_snapshot() {
    let chain = with_ana();
    // Central waits for nobody.
    keep_nothing(&chain, "0");
    write_a_lot(chain.nodes(), 0);
    chain.converge().unwrap();
    until_verified(&chain);
    let snapshots = "select count(*)::text from sync.snapshot where completed_at is not null";
    let before = ask(&chain.stores[1], snapshots);
    let sent = "select count(*)::text from wire.resend where to_node = 2 and kind = 'snapshot_end'";
    let sent_before: i64 = ask(&chain.central, sent).parse().unwrap();
    chain.cut(1).unwrap();
    run(&chain.stores[1], &[&update_ana("city = 'Away'"), "insert into party.customer (name) values ('made away')"]);
    write_a_lot([&chain.central, &chain.stores[0]], 1);
    until_at(&chain.central, "select exists (select from party.customer where name = 'new 1 1')");
    prune(&chain.central);
    // The store lacks operations of two nodes, and cannot get those of either.
    until_true("operations of both have left", SOON, || {
        run(&chain.central, &["select sync.reconcile()", "select sync.prune_operations()"]);
        let both = "select (count(*) = 2)::text from sync.pruned p where node_id in (1, 100) \
                    and seq > (select seq from sync.peer_vector v where v.node_id = 2 and v.writer_id = p.node_id)";
        ask(&chain.central, both) == "true"
    })
    .unwrap();
    skip(&chain.central, "tpv_to_s02");
    chain.mend(1).unwrap();

    // What was written in vain may still come, so that the gap is seen.
    run(&chain.central, &["insert into party.customer (name) values ('later')"]);
    let mut store = chain.stores[1].connect().unwrap();
    until_true("the store got a snapshot", SOON, || {
        store.batch_execute("select sync.reconcile()").unwrap();
        store.query_one(snapshots, &[]).unwrap().get::<_, String>(0) != before
    })
    .unwrap();
    chain.converge().unwrap();
    all_say(&chain, HEADS);
    for name in ["made away", "new 1 0", "new 1 1", "later"] {
        let there = format!("select count(*)::text from party.customer where name = '{name}'");
        assert_eq!(all_say(&chain, &there), "1", "{name}");
    }
    until_verified(&chain);
    assert_eq!(ask(&chain.central, sent), (sent_before + 1).to_string(), "one snapshot brings what all wrote");
    // And it goes on, in both directions.
    write_a_lot(chain.nodes(), 2);
    chain.converge().unwrap();
    all_say(&chain, HEADS);
    assert_eq!(all_say(&chain, "select string_agg(q::text, ', ') from sync.quarantine q"), "");
}

fn skip(at: &Cluster, slot: &str) {
    let skip = format!(
        "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) is not null from pg_replication_slots \
         where slot_name = '{slot}' and active_pid is null"
    );
    let mut dba = at.connect().unwrap();
    until("the slot is moved", SOON, || dba.query_opt(&skip, &[]).ok().flatten()).unwrap();
}
