//! How a store joins, catches up, and leaves, while everybody goes on; and how what never came is found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;
use tpv_lab::store::Receipts;
use tpv_lab::wait::stop_at_the_latest;
use tpv_lab::wait::{until, until_true};

use crate::SOON;
use crate::chain::refused;

#[track_caller]
fn run(at: &Cluster, statements: &[&str]) {
    let mut dba = at.connect().unwrap();
    for statement in statements {
        dba.batch_execute(statement).unwrap();
    }
}

#[track_caller]
pub(crate) fn ask(at: &Cluster, query: &str) -> String {
    let answer: Option<String> = at.connect().unwrap().query_one(query, &[]).unwrap().get(0);
    answer.unwrap_or_default()
}

/// Compares until there is nothing left to compare, as pg_cron does each minute.
#[track_caller]
pub(crate) fn until_verified(chain: &Chain) {
    let verified =
        "select sync.reconcile() = 0 and bool_and(verified_until is not null and gap_beat is null) from sync.peer";
    for node in chain.nodes() {
        let mut dba = node.connect().unwrap();
        let mut said = String::new();
        let done = until_true("all is verified", SOON, || {
            said = dba
                .query_one(
                    "select coalesce(string_agg(d::text, '; '), '') from sync.drift d where resolved_at is null",
                    &[],
                )
                .unwrap()
                .get(0);
            dba.query_one(verified, &[]).unwrap().get::<_, Option<bool>>(0) == Some(true)
        });
        done.unwrap_or_else(|late| panic!("{late}: {said}"));
    }
}

#[track_caller]
pub(crate) fn sell(at: &Cluster, receipts: &mut Receipts, count: usize) {
    let mut till = at.connect().unwrap();
    for _ in 0..count {
        let receipt = receipts.good("T01");
        till.execute(
            "select from sales.ingest_files($1, array[$2::bytea], null)",
            &[&receipt.terminal, &receipt.bytes],
        )
        .unwrap();
    }
}

pub(crate) const CUSTOMERS: &str =
    "select count(*) || ' ' || md5(string_agg(c::text, ',' order by customer_id)) from party.customer c";
pub(crate) const HEADS: &str = "select count(*) || ' ' || md5(string_agg(table_name || key || heads, ',' order by table_name, key)) from sync.head";
const RECEIPTS: &str = "select count(*) || ' ' || coalesce(sum(total), 0) from sales.receipt where node_id = 2";

/// Apply does not ask foreign keys, and a dump with rows that point nowhere can not be restored.
const ORPHANS: &str = "do $$ \
    declare fk record; orphans bigint; \
    begin \
      for fk in \
        select c.conrelid::regclass as child, c.confrelid::regclass as parent, c.conname, \
               string_agg(format('c.%I = p.%I', a.attname, f.attname), ' and ') as same, \
               string_agg(format('c.%I is not null', a.attname), ' and ') as given \
          from pg_constraint c \
          cross join lateral unnest(c.conkey, c.confkey) k (child, parent) \
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.child \
          join pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.parent \
         where c.contype = 'f' and c.connamespace::regnamespace::text not in ('cron', 'pg_catalog') \
         group by c.oid, 1, 2, 3 \
      loop \
        execute format('select count(*) from %s c where %s and not exists (select from %s p where %s)', fk.child, fk.given, fk.parent, fk.same) \
          into orphans; \
        if orphans > 0 then raise exception '% rows of % point nowhere by %', orphans, fk.child, fk.conname; end if; \
      end loop; \
    end $$";

#[test]
fn a_store_of_a_chain_can_be_dumped_and_restored_since_no_row_points_nowhere() {
    let chain = Chain::joined(2).unwrap();
    run(
        &chain.central,
        &[
            "insert into catalog.tax (code, name, rate) values ('A', 'A', 10)",
            "insert into catalog.product (sku, description, tax_id) select '1', 'Pan', tax_id from catalog.tax",
            "insert into catalog.barcode (gtin14, product_id) select '00000000000017', product_id from catalog.product",
        ],
    );
    sell(&chain.stores[0], &mut Receipts::new(55), 3);
    chain.converge().unwrap();
    let mut stores = chain.stores[1].connect().unwrap();
    let came = "select (select count(*) from catalog.barcode) = 1 and (select count(*) from org.store) = 2";
    until_true("all of it is here", SOON, || stores.query_one(came, &[]).unwrap().get(0)).unwrap();
    chain.nodes().for_each(|node| run(node, &[ORPHANS]));
}

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
        until("the load is complete", SOON, || {
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
    for query in [CUSTOMERS, HEADS] {
        let said = chain.everywhere(query).unwrap();
        assert!(said.iter().all(|one| *one == said[0]), "{query}: {said:#?}");
    }
    until_verified(&chain);
    // Receipts that came before their store was known wait in quarantine until pg_cron's next minute.
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

/// A document whose chain no bookkeeping names. It is on the wire, and so it must arrive.
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
    for query in [CUSTOMERS, HEADS] {
        let said = chain.everywhere(query).unwrap();
        assert!(said.iter().all(|one| *one == said[0]), "{query}: {said:#?}");
    }
    assert!(ask(&chain.central, RECEIPTS).starts_with("50 "));
    assert_eq!(ask(&chain.central, "select count(*)::text from wire.doc where chain = 'by hand'"), "1");
    let siblings = "select string_agg(column_name || node_id, ',' order by node_id) from sync.sibling";
    assert_eq!(ask(&chain.central, siblings), "phone2,phone100");
    assert_eq!(ask(&chain.stores[1], siblings), "phone2,phone100");
}

/// The slot was moved on by hand: no error anywhere, and rows that never came.
#[test]
fn rows_that_were_skipped_are_found_asked_for_and_sent_again() {
    let chain = Chain::joined(2).unwrap();
    let mut receipts = Receipts::new(54);
    sell(&chain.stores[0], &mut receipts, 10);
    chain.converge().unwrap();
    until_verified(&chain);
    let until_before = ask(&chain.central, "select received_until::text from sync.peer where node_id = 1");

    chain.cut(0).unwrap();
    run(&chain.stores[0], &["insert into party.customer (name) values ('skipped up')"]);
    run(&chain.central, &["insert into party.customer (name) values ('skipped down')"]);
    sell(&chain.stores[0], &mut receipts, 7);
    for node in [&chain.central, &chain.stores[0]] {
        let mut dba = node.connect().unwrap();
        let count = |dba: &mut postgres::Client| {
            dba.query_one("select max(beat) from wire.beat", &[]).unwrap().get::<_, i64>(0)
        };
        let before = count(&mut dba);
        until_true("a beat falls into the gap", SOON, || count(&mut dba) > before).unwrap();
    }
    for (at, slot) in [(&chain.central, "tpv_to_s01"), (&chain.stores[0], "tpv_up_s01")] {
        let skip = format!(
            "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) is not null from pg_replication_slots \
                            where slot_name = '{slot}' and active_pid is null"
        );
        let mut dba = at.connect().unwrap();
        until("the slot is moved", SOON, || dba.query_opt(&skip, &[]).ok().flatten()).unwrap();
    }
    chain.mend(0).unwrap();
    sell(&chain.stores[0], &mut receipts, 5);
    run(&chain.stores[0], &["insert into party.customer (name) values ('came')"]);
    let mut central = chain.central.connect().unwrap();
    until_true("the gap is noticed", SOON, || {
        central.query_one("select gap_beat is not null from sync.peer where node_id = 1", &[]).unwrap().get(0)
    })
    .unwrap();
    let stands = "select (received_until < clock_timestamp() - interval '0.1 s' and received_until >= $1::text::timestamptz)::text \
                  from sync.peer where node_id = 1";
    assert_eq!(central.query_one(stands, &[&until_before]).unwrap().get::<_, String>(0), "true");
    assert_eq!(ask(&chain.central, "select (count(*) < 22)::text from sales.receipt where node_id = 1"), "true");

    until_verified(&chain);
    chain.converge().unwrap();
    assert_eq!(ask(&chain.central, "select count(*)::text from sales.receipt where node_id = 1"), "22");
    assert_eq!(ask(&chain.central, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    let found = "select string_agg(what || ' ' || subject, ', ' order by what, subject) from sync.drift where resolved_at is not null";
    assert_eq!(ask(&chain.central, found), "chain T01, operations 1");
    assert_eq!(ask(&chain.stores[0], found), "operations 100");
    assert_eq!(ask(&chain.stores[1], found), "");
}

/// A store that was restored from a backup counts on from where that ended.
#[test]
fn an_operation_under_a_number_that_was_used_before_is_kept_aside_and_reported() {
    let chain = Chain::joined(1).unwrap();
    run(&chain.stores[0], &["insert into party.customer (name) values ('before')"]);
    chain.converge().unwrap();
    let forget = "begin; set local pg_tpv.maintenance = on; set local role tpv_owner; \
        delete from sync.head where key in (select o.key from wire.op o order by o.node_id <> 1, o.seq desc limit 1); \
        delete from wire.op where node_id = 1 and seq = (select last_seq from sync.op_counter); \
        update sync.op_counter set last_seq = last_seq - 1; commit";
    run(&chain.stores[0], &[forget, "insert into party.customer (name) values ('after')"]);
    let kept =
        "select count(*) = 1 from sync.quarantine where code = 'NUMBER_REUSED' and refused ->> 'patch' like '%after%'";
    let mut central = chain.central.connect().unwrap();
    until_true("it is kept", SOON, || central.query_one(kept, &[]).unwrap().get(0)).unwrap();
    // And the stream goes on.
    run(&chain.stores[0], &["insert into party.customer (name) values ('later')"]);
    let came = "select exists (select from party.customer where name = 'later')";
    until_true("it goes on", SOON, || central.query_one(came, &[]).unwrap().get(0)).unwrap();
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
    let said = chain.everywhere(HEADS).unwrap();
    assert!(said.iter().all(|one| *one == said[0]), "{said:#?}");
    let products = "select string_agg(sku || ' ' || description, ', ' order by sku) from catalog.product";
    let kept =
        "select string_agg(node_id || ' ' || value::text || ' ' || chosen, ', ' order by node_id) from sync.sibling";
    for node in chain.nodes() {
        assert_eq!(ask(node, products), "1 Pan, own own");
        assert_eq!(ask(node, kept), "1 \"its own\" false, 100 \"Pan\" true");
    }
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
    // A load that it began and will never end must not keep central from sending others its own.
    run(&chain.central, &["insert into sync.snapshot (snapshot_id, node_id) values (gen_random_uuid(), 1)"]);
    let send = "select sync.send_snapshot(2)";
    assert_eq!(refused(&chain.central, send), "55000");
    (0..2).for_each(|_| leave(&chain));
    run(&chain.central, &[send]);
    run(&chain.stores[0], &["insert into catalog.product (sku, description) values ('own', 'own')"]);
    run(&chain.central, &["insert into party.customer (name) values ('x')"]);
    let gone = "select count(*)::text from (select from sync.peer where node_id in (1, 100) and org.this_node() in (1, 100) \
        and (org.this_node() = 1 or node_id = 1) union all select from pg_replication_slots where slot_name like '%s01') x";
    assert_eq!(ask(&chain.stores[0], gone), "0");
    assert_eq!(ask(&chain.central, gone), "0");
    let mut other = chain.stores[1].connect().unwrap();
    let came = "select exists (select from party.customer where name = 'x')";
    until_true("the others go on", SOON, || other.query_one(came, &[]).unwrap().get(0)).unwrap();
}
