//! Two servers that say that they are one node: one is a copy of the other's disk.

use std::process::Command;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::store::Receipts;

use crate::support::{all_say, ask, refused, run, sell, until_at, until_verified, update_ana, with_ana};

fn copy_of(server: &Cluster) -> Cluster {
    Cluster::copy_for_test(&Lab::open().unwrap(), server).unwrap()
}

fn life(server: &Cluster) -> String {
    ask(server, "select tpv.life()")
}

/// The server that may stream from `at` in the name of a peer is this one.
#[track_caller]
fn until_current(at: &Cluster, peer: i32, server: &Cluster) {
    let life = life(server);
    until_at(
        at,
        &format!("select exists (select from sync.life where (node_id, life, state) = ({peer}, '{life}', 'current'))"),
    );
}

/// `at` has refused this server in the name of a peer, and has raised the alarm.
#[track_caller]
fn until_refused(at: &Cluster, peer: i32, server: &Cluster) {
    let life = life(server);
    until_alarm(at, peer, &life);
    // The server itself knows by whom.
    until_at(
        server,
        &format!("select exists (select from sync.clone where is_here and (node_id, life) = ({peer}, '{life}'))"),
    );
    until_at(server, "select bool_or(state = 'refused' and advice like '%Two servers say%') from sync.status");
}

#[track_caller]
fn until_alarm(at: &Cluster, node: i32, life: &str) {
    let alarm = format!("event = 'CLONE' and subject = 'node {node}, life {life}'");
    until_at(at, &format!("select count(*) = 1 from sec.audit where {alarm}"));
    until_at(at, "select bool_or(advice like '%Two servers say%') from sync.status");
}

/// Nobody takes anybody for a copy.
#[track_caller]
fn no_alarm(chain: &Chain) {
    let alarms = "select concat_ws(' ', (select string_agg(a::text, ', ') from sec.audit a where event = 'CLONE'), \
        (select string_agg(c::text, ', ') from sync.clone c), \
        (select string_agg(l::text, ', ') from sync.life l where state = 'refused' or refusals > 0))";
    assert_eq!(all_say(chain, alarms), "");
}

fn stores_receive(chain: &Chain, phone: &str) {
    run(&chain.central, &[&update_ana(&format!("phone = '{phone}'"))]);
    chain.converge().unwrap();
}

#[test]
fn a_copy_beside_a_store_is_refused_and_both_sides_are_told() {
    let mut chain = with_ana();
    until_current(&chain.central, 1, &chain.stores[0]);
    let mut copy = copy_of(&chain.stores[0]);
    copy.start().unwrap();
    // It could be the store itself, started anew, whose last connection has not ended yet.
    let waits = "select exists (select from sync.life where node_id = 1 and state = 'waiting')";
    until_at(&chain.central, waits);
    until_at(&chain.central, "select count(*) = 0 from sec.audit where event = 'CLONE'");
    stores_receive(&chain, "beside");
    // No such connection lasts for an hour.
    let hour = "update sync.life set first_at = first_at - interval '1 hour' where state = 'waiting'";
    run(&chain.central, &[hour]);
    until_refused(&chain.central, 1, &copy);
    until_alarm(&chain.stores[0], 1, &life(&copy));
    assert_eq!(ask(&chain.stores[1], "select count(*)::text from sync.clone"), "0");

    // Neither a start of its own helps it nor one of the store's.
    copy.stop().unwrap();
    copy.start().unwrap();
    until_refused(&chain.central, 1, &copy);
    chain.stores[0].stop().unwrap();
    chain.stores[0].start().unwrap();
    until_current(&chain.central, 1, &chain.stores[0]);
    stores_receive(&chain, "after it");
    until_at(&copy, "select not exists (select from party.customer where phone = 'after it')");
    drop(copy);
    sell(&chain.stores[0], &mut Receipts::new(71), 3);
    until_verified(&chain);
}

#[test]
fn a_copy_of_before_is_refused_at_once() {
    let mut chain = with_ana();
    chain.stores[0].stop().unwrap();
    let mut copy = copy_of(&chain.stores[0]);
    chain.stores[0].start().unwrap();
    until_current(&chain.central, 1, &chain.stores[0]);
    copy.start().unwrap();
    until_refused(&chain.central, 1, &copy);
    until_current(&chain.central, 1, &chain.stores[0]);
    stores_receive(&chain, "goes on");
}

/// Nothing tells the two apart. What one of them has taken, a person gives back.
#[test]
fn a_copy_that_came_while_the_store_was_down_has_its_place_until_a_person_decides() {
    let mut chain = with_ana();
    until_verified(&chain);
    chain.stores[0].stop().unwrap();
    let mut copy = copy_of(&chain.stores[0]);
    copy.start().unwrap();
    until_current(&chain.central, 1, &copy);
    run(&chain.central, &[&update_ana("phone = 'fetched by the copy'")]);
    until_at(&copy, "select exists (select from party.customer where phone = 'fetched by the copy')");

    chain.stores[0].start().unwrap();
    until_refused(&chain.central, 1, &chain.stores[0]);
    until_alarm(&copy, 1, &life(&chain.stores[0]));
    // It goes on selling, and another start changes nothing.
    sell(&chain.stores[0], &mut Receipts::new(72), 3);
    chain.stores[0].stop_immediate().unwrap();
    chain.stores[0].start().unwrap();
    until_refused(&chain.central, 1, &chain.stores[0]);

    let name = life(&copy);
    copy.stop().unwrap();
    let accept = format!("select sync.accept_life(1, 'it stands in the shop', '{}')", life(&chain.stores[0]));
    run(&chain.central, &[&accept]);
    until_verified(&chain);
    chain.converge().unwrap();
    until_at(&chain.central, "select count(*) = 3 from sales.receipt where node_id = 1");
    // The copy has nothing of the store's place any more.
    copy.start().unwrap();
    until_refused(&chain.central, 1, &copy);
    until_current(&chain.central, 1, &chain.stores[0]);
    until_at(
        &chain.central,
        &format!("select state = 'replaced' from sync.life where (node_id, life) = (1, '{name}')"),
    );
    assert_eq!(ask(&chain.central, "select count(*)::text from sec.audit where event = 'LIFE_ACCEPTED'"), "1");
}

#[test]
fn a_copy_of_central_is_refused_by_each_store_and_central_is_told() {
    let mut chain = with_ana();
    chain.central.stop().unwrap();
    let mut copy = copy_of(&chain.central);
    chain.central.start().unwrap();
    for store in &chain.stores {
        until_current(store, 100, &chain.central);
    }
    copy.start().unwrap();
    for store in &chain.stores {
        until_refused(store, 100, &copy);
    }
    until_alarm_of_all(&chain.central, &life(&copy));
    until_at(&copy, "select exists (select from sync.restored where ended_at is null)");
    assert_eq!(refused(&copy, &update_ana("phone = 'of the copy'")), "55000", "it knows that it is not the one");
    stores_receive(&chain, "of central");
    for store in &chain.stores {
        until_current(store, 100, &chain.central);
    }
    sell(&chain.stores[1], &mut Receipts::new(73), 2);
    until_at(&chain.central, "select count(*) = 2 from sales.receipt where node_id = 2");
}

/// Each store tells central by its heartbeats.
#[track_caller]
fn until_alarm_of_all(central: &Cluster, life: &str) {
    let told =
        format!("select count(*) = 2 from sync.clone where (node_id, life) = (100, '{life}') and from_node in (1, 2)");
    until_at(central, &told);
    until_at(
        central,
        "select count(*) = 2 from sync.status where direction = 'receives' and advice like '%a copy of this server%'",
    );
}

#[test]
fn servers_that_start_again_and_again_are_no_copies() {
    let mut chain = with_ana();
    // In order, at once, and while the other side is down: more often than a name says.
    chain.central.stop().unwrap();
    for _ in 0..5 {
        chain.stores[0].stop().unwrap();
        chain.stores[0].start().unwrap();
    }
    chain.central.start().unwrap();
    stores_receive(&chain, "in order");
    chain.stores[1].kill().unwrap();
    chain.stores[1].start().unwrap();
    chain.central.kill().unwrap();
    chain.central.start().unwrap();
    stores_receive(&chain, "killed");
    // A server whose processes crash goes on with the life that it has.
    let before = life(&chain.stores[0]);
    let killed = "select pid from pg_stat_activity where backend_type like 'logical replication %worker'";
    let pid: i32 = chain.stores[0].connect().unwrap().query_one(killed, &[]).unwrap().get(0);
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    stores_receive(&chain, "recovered");
    assert_eq!(life(&chain.stores[0]), before);
    until_current(&chain.central, 1, &chain.stores[0]);
    for store in [0, 1] {
        chain.cut(store).unwrap();
        chain.mend(store).unwrap();
    }
    stores_receive(&chain, "mended");
    no_alarm(&chain);
    let current = "select string_agg(node_id::text, ',' order by node_id) from sync.life where state = 'current'";
    assert_eq!(chain.everywhere(current).unwrap(), ["1,2", "100", "100"]);
}
