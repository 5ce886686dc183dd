//! Sums by business day follow what documents and the catalog say, whatever happens, and the change log names
//! everything once. What sums should be is said by `tests/sql/prelude/rollups.sql`, in plain SQL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::{Oddity, Receipts, register};
use tpv_lab::wait::until_true;

use crate::support::{INGEST, SOON, ask, run, sell, until_at, until_verified};

const SUMMED_UP: &str = "select not exists (select from sync.touched) and not exists (select from rollup.due)";

/// What roll-ups should be, as views of a schema of its own.
#[track_caller]
fn add_oracle(at: &Cluster) {
    let prelude = include_str!("../../sql/prelude/rollups.sql");
    at.connect().unwrap().batch_execute(&format!("create schema test; {prelude}")).unwrap();
}

/// Waits until all that has changed is summed up, and compares.
#[track_caller]
fn sums_are_right(at: &Cluster) {
    let mut dba = at.connect().unwrap();
    let summed_up = until_true("all is summed up", SOON * 3, || dba.query_one(SUMMED_UP, &[]).unwrap().get(0));
    let due = "select coalesce(string_agg(d::text, ', '), '') from (select * from rollup.due limit 10) d";
    summed_up.unwrap_or_else(|late| panic!("{late}: {}", ask(at, due)));
    assert_eq!(ask(at, "select coalesce(test.rollup_difference(), '')"), "");
}

/// Positions have no gap, and each receipt is named.
#[track_caller]
fn change_log_is_whole(at: &Cluster) {
    let gaps = "select count(*) || ' of ' || max(pos) from sync.change having count(*) <> max(pos) - min(pos) + 1";
    let mut dba = at.connect().unwrap();
    let gaps = dba.query_opt(gaps, &[]).unwrap().map(|row| row.get::<_, String>(0));
    assert_eq!(gaps, None);
    let unnamed = "select count(*)::text from sales.receipt r where not exists ( \
        select from sync.change c where c.entity = 'sales.receipt' and (c.node_id, c.key) = (r.node_id, r.receipt_id))";
    assert_eq!(ask(at, unnamed), "0");
}

/// Receipts of all kinds, and decisions about them.
fn trade(at: &Cluster, receipts: &mut Receipts, rounds: usize) {
    let mut till = at.connect().unwrap();
    for round in 0..rounds {
        let terminal = ["T01", "T02", "T07"][round % 3];
        let receipt = match round % 5 {
            1 => receipts.odd(Oddity::TotalOff, terminal),
            3 if round > 10 => receipts.odd(Oddity::Repeat, terminal),
            _ => receipts.good(terminal),
        };
        till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
        let decide = match round % 7 {
            2 => "select sales.release(receipt_id, 'seen') from (select receipt_id from sales.held limit 1) h",
            5 => {
                "select sales.void(receipt_id, 'wrong') from (
                   select receipt_id from sales.receipt where state in ('accepted', 'held') order by receipt_id limit 1) r"
            }
            _ => continue,
        };
        till.execute(decide, &[]).unwrap();
    }
}

#[test]
fn sums_at_a_store_and_at_central_follow_what_happens_while_the_line_is_cut() {
    let chain = Chain::joined(2).unwrap();
    chain.nodes().for_each(add_oracle);
    let (mut first, mut second) = (Receipts::new(901), Receipts::new(902));
    trade(&chain.stores[0], &mut first, 40);
    until_verified(&chain);
    let said = "select count(*) = 2 from rollup.until where complete_until is not null";
    until_at(&chain.central, said);
    chain.cut(1).unwrap();
    trade(&chain.stores[1], &mut second, 40);
    sums_are_right(&chain.stores[0]);
    sums_are_right(&chain.stores[1]);
    // Central says how far it has everything of a store, and not more.
    let behind = format!(
        "select (select u.complete_until from rollup.until u where u.node_id = {}) <= '{}'",
        ask(&chain.stores[1], "select org.this_node()::text"),
        ask(&chain.stores[1], "select min(recorded_at)::text from sales.receipt")
    );
    assert!(chain.central.connect().unwrap().query_one(&behind, &[]).unwrap().get::<_, bool>(0));

    // A day is closed, and receipts of it come later.
    run(&chain.stores[0], &["select sales.close_day(max(business_date)) from sales.receipt"]);
    until_at(&chain.stores[0], "select bool_and(is_closed) from rollup.bucket");
    sell(&chain.stores[0], &mut first, 3);
    chain.mend(1).unwrap();
    chain.converge().unwrap();
    chain.nodes().for_each(sums_are_right);
    let restated = "select string_agg(concat_ws(' ', tickets_after - tickets_before, why), ', ') from rollup.restated where department = '01'";
    assert_eq!(ask(&chain.stores[0], restated), "3 3 receipts came");
    // What a store says of itself, central has of it.
    for store in &chain.stores {
        let node = ask(store, "select org.this_node()::text");
        let all = format!(
            "select coalesce(md5(string_agg(t::text, ',' order by t::text)), '') from (
               select t.node_id, t.business_date, t.department, t.terminal, t.accepted, t.released, t.held, t.voided, t.gross, t.net
                 from rollup.terminal_day t where t.node_id = {node}) t"
        );
        assert_eq!(ask(store, &all), ask(&chain.central, &all));
    }
    let all_until = format!(
        "select complete_until > '{}' from rollup.until where node_id = 2",
        ask(&chain.stores[1], "select max(recorded_at)::text from sales.receipt")
    );
    until_at(&chain.central, &all_until);
    chain.nodes().for_each(change_log_is_whole);
}

/// Sixteen writers commit in another order than they began, and roll back now and then.
#[test]
fn whoever_follows_the_change_log_skips_nothing_and_sees_nothing_twice() {
    let node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    let is_done = AtomicBool::new(false);
    let write = |writer: u64| -> Vec<String> {
        let mut session = node.connect().unwrap();
        let mut committed = Vec::new();
        for round in 0..120_u64 {
            let mut work = session.transaction().unwrap();
            let insert =
                "insert into party.customer (name) select 'c' from generate_series(1, $1) returning customer_id::text";
            let of_this = i32::try_from(1 + (writer + round) % 3).unwrap();
            let keys: Vec<String> = work.query(insert, &[&of_this]).unwrap().iter().map(|row| row.get(0)).collect();
            thread::sleep(Duration::from_millis((writer * 7 + round * 13) % 40));
            if (writer + round).is_multiple_of(10) {
                work.rollback().unwrap();
            } else {
                work.commit().unwrap();
                committed.extend(keys);
            }
        }
        committed
    };
    let follow = || {
        let mut reader = node.connect().unwrap();
        let (mut position, mut seen) = (0_i64, Vec::<String>::new());
        let mut last_time = false;
        loop {
            let query =
                "select pos, entity, coalesce(key::text, '') from sync.change where pos > $1 order by pos limit 50";
            let rows = reader.query(query, &[&position]).unwrap();
            for row in &rows {
                position = row.get(0);
                if row.get::<_, String>(1) == "party.customer" {
                    seen.push(row.get(2));
                }
            }
            if rows.is_empty() && last_time {
                return seen;
            }
            last_time = is_done.load(Ordering::SeqCst);
            thread::sleep(Duration::from_millis(5));
        }
    };
    let (mut committed, mut seen) = thread::scope(|scope| {
        let reader = scope.spawn(follow);
        let writers: Vec<_> = (0..16).map(|writer| scope.spawn(move || write(writer))).collect();
        let committed: Vec<String> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        until_at(&node, "select not exists (select from sync.touched)");
        is_done.store(true, Ordering::SeqCst);
        (committed, reader.join().unwrap())
    });
    committed.sort();
    seen.sort();
    assert!(committed.len() > 3000);
    assert_eq!(seen, committed);
    change_log_is_whole(&node);
}

#[test]
fn the_fold_goes_on_where_it_was_killed() {
    let mut node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    add_oracle(&node);
    let mut receipts = Receipts::new(903);
    let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'pg_tpv fold'";
    for _ in 0..8 {
        trade(&node, &mut receipts, 15);
        node.connect().unwrap().batch_execute(kill).unwrap();
        until_at(&node, "select exists (select from pg_stat_activity where backend_type = 'pg_tpv fold')");
    }
    sums_are_right(&node);
    for _ in 0..3 {
        trade(&node, &mut receipts, 20);
        node.kill().unwrap();
        node.start().unwrap();
    }
    sums_are_right(&node);
    change_log_is_whole(&node);
}

#[test]
fn a_day_that_cannot_be_summed_up_holds_up_no_other_and_is_told() {
    let node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    add_oracle(&node);
    let mut receipts = Receipts::new(904);
    trade(&node, &mut receipts, 10);
    sums_are_right(&node);
    run(&node, &["alter table rollup.terminal_day add constraint refused check (department <> '01' or accepted < 6)"]);
    trade(&node, &mut receipts, 30);
    until_at(&node, "select count(*) = 1 and bool_and(department = '01' and failed like '23514: %') from rollup.due");
    // What is not summed up is not called complete.
    until_at(
        &node,
        "select complete_until < (select max(recorded_at) from sales.receipt where department = '01') from rollup.until",
    );
    until_at(&node, "select count(*) = 1 from sync.setup_faults() where what like '%cannot be summed up%'");
    let others =
        "select count(*)::text from rollup.terminal_day t where t.department <> '01' and t.accepted + t.released <> (
        select count(*) from sales.receipt r where r.terminal = t.terminal and r.state in ('accepted', 'released'))";
    assert_eq!(ask(&node, others), "0");
    run(&node, &["alter table rollup.terminal_day drop constraint refused", "update rollup.due set due_at = now()"]);
    sums_are_right(&node);
}

#[test]
fn what_the_catalog_says_later_of_a_tax_is_in_the_sums() {
    let node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    add_oracle(&node);
    let mut receipts = Receipts::new(905);
    trade(&node, &mut receipts, 40);
    sums_are_right(&node);
    let net = "select sum(net)::text from rollup.sales_hour";
    assert_eq!(ask(&node, net), "0.00");
    let steps = [
        // Nobody says a rate of these goods; then their department does, a product, and its tax has another rate.
        "insert into catalog.tax (code, name) values ('G', 'General'), ('R', 'Reduced'); \
         insert into catalog.tax_rate (tax_id, rate, valid_from) select tax_id, case code when 'G' then 21 else 10 end, '2020-01-01' from catalog.tax; \
         update org.department set tax_id = (select tax_id from catalog.tax where code = 'G') where code = '01'",
        "insert into catalog.product (sku, description, tax_id) select 'x', 'x', tax_id from catalog.tax where code = 'R'; \
         insert into catalog.barcode (gtin14, product_id) \
         select gtin14, (select product_id from catalog.product) from (select gtin14 from sales.receipt_line where gtin14 is not null group by 1 order by count(*) desc, 1 limit 20) g",
        "update catalog.product set tax_id = (select tax_id from catalog.tax where code = 'G')",
        "update catalog.barcode set deleted = true where gtin14 in (select gtin14 from catalog.barcode order by 1 limit 5)",
        "insert into catalog.tax_rate (tax_id, rate, valid_from) select tax_id, 23, '2025-01-01' from catalog.tax where code = 'G'",
        // A rate that is said, taken back and said again; a code that was wrong; a code that nothing can be like.
        "update catalog.product set tax_id = (select tax_id from catalog.tax where code = 'R')",
        "update catalog.barcode set gtin14 = '00000000000017' where gtin14 = (select max(gtin14) from catalog.barcode where not deleted)",
        "insert into catalog.local_code (code, product_id) select '12\\', product_id from catalog.product; \
         insert into catalog.local_code (code, product_id) \
         select barcode, (select product_id from catalog.product) from sales.receipt_line l \
          where not exists (select from catalog.barcode b where b.gtin14 = l.gtin14) group by 1 order by 1 limit 3",
    ];
    let mut before = BTreeMap::new();
    for step in steps {
        run(&node, &[step]);
        sums_are_right(&node);
        assert_eq!(before.insert(ask(&node, net), step), None, "{step}");
    }
    run(&node, &["update catalog.product set tax_id = (select tax_id from catalog.tax where code = 'G')"]);
    sums_are_right(&node);
    run(&node, &["update catalog.product set tax_id = (select tax_id from catalog.tax where code = 'R')"]);
    sums_are_right(&node);
    // A change that is none for the tax sums nothing up again.
    let computed = "select max(computed_at)::text from rollup.bucket";
    let last = ask(&node, computed);
    run(&node, &["update catalog.product set description = 'y'"]);
    sums_are_right(&node);
    assert_eq!(ask(&node, computed), last);
}

/// What waits in quarantine is not here, and a document about a receipt that never came costs no more than another.
#[test]
fn what_waits_is_not_called_complete_and_strays_hold_up_nothing() {
    let node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    add_oracle(&node);
    trade(&node, &mut Receipts::new(907), 10);
    sums_are_right(&node);
    let wait = "insert into sync.quarantine (node_id, doc_id, business_date, kind, code, detail) \
        values (1, gen_random_uuid(), current_date, 'receipt', 'NEWER_SCHEMA', 'a test')";
    run(&node, &[wait]);
    let until = "select complete_until::text from rollup.until";
    // What was claimed before it waited may still be published.
    run(&node, &["select pg_sleep(6)"]);
    let before = ask(&node, until);
    trade(&node, &mut Receipts::new(908), 5);
    sums_are_right(&node);
    run(&node, &["select pg_sleep(6)"]);
    assert_eq!(ask(&node, until), before);
    run(&node, &["select sync.dismiss(quarantine_id, 'a test') from sync.quarantine"]);
    until_at(&node, &format!("select complete_until > '{before}' from rollup.until"));

    let strays = "insert into sync.touched (at, entity, node_id, key) \
        select now(), 'sales.receipt', 1, gen_random_uuid() from generate_series(1, 20000)";
    let started = std::time::Instant::now();
    run(&node, &[strays]);
    until_at(&node, SUMMED_UP);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    // Somebody who prepares a large repair in a transaction holds up nobody.
    let mut repair = node.connect().unwrap();
    repair.batch_execute("begin; select rollup.rebuild()").unwrap();
    trade(&node, &mut Receipts::new(909), 5);
    sums_are_right(&node);
    repair.batch_execute("commit").unwrap();
    sums_are_right(&node);
    // A clock that was ahead when a bucket was summed up puts it to sleep for a moment only.
    run(&node, &["update rollup.bucket set computed_at = now() + interval '1 day'"]);
    trade(&node, &mut Receipts::new(910), 5);
    sums_are_right(&node);
}

#[test]
fn a_rebuilt_day_is_summed_up_again_and_old_changes_leave() {
    let node = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    register(&mut node.connect().unwrap(), STORES[0]).unwrap();
    add_oracle(&node);
    let mut receipts = Receipts::new(906);
    trade(&node, &mut receipts, 30);
    sums_are_right(&node);
    // Projections are damaged behind everybody's back, and so are sums.
    run(
        &node,
        &[
            "delete from sales.receipt_line where receipt_id in (select receipt_id from sales.receipt order by 1 limit 4)",
            "delete from sales.receipt where receipt_id in (select receipt_id from sales.receipt order by 1 limit 4)",
            "update sales.receipt set department = '99', business_date = business_date - 400 \
             where receipt_id in (select receipt_id from sales.receipt order by 1 desc limit 3)",
            "select rollup.rebuild()",
        ],
    );
    until_at(&node, SUMMED_UP);
    assert_eq!(ask(&node, "select count(*)::text from rollup.bucket where department = '99'"), "1");
    run(
        &node,
        &["do $$ declare node integer; day date; begin \
        for node, day in select s.node_id, s.business_date from sales.slices() s loop \
          perform sales.rebuild_projections(node, day, day); end loop; end $$"],
    );
    until_at(&node, SUMMED_UP);
    // What an item was called stays, also when all receipts that called it so are gone.
    run(&node, &["delete from rollup.item", "select rollup.rebuild()"]);
    sums_are_right(&node);
    assert_eq!(ask(&node, "select count(*)::text from rollup.bucket where department = '99'"), "0");
    assert_eq!(
        ask(&node, "select count(*)::text from sales.receipt"),
        ask(&node, "select sum(receipts)::text from rollup.bucket")
    );

    run(
        &node,
        &["update rollup.item_day set gross = 1, lines = 0", "delete from rollup.tax_day", "select rollup.rebuild()"],
    );
    sums_are_right(&node);

    run(&node, &["alter system set pg_tpv.keep_changes = '0'", "select pg_reload_conf()"]);
    until_at(&node, "select current_setting('pg_tpv.keep_changes') = '0'");
    run(&node, &["select sync.prune_records()"]);
    assert_eq!(ask(&node, "select count(*)::text from sync.change"), "0");
    trade(&node, &mut receipts, 3);
    until_at(&node, "select min(pos) > 30 from sync.change");
}
