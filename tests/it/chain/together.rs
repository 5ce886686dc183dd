//! Receipts of one transaction are written together at the receiver. Whatever happens to one of
//! them or to all, none is lost, doubled, or stops the others.

use std::fs;
use std::thread;
use std::time::Duration;

use postgres::{Client, Transaction};

use tpv_lab::chain::Chain;
use tpv_lab::machine::Process;
use tpv_lab::store::Receipts;
use tpv_lab::wait::{until, until_true};

use crate::support::{INGEST, SOON, ask, run, sell, until_at, until_verified};

const NUMBERS: &str = "select coalesce(string_agg(receipt_number, ' ' order by receipt_number), '') from sales.receipt";

/// One of them as a row of text, so that another server can read it.
const LAST: &str = "select d::text from wire.doc d order by hlc desc limit 1";

/// Hands in that many receipts of terminal T01 in one transaction.
fn sell_in(transaction: &mut Transaction<'_>, receipts: &mut Receipts, count: usize) {
    for _ in 0..count {
        let receipt = receipts.good("T01");
        transaction.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
    }
}

fn sell_together(store: &mut Client, receipts: &mut Receipts, count: usize) {
    let mut transaction = store.transaction().unwrap();
    sell_in(&mut transaction, receipts, count);
    transaction.commit().unwrap();
}

/// Central has every document of the store and, where none waits in quarantine, the same receipts;
/// the hash chains are whole, and comparing finds nothing.
#[track_caller]
fn nothing_is_lost_or_doubled(chain: &Chain) {
    for what in ["select count(*)::text from wire.doc where node_id = 1", NUMBERS] {
        let at_store = ask(&chain.stores[0], what);
        until_at(&chain.central, &format!("select ({what}) = '{at_store}'"));
    }
    for table in ["wire.doc", "sales.receipt", "sales.receipt_line"] {
        let digest = format!("select md5(string_agg(t::text, ',' order by t::text)) from {table} t where node_id = 1");
        assert_eq!(ask(&chain.central, &digest), ask(&chain.stores[0], &digest), "{table}");
    }
    assert_eq!(ask(&chain.central, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    until_verified(chain);
}

/// The process that applies what the store sends.
fn worker(central: &mut Client) -> i32 {
    let pid = "select pid from pg_stat_subscription where subname = 'tpv_from_s01' and pid is not null";
    until("the worker is there", SOON, || central.query_opt(pid, &[]).unwrap().map(|row| row.get(0))).unwrap()
}

#[test]
fn a_receipt_that_central_refuses_waits_alone() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(71), chain.stores[0].connect().unwrap());
    let refuse = "alter table sales.receipt add constraint odd check (right(receipt_number, 1) not in ('3', '7'))";
    run(&chain.central, &[refuse]);
    for count in [1, 30, 300] {
        sell_together(&mut store, &mut receipts, count);
    }
    let odd =
        ask(&chain.stores[0], "select count(*)::text from sales.receipt where right(receipt_number, 1) in ('3', '7')");
    until_at(&chain.central, "select count(*) >= 331 from wire.doc where node_id = 1");
    assert_eq!(ask(&chain.central, "select count(*)::text from sync.quarantine where code = '23514'"), odd);
    assert_eq!(ask(&chain.central, "select count(*)::text from sync.quarantine"), odd);
    assert_eq!(
        ask(&chain.central, NUMBERS),
        ask(&chain.stores[0], &format!("{NUMBERS} where right(receipt_number, 1) not in ('3', '7')"))
    );
    run(&chain.central, &["alter table sales.receipt drop constraint odd", "select sync.replay_waiting()"]);
    nothing_is_lost_or_doubled(&chain);
}

/// A document is beyond all that the worker has seen of its hash chain, and is here all the same:
/// somebody loaded it by hand.
#[test]
fn a_repeat_that_came_by_another_way_is_dropped() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(72), chain.stores[0].connect().unwrap());
    let mut central = chain.central.connect().unwrap();
    sell(&chain.stores[0], &mut receipts, 3);
    until_at(&chain.central, "select count(*) = 3 from sales.receipt");
    let pid = worker(&mut central);
    let mut load = |rows: &[String]| {
        central.batch_execute("alter table wire.doc disable trigger _100_receive").unwrap();
        for row in rows {
            central.execute("insert into wire.doc select ($1::text::wire.doc).*", &[row]).unwrap();
        }
        central.batch_execute("alter table wire.doc enable always trigger _100_receive").unwrap();
    };
    // Alone, in the middle of others, and all of them.
    for (sold, loaded) in [(1, &[0][..]), (3, &[1]), (3, &[0, 1, 2])] {
        let mut transaction = store.transaction().unwrap();
        let mut rows = Vec::new();
        for _ in 0..sold {
            sell_in(&mut transaction, &mut receipts, 1);
            rows.push(transaction.query_one(LAST, &[]).unwrap().get::<_, String>(0));
        }
        let rows: Vec<String> = loaded.iter().map(|place| rows[*place].clone()).collect();
        load(&rows);
        transaction.commit().unwrap();
        sell(&chain.stores[0], &mut receipts, 1);
        let count = ask(&chain.stores[0], "select count(*)::text from wire.doc");
        until_at(&chain.central, &format!("select count(*) = {count} from wire.doc where node_id = 1"));
    }
    assert_eq!(worker(&mut central), pid, "the worker has gone on");
    assert_eq!(ask(&chain.central, "select count(*)::text from sync.quarantine"), "0");
    // Nobody projected what was loaded by hand.
    run(&chain.central, &["set role tpv_owner; select from sales.rebuild_projections()"]);
    nothing_is_lost_or_doubled(&chain);
}

/// How a node sends documents again.
const SEND_AGAIN: &str = "insert into wire.resend (node_id, to_node, hlc, kind, body) \
    select 1, 100, tpv.hlc_now(), 'documents', json_build_object('documents', json_agg(to_json(d)))::text from";

#[test]
fn the_same_document_again_in_one_transaction_is_dropped() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(73), chain.stores[0].connect().unwrap());
    let mut central = chain.central.connect().unwrap();
    let pid = worker(&mut central);
    let mut transaction = store.transaction().unwrap();
    sell_in(&mut transaction, &mut receipts, 5);
    // All of them twice in one row, and more that come only now.
    let twice = format!("{SEND_AGAIN} (select * from wire.doc union all select * from wire.doc) d");
    transaction.execute(&twice, &[]).unwrap();
    sell_in(&mut transaction, &mut receipts, 5);
    transaction.execute(&twice, &[]).unwrap();
    transaction.commit().unwrap();
    sell(&chain.stores[0], &mut receipts, 1);
    nothing_is_lost_or_doubled(&chain);
    // The stream is behind what was sent again.
    let mut ahead = store.transaction().unwrap();
    sell_in(&mut ahead, &mut receipts, 3);
    let rows = ahead.query("select to_json(d)::text from wire.doc d order by hlc desc limit 3", &[]).unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut other = chain.stores[0].connect().unwrap();
    let body = format!("{{\"documents\":[{}]}}", rows.iter().rev().cloned().collect::<Vec<_>>().join(","));
    let send =
        "insert into wire.resend (node_id, to_node, hlc, kind, body) values (1, 100, tpv.hlc_now(), 'documents', $1)";
    other.execute(send, &[&body]).unwrap();
    until_at(&chain.central, "select count(*) = 14 from sales.receipt");
    ahead.commit().unwrap();
    sell(&chain.stores[0], &mut receipts, 1);
    nothing_is_lost_or_doubled(&chain);
    assert_eq!(worker(&mut central), pid, "the worker has gone on");
    assert_eq!(ask(&chain.central, "select count(*)::text from sync.quarantine"), "0");
}

/// It stands between receipts that are collected, and repeats of them.
#[test]
fn of_what_is_sent_again_a_row_that_cannot_be_read_is_refused_alone() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(74), chain.stores[0].connect().unwrap());
    sell(&chain.stores[0], &mut receipts, 2);
    until_at(&chain.central, "select count(*) = 2 from sales.receipt");
    let mut transaction = store.transaction().unwrap();
    sell_in(&mut transaction, &mut receipts, 2);
    // Two receipts once more, then a document that nobody has and that has no kind.
    let faulty = "insert into wire.resend (node_id, to_node, hlc, kind, body) \
        select 1, 100, tpv.hlc_now(), 'documents', json_build_object('documents', json_agg(d order by n))::text \
        from (select n, (case when n < 3 then to_jsonb(d) \
              else to_jsonb(d) || jsonb_build_object('doc_id', gen_random_uuid(), 'kind', null) end)::json as d \
            from (select d.*, row_number() over (order by hlc) as n from wire.doc d limit 3) d) d";
    transaction.execute(faulty, &[]).unwrap();
    sell_in(&mut transaction, &mut receipts, 2);
    transaction.commit().unwrap();
    until_at(&chain.central, "select count(*) = 6 from sales.receipt");
    assert_eq!(ask(&chain.central, "select string_agg(code, ', ') from sync.quarantine"), "ROW_UNREADABLE");
    run(&chain.central, &["update sync.quarantine set resolved_at = now()"]);
    sell(&chain.stores[0], &mut receipts, 1);
    nothing_is_lost_or_doubled(&chain);
}

#[test]
fn what_the_store_prepares_or_rolls_back_arrives_as_it_ends_there() {
    let mut chain = Chain::joined(1).unwrap();
    run(&chain.stores[0], &["alter system set max_prepared_transactions = 5"]);
    chain.stores[0].stop().unwrap();
    chain.stores[0].start().unwrap();
    let (mut receipts, mut store) = (Receipts::new(75), chain.stores[0].connect().unwrap());
    for end in ["rollback", "commit"] {
        store.batch_execute("begin").unwrap();
        for _ in 0..3 {
            let receipt = receipts.good("T01");
            store.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
        }
        store.batch_execute("prepare transaction 'p'").unwrap();
        store.batch_execute(&format!("{end} prepared 'p'")).unwrap();
    }
    let mut transaction = store.transaction().unwrap();
    sell_in(&mut transaction, &mut receipts, 2);
    let mut savepoint = transaction.transaction().unwrap();
    sell_in(&mut savepoint, &mut receipts, 2);
    savepoint.rollback().unwrap();
    sell_in(&mut transaction, &mut receipts, 2);
    transaction.commit().unwrap();
    until_at(&chain.central, "select count(*) = 7 from sales.receipt");
    nothing_is_lost_or_doubled(&chain);
}

#[test]
fn a_kill_before_receipts_are_written_loses_none() {
    let mut chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(76), chain.stores[0].connect().unwrap());
    for round in 1..=3 {
        let mut central = chain.central.connect().unwrap();
        let pid = worker(&mut central);
        let mut lock = central.transaction().unwrap();
        lock.batch_execute("lock table sales.receipt in access exclusive mode").unwrap();
        sell_together(&mut store, &mut receipts, 20);
        let waits = "select exists (select from pg_locks where pid = $1 and not granted)";
        until_true("the worker is about to write", SOON, || lock.query_one(waits, &[&pid]).unwrap().get(0)).unwrap();
        drop(lock);
        drop(central);
        chain.central.kill().unwrap();
        chain.central.start().unwrap();
        until_at(&chain.central, &format!("select count(*) = {} from sales.receipt", 20 * round));
        nothing_is_lost_or_doubled(&chain);
    }
}

/// A fault of the machine is raised with its SQLSTATE, and tried again until it is gone. Deferred
/// triggers that somebody put on what is written fire.
#[test]
fn a_fault_of_the_machine_is_raised_and_tried_again() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(77), chain.stores[0].connect().unwrap());
    let full = "create function public.fail() returns trigger language plpgsql as $$ \
        begin raise 'the disk is full, says the test' using errcode = '53100'; end $$";
    run(
        &chain.central,
        &[
            "alter system set log_error_verbosity = verbose",
            "select pg_reload_conf()",
            full,
            "create trigger fail before insert on sales.receipt for each row execute function public.fail()",
            "alter table sales.receipt enable always trigger fail",
        ],
    );
    sell_together(&mut store, &mut receipts, 5);
    let log = || fs::read_to_string(chain.central.log()).unwrap();
    until_true("it is raised, and again", SOON, || {
        log().matches("53100: the disk is full, says the test").count() >= 2
    })
    .unwrap_or_else(|error| panic!("{error}: {}", log()));
    let nothing = "select concat_ws(' ', (select count(*) from wire.doc), (select count(*) from sync.quarantine))";
    assert_eq!(ask(&chain.central, nothing), "0 0");
    let count = "create table public.seen (number text); grant insert on public.seen to tpv_apply; \
        create function public.see() returns trigger language plpgsql as $$ \
        begin insert into public.seen values (new.receipt_number); return null; end $$; \
        create constraint trigger see after insert on sales.receipt deferrable initially deferred \
        for each row execute function public.see(); \
        alter table sales.receipt enable always trigger see; drop trigger fail on sales.receipt";
    run(&chain.central, &[count]);
    until_at(&chain.central, "select count(*) = 5 from sales.receipt");
    assert_eq!(ask(&chain.central, "select count(*)::text from public.seen"), "5");
    nothing_is_lost_or_doubled(&chain);
}

/// A trigger that somebody adds to the documents fires for each.
#[test]
fn documents_on_which_somebody_put_a_trigger_are_stored_one_by_one() {
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(78), chain.stores[0].connect().unwrap());
    sell_together(&mut store, &mut receipts, 3);
    until_at(&chain.central, "select count(*) = 3 from sales.receipt");
    let count = "create table public.seen (id uuid); grant insert on public.seen to tpv_apply; \
        create function public.see() returns trigger language plpgsql as $$ \
        begin insert into public.seen values (new.doc_id); return null; end $$; \
        create trigger see after insert on wire.doc for each row execute function public.see(); \
        alter table wire.doc enable always trigger see";
    run(&chain.central, &[count]);
    sell_together(&mut store, &mut receipts, 4);
    nothing_is_lost_or_doubled(&chain);
    assert_eq!(ask(&chain.central, "select count(*)::text from public.seen"), "4");
    run(&chain.central, &["drop trigger see on wire.doc"]);
    sell_together(&mut store, &mut receipts, 2);
    nothing_is_lost_or_doubled(&chain);
    assert_eq!(ask(&chain.central, "select count(*)::text from public.seen"), "4");
}

/// Ten thousand receipts with their rows would be some 40 MB.
#[test]
fn a_transaction_of_many_thousand_receipts_needs_little_memory() {
    const COUNT: usize = 10_000;
    let chain = Chain::joined(1).unwrap();
    let (mut receipts, mut store) = (Receipts::new(79), chain.stores[0].connect().unwrap());
    let mut central = chain.central.connect().unwrap();
    sell_together(&mut store, &mut receipts, 600);
    until_at(&chain.central, "select count(*) = 600 from sales.receipt");
    let pid = worker(&mut central);
    let own_kb = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
    };
    let before_kb = own_kb();
    assert!(before_kb > 0 && Process::of(pid).is_some());
    let mut transaction = store.transaction().unwrap();
    let files: Vec<Vec<u8>> = (0..COUNT).map(|_| receipts.good("T01").bytes).collect();
    for part in files.chunks(64) {
        transaction.execute("select from sales.ingest_files('T01', $1, null)", &[&part]).unwrap();
    }
    transaction.commit().unwrap();
    let mut most_kb = 0;
    let there = format!("select count(*) = {} from sales.receipt", COUNT + 600);
    until_true("all arrive", Duration::from_secs(120), || {
        most_kb = most_kb.max(own_kb());
        thread::sleep(Duration::from_millis(5));
        central.query_one(&there, &[]).unwrap().get(0)
    })
    .unwrap();
    assert!(most_kb < before_kb + 12_000, "{before_kb} kB before, {most_kb} kB at most");
    nothing_is_lost_or_doubled(&chain);
}
