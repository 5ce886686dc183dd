//! Servers that are killed and started again, their clocks and their background workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::{Client, NoTls};
use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::Receipts;
use tpv_lab::wait::{stop_at_the_latest, until, until_true};

use crate::support::{INGEST, SOON, all_say, journals_are_whole, update_ana, with_ana};

/// Adds customers, renames Ana and ingests receipts until told to stop; goes on when the server
/// comes back. Returns the customers and receipts that the server acknowledged.
fn work(url: &str, terminal: &str, stop: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let (mut receipts, mut added, mut ingested) = (Receipts::new(32), Vec::new(), Vec::new());
    let mut dba = None;
    let mut receipt = receipts.good(terminal);
    while !stop.load(Ordering::Relaxed) {
        if dba.as_ref().is_none_or(Client::is_closed) {
            dba = Some(until("the server is back", SOON, || Client::connect(url, NoTls).ok()).unwrap());
        }
        let Some(dba) = dba.as_mut() else { continue };
        let add = "insert into party.customer (name) values ('x') returning customer_id::text";
        if let Ok(row) = dba.query_one(add, &[]) {
            added.push(row.get(0));
        }
        let _ = dba.batch_execute(&update_ana(&format!("name = '{terminal} {}'", added.len())));
        // What was not acknowledged is sent again, as the watcher does.
        if dba.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).is_ok() {
            ingested.push(std::mem::replace(&mut receipt, receipts.good(terminal)).number);
        }
    }
    (added, ingested)
}

#[test]
fn servers_that_are_killed_in_the_middle_of_work_lose_nothing() {
    let mut chain = with_ana();
    let urls: Vec<String> = chain.stores.iter().map(Cluster::dba_url).collect();
    let stop = AtomicBool::new(false);
    let grows = |chain: &Chain, by: i64| {
        let counts = |chain: &Chain| -> Vec<i64> {
            let count = |node: i32| {
                let count = "select count(*) from wire.op where node_id = $1";
                chain.central.connect().unwrap().query_one(count, &[&node]).unwrap().get(0)
            };
            [1, 2].map(count).to_vec()
        };
        let before = counts(chain);
        until_true("work arrives at central", SOON * 2, || {
            counts(chain).iter().zip(&before).all(|(now, before)| *now > before + by)
        })
        .unwrap();
    };
    let done: Vec<_> = thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        let workers: Vec<_> =
            urls.iter().zip(["T01", "T02"]).map(|(url, till)| scope.spawn(|| work(url, till, &stop))).collect();
        grows(&chain, 50);
        chain.central.kill().unwrap();
        chain.central.start().unwrap();
        grows(&chain, 50);
        chain.stores[0].kill().unwrap();
        chain.stores[0].start().unwrap();
        grows(&chain, 50);
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    chain.converge().unwrap();
    journals_are_whole(&chain);
    for (store, (added, ingested)) in done.iter().enumerate() {
        let query = "select count(*) from party.customer where customer_id::text = any ($1)";
        for node in chain.nodes() {
            let found: i64 = node.connect().unwrap().query_one(query, &[added]).unwrap().get(0);
            assert_eq!(found, i64::try_from(added.len()).unwrap(), "customers of store {store} at {}", node.node);
        }
        let own = format!(
            "select count(*) || ' ' || count(distinct receipt_number) || ' ' || md5(string_agg(r::text, ',' order by receipt_id)) \
             from sales.receipt r where node_id = {}",
            STORES[store].id
        );
        let at = |node: &Cluster| -> String { node.connect().unwrap().query_one(&own, &[]).unwrap().get(0) };
        let wanted = at(&chain.stores[store]);
        until_true("the receipts are at central", SOON, || at(&chain.central) == wanted).unwrap();
        assert!(
            wanted.starts_with(&format!("{0} {0} ", ingested.len())),
            "{wanted}, and {} were ingested",
            ingested.len()
        );
    }
    let intact = "select bool_and(intact)::text from wire.verify_chains()";
    assert_eq!(all_say(&chain, intact), "true");
}

fn stamp(dba: &mut Client, sql: &str) -> i64 {
    dba.query_one(sql, &[]).unwrap().get(0)
}

#[test]
fn the_clock_never_goes_back_whatever_happens_to_the_server() {
    let mut server = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let now = "select max(tpv.hlc_now()) from generate_series(1, 70000)";
    let mut last = stamp(&mut server.connect().unwrap(), now);
    for round in 0..4 {
        if round % 2 == 0 { server.kill() } else { server.stop() }.unwrap();
        server.start().unwrap();
        let mut dba = server.connect().unwrap();
        let first = stamp(&mut dba, "select tpv.hlc_now()");
        assert!(first > last, "round {round}: {first} after {last}");
        last = stamp(&mut dba, now);
        assert!(last >= first + 69_999, "round {round}: a stamp was given twice");
    }
}

#[test]
fn a_stamp_from_the_far_future_does_not_move_the_clock_and_a_near_one_can_be_stepped_back_from() {
    let server = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let mut dba = server.connect().unwrap();
    let mut observe = |ms: i64| {
        let at = format!("((extract(epoch from clock_timestamp()) * 1000)::bigint + {ms}) << 16");
        (stamp(&mut dba, &format!("select tpv.hlc_observe({at})")), stamp(&mut dba, "select tpv.hlc_ahead()"))
    };
    let (by, ahead) = observe(3_600_000);
    assert!(by > 3_000_000 && ahead < 20_000, "{by} {ahead}");
    let (by, ahead) = observe(50_000);
    assert!(by == 0 && ahead > 40_000, "{by} {ahead}");
    assert!(stamp(&mut dba, "select tpv.hlc_step_back()") > 40_000);
    assert!(stamp(&mut dba, "select tpv.hlc_ahead()") < 1000);
    let (a, b) = (stamp(&mut dba, "select tpv.hlc_now()"), stamp(&mut dba, "select tpv.hlc_now()"));
    assert!(b > a);
}

/// It ended with 0 when it was told to end, and PostgreSQL starts no such worker again: no beat, no
/// ceiling of the clock.
#[test]
fn the_background_worker_comes_back_when_somebody_ends_the_sessions_of_the_database() {
    let server = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let worker = "select coalesce(max(pid), 0) from pg_stat_activity where backend_type = 'pg_tpv worker'";
    let mut dba = server.connect_as("postgres", "postgres").unwrap();
    let mut pid = || dba.query_one(worker, &[]).unwrap().get::<_, i32>(0);
    let before = until("the worker works", SOON, || Some(pid()).filter(|pid| *pid != 0)).unwrap();
    let mut other = server.connect_as("postgres", "postgres").unwrap();
    other.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'tpv'", &[]).unwrap();
    until_true("another one works", SOON, || ![0, before].contains(&pid())).unwrap();
}
