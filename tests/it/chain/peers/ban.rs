//! A store whose machine was stolen.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tpv_lab::chain::{Chain, Plan, conninfo};
use tpv_lab::cluster::Cluster;
use tpv_lab::node::STORES;
use tpv_lab::store::Receipts;
use tpv_lab::wait::stop_at_the_latest;

use super::turn_hostile;
use crate::support::{
    ANA, HEADS, all_say, ana_is, ask, journals_have_no_gap, refused, run, sell, until_at, until_verified, update_ana,
    with_ana,
};

/// All that people see of customers.
const SEEN: &str = "select string_agg(concat_ws(' ', customer_id, name, phone, email, city, tags, consent, credit_limit), ',' \
    order by customer_id) from party.customer where not deleted";

/// What central has that is the store's.
const ENDS: &str = "select concat_ws(' ', \
    (select count(*) from pg_subscription where subname = 'tpv_from_s02'), \
    (select count(*) from pg_replication_slots where slot_name = 'tpv_to_s02'), \
    (select count(*) from pg_publication where pubname = 'tpv_to_s02'), \
    (select count(*) from pg_roles where rolname = 'tpv_peer_s02'), \
    (select count(*) from sync.peer where node_id = 2))";

const LAST_HERE: &str = "select max(seq)::text from wire.op where node_id = 2";

const BAN: &str = "call sync.ban('S02', 'stolen, report 4711')";

/// Brings back central's subscription to the store, as a backup of before the ban does.
#[track_caller]
fn subscribe_again(central: &Cluster, hostile: &Cluster) {
    run(central, &["insert into sync.peer (node_id, subscription_name) values (2, 'tpv_from_s02')"]);
    let mut dba = central.connect().unwrap();
    let steps =
        "select sql from sync.join_steps('S02', 2, 'CENTRAL', 100, $1, $2) where step in (30, 31) order by step";
    for step in dba.query(steps, &[&conninfo(hostile), &conninfo(central)]).unwrap() {
        dba.batch_execute(step.get(0)).unwrap();
    }
}

/// Writes customers as fast as it can until it is told to stop.
fn flood(hostile: &Cluster, stop: &AtomicBool) {
    let mut thief = hostile.connect().unwrap();
    while !stop.load(Ordering::Relaxed) {
        thief.batch_execute("insert into party.customer (name) values ('Ghost')").unwrap();
    }
}

/// One stolen machine could write every customer until somebody had typed all of `leave_plan`, and what it
/// had written was listed nowhere.
#[test]
fn what_a_stolen_machine_wrote_is_refused_from_its_ban_on_and_undone_by_one_call() {
    let chain = with_ana();
    run(
        &chain.central,
        &[
            "insert into party.customer (name, phone, tags, consent) select 'C' || n, '600', '[\"old\"]', 'all' from generate_series(1, 50) n",
        ],
    );
    chain.converge().unwrap();
    until_verified(&chain);
    let (central, other, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    let (before, since) = (ask(central, SEEN), ask(central, "select clock_timestamp()::text"));

    turn_hostile(hostile);
    let mut receipts = Receipts::new(66);
    sell(hostile, &mut receipts, 3);
    let of_1970 = format!(
        "with n as (update sync.op_counter set last_seq = last_seq + 1 where node_id = 2 returning last_seq) \
         insert into wire.op (node_id, seq, hlc, table_name, key, patch, base) \
         select 2, n.last_seq, 1, 'party.customer', '{ANA}', '{{\"phone\":\"1970\"}}', '{{}}' from n"
    );
    run(
        hostile,
        &[
            "update party.customer set phone = '666', tags = '[\"evil\"]', consent = 'none'",
            &update_ana("name = 'Nobody', city = 'Nowhere'"),
            &of_1970,
            "update party.customer set deleted = true where name in ('C1', 'C2')",
            r#"select evil.op('catalog.price', gen_random_uuid()::text, '{"@exists": true, "price": 0.01}')"#,
        ],
    );
    until_at(other, "select count(*) > 40 from party.customer where phone = '666'");
    // Somebody sees it and writes what she knows.
    let known = "update party.customer set phone = '700' where name = 'C7'";
    run(other, &[known]);
    until_at(central, "select exists (select from party.customer where phone = '700')");

    // It is banned while it writes.
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let thief = scope.spawn(|| flood(hostile, &stop));
        until_at(central, "select count(*) > 20 from party.customer where name = 'Ghost'");
        let said = ask(central, BAN);
        stop.store(true, Ordering::Relaxed);
        thief.join().unwrap();
        assert!(said.starts_with("S02 is banned: nothing after its operation"), "{said}");
    });
    assert_eq!(ask(central, ENDS), "0 0 0 0 0");
    assert!(central.connect_as("tpv_peer_s02", "tpv").is_err(), "it cannot log in");
    run(hostile, &["insert into party.customer (name) values ('Ghost')", &update_ana("name = 'after it'")]);
    sell(hostile, &mut receipts, 2);
    let last: i64 = ask(central, "select last_seq::text from org.ban").parse().unwrap();
    assert_eq!(ask(central, LAST_HERE), last.to_string());
    until_at(other, "select exists (select from org.ban where node_id = 2 and lifted_at is null)");
    until_at(other, &format!("select max(seq) = {last} from wire.op where node_id = 2"));
    assert_eq!(ask(central, "select count(*)::text from sales.receipt where node_id = 2"), "3");

    // Its later rows, should they come: central has its old subscription back, and passes one on.
    subscribe_again(central, hostile);
    let kept = "select count(distinct kind) >= 3 from sync.quarantine where code = 'BANNED' and refused is not null";
    until_at(central, kept);
    assert_eq!(ask(central, LAST_HERE), last.to_string());
    assert_eq!(ask(central, "select count(*)::text from sales.receipt where node_id = 2"), "3");
    assert_eq!(ask(central, "select (count(*) between 1 and 210)::text from sec.audit where event = 'BANNED'"), "true");
    let advice = "select advice from sync.status where peer = 'S02' and direction = 'receives'";
    assert!(ask(central, advice).contains("sync.ban"), "{}", ask(central, advice));
    assert!(ask(central, BAN).starts_with("S02 was banned already"), "twice is harmless");
    assert_eq!(ask(central, ENDS), "0 0 0 0 0");
    let next = last + 1;
    let passed_on = format!(
        "select sync.send(1, 'operations', json_build_object('operations', json_build_array(json_build_array( \
         2, {next}, 1, 'party.customer', '{ANA}', '{{\"name\":\"after it\"}}', '{{}}')))::text)"
    );
    run(central, &[&passed_on]);
    until_at(other, "select exists (select from sync.quarantine where code = 'BANNED' and node_id = 2)");
    assert_eq!(ask(other, LAST_HERE), last.to_string());

    // What it wrote before that is listed, and undone.
    let listed = |what: &str| format!("select count(*)::text from sync.written_by('S02', '{since}') where {what}");
    assert_eq!(
        ask(central, &listed("what = 'document'")),
        (ask(central, "select count(*)::text from wire.doc where node_id = 2"))
    );
    assert_eq!(ask(central, &listed("state = 'refused'")), "1", "the price");
    assert_eq!(
        ask(central, &listed(&format!("key = '{ANA}' and value_written = '\"1970\"'"))),
        "1",
        "whatever its stamp"
    );
    let undo = format!(
        "select count(*)::text from sync.undo_written('S02', '{since}', 'report 4711') \
        where outcome not in ('restored', 'deleted')"
    );
    assert_eq!(ask(central, &undo), "0", "nothing is left of it");
    let as_before = ask(central, SEEN);
    assert_eq!(as_before.replace("C7 700", "C7 600"), before);
    assert!(as_before.contains("C7 700"), "but what somebody wrote who had seen it");
    until_at(other, &format!("select ({SEEN}) = (select '{as_before}')"));
    assert_eq!(ask(other, HEADS), ask(central, HEADS));
    let numbers = ask(central, "select max(seq)::text from wire.op where node_id = 100");
    assert_eq!(ask(central, &undo), ask(central, &listed("undo = 'left'")), "a second call undoes nothing more");
    assert_eq!(ask(central, "select max(seq)::text from wire.op where node_id = 100"), numbers);

    // The others go on, and nothing is missed.
    run(other, &[&update_ana("email = 'ana@x'")]);
    until_at(central, &ana_is("email = 'ana@x' and phone is null"));
    let verified = "select sync.reconcile() = 0";
    until_at(central, verified);
    until_at(other, verified);
    assert_eq!(ask(central, "select string_agg(distinct advice, ', ') from sync.status"), "nothing to do");

    // The number is used up.
    let again = Plan::Join.run(STORES[1], hostile, central).unwrap_err();
    assert!(format!("{again:#}").contains("node 2 is banned"), "{again:#}");
    assert_eq!(refused(central, "select sync.add_peer(2, 'S02', 'store')"), "55000");
}

/// The machine was in the other van.
#[test]
fn a_ban_is_lifted_and_the_store_comes_back_with_what_it_wrote_meanwhile() {
    let chain = with_ana();
    until_verified(&chain);
    let (central, found) = (&chain.central, &chain.stores[1]);
    run(central, &[BAN]);
    turn_hostile(found);
    run(
        found,
        &[
            &update_ana("phone = 'away'"),
            "insert into party.customer (name) values ('made away')",
            r#"select evil.op('org.store', (select store_id::text from org.store where node_id = 2), '{"name":"evil"}')"#,
        ],
    );
    let mut receipts = Receipts::new(67);
    sell(found, &mut receipts, 4);
    run(central, &[&update_ana("email = 'central'")]);
    run(central, &["select sync.unban('S02', 'it was in the other van')"]);
    Plan::Rejoin.run(STORES[1], found, central).unwrap();
    chain.converge().unwrap();
    until_verified(&chain);
    all_say(&chain, HEADS);
    journals_have_no_gap(&chain);
    assert_eq!(all_say(&chain, "select phone || ' ' || email from party.customer where name = 'Ana'"), "away central");
    assert_eq!(all_say(&chain, "select count(*)::text from party.customer where name = 'made away'"), "1");
    assert_eq!(ask(central, "select count(*)::text from sales.receipt where node_id = 2"), "4");
    // It had joined long before.
    assert_eq!(
        ask(central, "select code from sync.quarantine where node_id = 2 and kind = 'org.store'"),
        "NOT_ENTITLED"
    );
    assert_eq!(ask(central, "select count(*)::text from sec.audit where event in ('STORE_BANNED', 'BAN_LIFTED')"), "2");
}

/// A line of the plan is not enough: the ban alone ends what flows, also while a session keeps a row locked
/// for which the store's worker waits.
#[test]
fn a_ban_waits_for_no_session() {
    let chain = Chain::joined(2).unwrap();
    let (central, hostile) = (&chain.central, &chain.stores[1]);
    run(central, &["insert into party.customer (name) values ('Eva')"]);
    chain.converge().unwrap();
    let mut clerk = central.connect().unwrap();
    let mut work = clerk.transaction().unwrap();
    work.batch_execute("update party.customer set phone = '1'").unwrap();
    run(hostile, &["update party.customer set phone = '666'"]);
    until_at(
        central,
        "select exists (select from pg_stat_activity where backend_type like 'logical replication%worker' and wait_event_type = 'Lock')",
    );
    run(central, &[BAN]);
    assert_eq!(ask(central, ENDS), "0 0 0 0 0");
    work.commit().unwrap();
    until_at(&chain.stores[0], "select exists (select from party.customer where phone = '1')");
}

/// Connects as store 2 and takes its slot, again and again.
fn hammer(central: &Cluster, stop: &AtomicBool) {
    let start =
        "START_REPLICATION SLOT \"tpv_to_s02\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_to_s02\"')";
    let to = format!("host={} user=tpv_peer_s02 dbname=tpv replication=database", central.sockets().display());
    while !stop.load(Ordering::Relaxed) {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--dbname", &to]).args(["--command", start].repeat(500));
        psql.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    }
}

/// Eight connections took the slot again as soon as one was ended. Then it could not be dropped, and all of
/// the ban was undone: the store could log in, and what it wrote was believed.
#[test]
fn a_thief_who_connects_again_and_again_does_not_stop_the_ban() {
    let chain = Chain::joined(2).unwrap();
    let (central, hostile) = (&chain.central, &chain.stores[1]);
    chain.converge().unwrap();
    run(hostile, &["alter subscription tpv_from_central disable"]);
    let stop = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        for _ in 0..8 {
            scope.spawn(|| hammer(central, &stop));
        }
        until_at(central, "select count(*) >= 4 from pg_stat_activity where usename = 'tpv_peer_s02'");
        central.connect().unwrap().query_one(BAN, &[]).map(|row| row.get::<_, String>(0))
    });
    let said = said.unwrap();
    assert!(said.starts_with("S02 is banned") && !said.contains("NOT DONE"), "{said}");
    assert_eq!(ask(central, ENDS), "0 0 0 0 0");
}

/// Somebody kept the row of the store, or of one who worked there, locked: the ban waited for him, and the
/// store went on meanwhile.
#[test]
fn a_ban_does_what_it_can_beside_a_row_that_somebody_locks_and_says_what_is_left() {
    let chain = Chain::joined(2).unwrap();
    let (central, hostile) = (&chain.central, &chain.stores[1]);
    chain.converge().unwrap();
    run(central, &["update org.store set gateway_url = 'https://s02.example' where node_id = 2"]);
    let mut clerk = central.connect().unwrap();
    let mut work = clerk.transaction().unwrap();
    work.batch_execute("update org.store set name = name || '!' where node_id = 2").unwrap();
    let said = ask(central, BAN);
    assert!(said.starts_with("S02 is banned") && said.contains("NOT DONE YET: its gateway's key"), "{said}");
    assert_eq!(ask(central, ENDS), "0 0 0 0 0");
    run(hostile, &["insert into party.customer (name) values ('Ghost')"]);
    work.commit().unwrap();
    let again = ask(central, BAN);
    assert!(again.starts_with("S02 was banned already") && !again.contains("NOT DONE"), "{again}");
    assert_eq!(ask(central, "select count(*)::text from party.customer where name = 'Ghost'"), "0");
}

/// Documents before the beginning of a hash chain were taken and counted, and no list and no comparison showed
/// them.
#[test]
fn a_document_before_the_beginning_of_its_hash_chain_is_refused() {
    let chain = Chain::joined(2).unwrap();
    let (central, hostile) = (&chain.central, &chain.stores[1]);
    run(
        hostile,
        &[
            "create function public.before() returns trigger language plpgsql as $$ begin new.chain_seq := -5; return new; end $$",
            "create trigger _150_before before insert on wire.doc for each row execute function public.before()",
        ],
    );
    sell(hostile, &mut Receipts::new(68), 1);
    until_at(central, "select count(*) = 1 from sync.quarantine where code = 'CHAIN_PLACE' and refused is not null");
    assert_eq!(ask(central, "select count(*)::text from wire.doc where node_id = 2"), "0");
    assert_eq!(ask(central, "select count(*)::text from sales.receipt where node_id = 2"), "0");
}
