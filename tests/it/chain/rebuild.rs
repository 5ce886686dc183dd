//! Projections at central are damaged, and rebuilt day by day while three stores deliver.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use postgres::Client;
use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::{Oddity, Receipts};
use tpv_lab::wait::until_true;

use crate::support::{INGEST, SOON, ask, run, sell, until_at};

/// `tpv-migrate rebuild` at a node.
fn rebuild(at: &Cluster, args: &[&str]) -> Command {
    let mut command = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap());
    command.args(["rebuild", "--database-url", &at.dba_url()]).args(args);
    command
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Receipts of several days, some of them held, and some of those released.
fn sell_mixed(store: &mut Client, receipts: &mut Receipts, count: usize) {
    for nth in 0..count {
        let receipt = match nth % 3 {
            0 => receipts.odd(Oddity::TotalOff, "T01"),
            _ => receipts.good("T01"),
        };
        store.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
        if nth % 6 == 3 {
            let released = store.execute(
                "select sales.release(receipt_id, 'seen') from (select receipt_id from sales.held limit 1) h",
                &[],
            );
            released.unwrap();
        }
    }
}

/// What a node shows of a store.
fn shown(at: &Cluster, node_id: i32) -> String {
    let tables = ["receipt", "receipt_line", "receipt_event", "day_close", "early_event"].map(|table| {
        format!(
            "select '{table} ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') \
             from sales.{table} t where node_id = {node_id}"
        )
    });
    let rows: Vec<String> = tables.iter().map(|query| ask(at, query)).collect();
    rows.join("\n")
}

const DAMAGE: [&str; 10] = [
    "delete from sales.receipt where receipt_id in (select receipt_id from sales.receipt order by md5(receipt_id::text) limit 40)",
    "update sales.receipt set total = total + 1, state = 'voided', flags = '{X}' where receipt_id::text ~ '[0-5]$'",
    "update sales.receipt_line set total = 7, quantity = null where receipt_id::text ~ '[4-9]$'",
    "delete from sales.receipt_line where receipt_id::text ~ '[89]$'",
    "delete from sales.receipt_event where kind = 'release'",
    "update sales.receipt_event set body = '{}' where kind = 'intake' and doc_id::text ~ '[0-7]$'",
    "insert into sales.receipt_line select node_id, gen_random_uuid(), 1, business_date, 'x', null, 'x', 1, 1, 1, 1 \
     from sales.receipt limit 20",
    "insert into sales.receipt select node_id, gen_random_uuid(), business_date, terminal, department, series, 'x', printed_text, \
     printed_local, printed_at, recorded_at, line_count, total, lines_total, total_difference, state, first_outcome, null, null, \
     null, flags from sales.receipt limit 20",
    "insert into sales.early_event select node_id, gen_random_uuid() from sales.receipt limit 5",
    "insert into sales.day_close select distinct node_id, business_date, now() from sales.receipt on conflict do nothing",
];

fn damage(central: &Cluster) {
    run(central, &DAMAGE);
}

#[test]
fn a_damaged_day_is_rebuilt_while_receipts_and_releases_arrive() {
    let chain = Chain::joined(3).unwrap();
    let mut receipts: Vec<Receipts> = (0..3).map(Receipts::new).collect();
    for (store, receipts) in chain.stores.iter().zip(&mut receipts) {
        sell_mixed(&mut store.connect().unwrap(), receipts, 150);
    }
    for (store, node) in chain.stores.iter().zip(STORES) {
        let count = ask(store, "select count(*)::text from wire.doc");
        until_at(&chain.central, &format!("select count(*) = {count} from wire.doc where node_id = {}", node.id));
    }
    damage(&chain.central);
    let (stop, longest) = (AtomicBool::new(false), Mutex::new((0.0_f64, String::new())));
    thread::scope(|scope| {
        for (store, receipts) in chain.stores.iter().zip(&mut receipts) {
            let stop = &stop;
            scope.spawn(move || {
                let mut till = store.connect().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    sell_mixed(&mut till, receipts, 6);
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        scope.spawn(|| {
            let mut dba = chain.central.connect().unwrap();
            while !stop.load(Ordering::Relaxed) {
                if let Some(waits) = dba.query_opt(WAITS, &[]).unwrap() {
                    let mut longest = longest.lock().unwrap();
                    if waits.get::<_, f64>(0) > longest.0 {
                        *longest = (waits.get(0), waits.get(1));
                    }
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        // Killed in the middle of it, more than once; what it did stays, and damage goes on.
        for _ in 0..3 {
            let mut killed = quietly(rebuild(&chain.central, &[]));
            thread::sleep(Duration::from_millis(250));
            killed.kill().unwrap();
            killed.wait().unwrap();
            damage(&chain.central);
        }
        // As a function call too.
        run(&chain.central, &["set role tpv_owner; select from sales.rebuild_projections(1, '-infinity', 'infinity')"]);
        let done = rebuild(&chain.central, &[]).output().unwrap();
        stop.store(true, Ordering::Relaxed);
        assert!(done.status.success(), "{}", told(&done));
    });
    let (longest, behind) = longest.lock().unwrap().clone();
    assert!(longest < 1.0, "an apply worker waited for {longest} s for {behind}");
    for (store, node) in chain.stores.iter().zip(STORES) {
        let at_store = shown(store, node.id);
        let same = || shown(&chain.central, node.id) == at_store;
        until_true("central shows what the store shows", SOON, same)
            .unwrap_or_else(|late| panic!("{late}\n{at_store}\n{}", shown(&chain.central, node.id)));
    }
    assert_eq!(
        ask(&chain.central, "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null"),
        ""
    );
    let again = rebuild(&chain.central, &["--dry-run"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
}

/// For how many seconds an apply worker has been waiting for a lock, and what those do who have it.
const WAITS: &str = "select extract(epoch from clock_timestamp() - l.waitstart)::float8, \
      (select coalesce(string_agg(concat_ws(' ', b.backend_type, b.state, b.wait_event, left(b.query, 200)), '; '), '-') \
         from pg_stat_activity b where b.pid = any (pg_blocking_pids(l.pid))) \
    from pg_locks l join pg_stat_activity a using (pid) \
    where not l.granted and l.waitstart is not null and a.backend_type like 'logical replication%worker' \
    order by l.waitstart limit 1";

fn quietly(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn what_a_session_keeps_locked_is_left_and_told() {
    let chain = Chain::joined(1).unwrap();
    sell(&chain.stores[0], &mut Receipts::new(1), 5);
    until_at(&chain.central, "select count(*) = 5 from sales.receipt");
    run(&chain.central, &["update sales.receipt set total = 77"]);
    let mut somebody = chain.central.connect().unwrap();
    let mut holds = somebody.transaction().unwrap();
    holds.execute("select from sales.receipt order by receipt_id limit 1 for update", &[]).unwrap();
    let output = rebuild(&chain.central, &["--node", "s01", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said["busy"].as_i64(), said["differences"].as_i64()), (Some(1), Some(4)), "{said}");
    holds.rollback().unwrap();
    let output = rebuild(&chain.central, &["--node", "1"]).output().unwrap();
    assert!(output.status.success() && told(&output).contains("1 rows written"), "{}", told(&output));
    assert_eq!(shown(&chain.central, 1), shown(&chain.stores[0], 1));
}

#[test]
fn a_row_of_quarantine_that_a_session_keeps_locked_does_not_hold_up_the_rest() {
    let chain = Chain::joined(1).unwrap();
    sell(&chain.stores[0], &mut Receipts::new(1), 5);
    until_at(&chain.central, "select count(*) = 5 from sales.receipt");
    let waits = "insert into sync.quarantine (node_id, doc_id, business_date, kind, code, detail) \
                 select node_id, doc_id, business_date, kind, 'BAD_BODY', 'x' from wire.doc \
                 where kind = 'receipt' order by doc_id limit 2";
    run(&chain.central, &[waits, "update sales.receipt set total = 77"]);
    let mut somebody = chain.central.connect().unwrap();
    let mut holds = somebody.transaction().unwrap();
    holds.execute("select from sync.quarantine order by quarantine_id limit 1 for update", &[]).unwrap();
    let output = rebuild(&chain.central, &["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["busy"].as_i64() > Some(0) && said["waiting"].as_i64() == Some(1), "{said}");
    holds.rollback().unwrap();
    let output = rebuild(&chain.central, &["--json"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["waiting"].as_i64(), Some(0), "{said}");
    assert_eq!(shown(&chain.central, 1), shown(&chain.stores[0], 1));
}

#[test]
fn what_cannot_be_rebuilt_is_told_with_what_can() {
    let chain = Chain::joined(1).unwrap();
    for (args, wanted) in [
        (&["--node", "S99"][..], "it takes 1 or S01, 100 or CENTRAL"),
        (&["--from", "yesterday"], "it takes one such as 2026-06-30"),
        (&["--from", "2026-07-01", "--to", "2026-06-30"], "--to takes the same day or a later one"),
    ] {
        let output = rebuild(&chain.central, args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(wanted), "{}", told(&output));
    }
}
