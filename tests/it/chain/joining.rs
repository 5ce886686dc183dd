//! How a store joins, catches up, and leaves, while everybody goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tpv_lab::chain::{self, Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::{self, Receipts};
use tpv_lab::wait::{stop_at_the_latest, until, until_true};

use crate::support::{
    CUSTOMERS, HEADS, SOON, all_say, ask, journals_are_whole, of_ana, refused, run, sell, until_verified, update_ana,
    with_ana,
};

const RECEIPTS: &str = "select count(*) || ' ' || coalesce(sum(total), 0) from sales.receipt where node_id = 2";

/// Each side writes from before the first step of the plan until after the last.
#[test]
fn a_store_joins_while_both_sides_go_on_writing_and_has_what_all_have() {
    let mut chain = Chain::joined(1).unwrap();
    run(&chain.central, &["insert into party.customer (name) select 'c' || n from generate_series(1, 2000) n"]);
    let lab = Lab::open().unwrap();
    let newcomer = Cluster::for_test(&lab).unwrap();
    store::register(&mut newcomer.connect().unwrap(), STORES[1]).unwrap();
    run(&newcomer, &["insert into party.customer (name) select 'n' || n from generate_series(1, 500) n"]);
    sell(&newcomer, &mut Receipts::new(51), 120);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        for (name, at) in [("c", &chain.central), ("s", &chain.stores[0]), ("n", &newcomer)] {
            let stop = &stop;
            scope.spawn(move || {
                let mut dba = at.connect().unwrap();
                let mut receipts = Receipts::new(52);
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    // Everybody edits the same few, and adds some.
                    dba.batch_execute(&format!(
                        "update party.customer set phone = '{name}{n}' where customer_id = \
                           (select customer_id from party.customer order by customer_id offset {} limit 1); \
                         insert into party.customer (name) values ('{name}{n}')",
                        n % 5
                    ))
                    .unwrap();
                    if name == "n" {
                        sell(at, &mut receipts, 1);
                    }
                }
            });
        }
        Plan::Join.run(STORES[1], &newcomer, &chain.central).unwrap();
        until("the snapshot is complete", SOON, || {
            ask(&newcomer, "select count(*)::text from sync.snapshot where completed_at is not null")
                .parse::<i64>()
                .ok()
                .filter(|n| *n > 0)
        })
        .unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    chain.stores.push(newcomer);
    chain.converge().unwrap();
    all_say(&chain, CUSTOMERS);
    all_say(&chain, HEADS);
    until_verified(&chain);
    // Receipts that came before their store was known wait in quarantine until pg_cron's next
    // minute.
    ask(&chain.central, "select sync.replay_waiting()::text");
    assert_eq!(ask(&chain.central, RECEIPTS), ask(&chain.stores[1], RECEIPTS));
    assert_eq!(ask(&chain.central, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    for node in chain.nodes() {
        assert_eq!(ask(node, "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null"), "");
        assert_eq!(ask(node, "select string_agg(distinct advice, ', ') from sync.status"), "nothing to do");
    }
    // What came as state is not sent as operations.
    assert_eq!(ask(&chain.stores[1], "select (count(*) < 2000)::text from wire.op where node_id = 100"), "true");
}

/// A document whose hash chain no bookkeeping names. It is in `wire.doc`, and so it must arrive.
const BY_HAND: &str = "insert into wire.doc \
      (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
    values (2, gen_random_uuid(), current_date, 'riddle', tpv.hlc_now(), 1, 'by hand', 1, decode(repeat('00', 32), 'hex'), '{}', sha256('{}'))";

#[test]
fn a_store_that_lost_its_slots_rejoins_without_copying_or_losing_anything() {
    let chain = Chain::joined(2).unwrap();
    let mut receipts = Receipts::new(53);
    let customer =
        "insert into party.customer (customer_id, name) values ('00000000-0000-7000-8000-0000000000aa', 'Ana')";
    run(&chain.central, &[customer]);
    sell(&chain.stores[1], &mut receipts, 20);
    chain.converge().unwrap();
    until_verified(&chain);

    chain.cut(1).unwrap();
    let drop = |at: &Cluster, slot: &str| {
        let free = format!("select active_pid is null from pg_replication_slots where slot_name = '{slot}'");
        let mut dba = at.connect().unwrap();
        until_true("the slot is free", SOON, || dba.query_one(&free, &[]).unwrap().get(0)).unwrap();
        run(at, &[&format!("select pg_drop_replication_slot('{slot}')")]);
    };
    drop(&chain.central, "tpv_to_s02");
    drop(&chain.stores[1], "tpv_up_s02");
    assert_eq!(
        ask(&chain.central, "select state from sync.status where peer = 'S02' and direction = 'sends'"),
        "no slot"
    );
    let edit = |what: &str| format!("update party.customer set {what} where name like 'Ana%'");
    run(
        &chain.central,
        &[
            &edit("phone = 'central'"),
            "insert into party.customer (name) select 'c' || n from generate_series(1, 50) n",
        ],
    );
    run(&chain.stores[0], &[&edit("city = 'Lugo'")]);
    run(
        &chain.stores[1],
        &[&edit("email = 's02'"), &edit("phone = 's02'"), "insert into party.customer (name) values ('away')"],
    );
    sell(&chain.stores[1], &mut receipts, 30);
    run(&chain.stores[1], &[BY_HAND]);

    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    chain.converge().unwrap();
    until_verified(&chain);
    all_say(&chain, CUSTOMERS);
    all_say(&chain, HEADS);
    assert!(ask(&chain.central, RECEIPTS).starts_with("50 "));
    assert_eq!(ask(&chain.central, "select count(*)::text from wire.doc where chain = 'by hand'"), "1");
    let siblings = "select string_agg(column_name || node_id, ',' order by node_id) from sync.sibling";
    assert_eq!(ask(&chain.central, siblings), "phone2,phone100");
    assert_eq!(ask(&chain.stores[1], siblings), "phone2,phone100");
}

#[test]
fn a_store_that_joins_again_is_refused_and_the_chain_goes_on() {
    let chain = with_ana();
    let (central, store) = (&chain.central, &chain.stores[0]);
    for taken in ["1, 'S99', 'store'", "9, 'S01', 'store'", "1, 'S01', 'central'", "100, 'S01', 'store'"] {
        assert_eq!(refused(central, &format!("select sync.add_peer({taken})")), "22023", "{taken}");
    }
    assert_eq!(refused(store, "select sync.add_peer(200, 'OTHER', 'central')"), "22023");
    let other_version = "select sync.add_peer(7, 'S07', 'store', '9.9.9', 1)";
    assert_eq!(refused(central, other_version), "55000");
    let other_schema =
        "select sync.add_peer(7, 'S07', 'store', (select extversion from pg_extension where extname = 'pg_tpv'), 1)";
    assert_eq!(refused(central, other_schema), "55000");
    let again = Plan::Join.run(STORES[0], store, central).unwrap_err();
    let state =
        again.root_cause().downcast_ref::<postgres::error::DbError>().map(|error| error.code().code().to_owned());
    assert_eq!(state.as_deref(), Some("55000"), "{again:#}");
    // A step that is run again changes nothing, and neither does all of it.
    let steps = "select run_on, sql from sync.join_steps('S01', 1, 'CENTRAL', 100, $1, $2) order by step";
    let conninfos = [chain::conninfo(store), chain::conninfo(central)];
    for row in central.connect().unwrap().query(steps, &[&conninfos[0], &conninfos[1]]).unwrap() {
        let (run_on, sql): (String, String) = (row.get(0), row.get(1));
        run(if run_on == "S01" { store } else { central }, &[&sql]);
    }
    run(store, &[&update_ana("phone = '3'")]);
    run(central, &[&update_ana("email = '4'")]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("row(email, phone)")), "(4,3)");
    journals_are_whole(&chain);
}

/// As a person edits what is central's in a store that has left: by the owner of the tables.
const RAISED: &str = "set role tpv_owner; update catalog.product set description = 'its own'; \
    insert into catalog.product (sku, description) values ('own', 'own'); reset role";

#[test]
fn a_store_that_left_and_comes_back_replaces_nothing_of_what_central_decided() {
    let chain = Chain::joined(2).unwrap();
    run(&chain.central, &["insert into catalog.product (sku, description) values ('1', 'Pan')"]);
    let is_there = "select exists (select from catalog.product where sku = '1')";
    let mut store = chain.stores[0].connect().unwrap();
    until_true("the store has it", SOON, || store.query_one(is_there, &[]).unwrap().get(0)).unwrap();
    leave(&chain);
    run(&chain.stores[0], &[RAISED]);
    assert_eq!(ask(&chain.stores[0], "select description from catalog.product where sku = '1'"), "its own");
    Plan::Join.run(STORES[0], &chain.stores[0], &chain.central).unwrap();
    until_verified(&chain);
    chain.converge().unwrap();
    all_say(&chain, HEADS);
    let products =
        "select string_agg(sku || ' ' || description, ', ' order by sku) from catalog.product where not deleted";
    for node in chain.nodes() {
        assert_eq!(ask(node, products), "1 Pan");
        assert_eq!(ask(node, "select count(*)::text from sync.sibling"), "0");
    }
    let kept = "select string_agg(value, ', ' order by value) from sync.set_aside where column_name = 'description'";
    assert_eq!(ask(&chain.stores[0], kept), "\"its own\", \"own\"");
}

#[track_caller]
fn leave(chain: &Chain) {
    let plan = "select run_on, sql from sync.leave_plan('S01', 1, 'CENTRAL', 100) order by step";
    for row in chain.central.connect().unwrap().query(plan, &[]).unwrap() {
        let (run_on, sql): (String, String) = (row.get(0), row.get(1));
        run(if run_on == "S01" { &chain.stores[0] } else { &chain.central }, &[&sql]);
    }
}

#[test]
fn a_store_leaves_and_decides_for_itself() {
    let chain = Chain::joined(2).unwrap();
    // A snapshot that it began and will never end must not keep central from sending others its
    // own.
    run(&chain.central, &["insert into sync.snapshot (snapshot_id, node_id) values (gen_random_uuid(), 1)"]);
    let send = "select sync.send_snapshot(2)";
    assert_eq!(refused(&chain.central, send), "55000");
    (0..2).for_each(|_| leave(&chain));
    run(&chain.central, &[send]);
    run(&chain.stores[0], &["insert into catalog.product (sku, description) values ('own', 'own')"]);
    run(&chain.central, &["insert into party.customer (name) values ('x')"]);
    let gone = "select count(*)::text from (select from sync.peer where node_id in (1, 100) and org.this_node() in (1, 100) \
        and (org.this_node() = 1 or node_id = 1) union all select from pg_replication_slots where slot_name like '%s01' \
        union all select from pg_roles where rolname in ('tpv_peer_s01', 'tpv_peer_central')) x";
    assert_eq!(ask(&chain.stores[0], gone), "0");
    assert_eq!(ask(&chain.central, gone), "0");
    let mut other = chain.stores[1].connect().unwrap();
    let came = "select exists (select from party.customer where name = 'x')";
    until_true("the others go on", SOON, || other.query_one(came, &[]).unwrap().get(0)).unwrap();
}
