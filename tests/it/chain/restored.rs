//! A server that was restored from a backup: it has forgotten what it decided, and the others have
//! not.

use std::process::Command;

use tpv_lab::chain::{Chain, Plan, bring_back};
use tpv_lab::cluster::Cluster;
use tpv_lab::node::STORES;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;

use crate::support::{CUSTOMERS, HEADS, SOON, all_say, ask, run, sell, until_verified, update_ana, with_ana};

/// Copies the data of a server that stands still, as a backup or from one.
#[track_caller]
fn copy(from: &str, to: &str) {
    let done = Command::new("sh").args(["-c", "rm -rf \"$1\" && cp -a \"$0\" \"$1\"", from, to]).status().unwrap();
    assert!(done.success());
}

#[track_caller]
fn back_up(at: &mut Cluster) -> String {
    at.stop().unwrap();
    let data = at.data().display().to_string();
    let backup = format!("{data}.backup");
    copy(&data, &backup);
    at.start().unwrap();
    backup
}

#[track_caller]
fn restore(at: &mut Cluster, backup: &str) {
    at.stop().unwrap();
    copy(backup, &at.data().display().to_string());
    at.start().unwrap();
}

/// What `sync.status` says about the way from a node to all of its peers.
#[track_caller]
fn until_sends(at: &Cluster, state: &str) {
    let query = format!("select bool_and(state = '{state}') from sync.status where direction = 'sends'");
    let mut dba = at.connect().unwrap();
    until_true(state, SOON, || dba.query_one(&query, &[]).unwrap().get::<_, Option<bool>>(0) == Some(true)).unwrap();
}

/// All have the same, and nobody was taken for somebody else on the way.
#[track_caller]
fn all_agree(chain: &Chain) {
    until_verified(chain);
    chain.converge().unwrap();
    for query in [CUSTOMERS, HEADS] {
        all_say(chain, query);
    }
    for node in chain.nodes() {
        let refused = "select string_agg(q::text, ', ') from sync.quarantine q where refused is not null";
        assert_eq!(ask(node, refused), "");
    }
}

/// Numbers that it gives from now on are new ones.
#[track_caller]
fn goes_on(chain: &Chain, at: &Cluster) {
    run(at, &[&update_ana("email = 'again'"), "insert into party.customer (name) values ('after')"]);
    all_agree(chain);
    for node in chain.nodes() {
        assert_eq!(ask(node, "select count(*)::text from party.customer where email = 'again' or name = 'after'"), "2");
    }
}

#[test]
fn a_central_that_was_restored_gets_back_what_it_decided_and_what_it_had_received() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(61);
    sell(&chain.stores[0], &mut receipts, 5);
    all_agree(&chain);
    let backup = back_up(&mut chain.central);
    let decide =
        "insert into catalog.product (sku, description) select 'p' || n, 'product' from generate_series(1, 40) n";
    run(&chain.central, &[decide, "update catalog.product set description = 'other' where sku < 'p2'"]);
    // What replaced the store's phone is nowhere but in what the stores have.
    run(&chain.stores[1], &[&update_ana("phone = 's02'"), "insert into party.customer (name) values ('s02')"]);
    chain.converge().unwrap();
    run(&chain.central, &[&update_ana("phone = 'central'"), "insert into party.customer (name) values ('central')"]);
    sell(&chain.stores[0], &mut receipts, 7);
    chain.converge().unwrap();
    let before = chain.everywhere(HEADS).unwrap();

    restore(&mut chain.central, &backup);
    assert_eq!(ask(&chain.central, "select count(*)::text from catalog.product"), "0");
    // By itself it asks nobody: what a store says that central forgot is on record.
    let stores: Vec<_> = STORES.into_iter().zip(&chain.stores).collect();
    bring_back(&chain.central, &stores).unwrap();
    all_agree(&chain);
    assert_eq!(chain.everywhere(HEADS).unwrap(), before);
    assert_eq!(ask(&chain.central, "select count(*)::text from sales.receipt where node_id = 1"), "12");
    let asked =
        "select count(*) filter (where ended_why = 'it is complete') || ' of ' || count(*) from sync.accepted_snapshot";
    assert_eq!(ask(&chain.central, asked), "2 of 2");
    goes_on(&chain, &chain.central);
}

#[test]
fn a_store_that_was_restored_gets_back_what_it_decided() {
    let mut chain = with_ana();
    all_agree(&chain);
    let backup = back_up(&mut chain.stores[1]);
    run(&chain.stores[1], &[&update_ana("phone = 's02'"), "insert into party.customer (name) values ('s02')"]);
    chain.converge().unwrap();
    run(&chain.central, &[&update_ana("phone = 'central'")]);
    chain.converge().unwrap();
    let before = chain.everywhere(HEADS).unwrap();

    restore(&mut chain.stores[1], &backup);
    until_sends(&chain.stores[1], "restored");
    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    all_agree(&chain);
    assert_eq!(chain.everywhere(HEADS).unwrap(), before);
    goes_on(&chain, &chain.stores[1]);
}
