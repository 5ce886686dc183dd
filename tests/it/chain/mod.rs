//! A chain: what is decided at one node, and what the others make of it.

mod joining;
mod low_water;
mod nemesis;
mod policies;
mod replication;
mod restored;
mod roles;
mod skew;
mod snapshots;
mod upgrade;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::error::SqlState;
use postgres::{Client, NoTls};
use tpv_lab::chain::{self, Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::Receipts;
use tpv_lab::wait::stop_at_the_latest;
use tpv_lab::wait::{until, until_true};

use crate::SOON;
use crate::chain::joining::ask;

/// The customer that the tests quarrel about.
pub(crate) const ANA: &str = "00000000-0000-7000-8000-0000000000aa";

/// One that is met at two stores.
const BOB: &str = "00000000-0000-7000-8000-0000000000bb";

/// Runs statements at a node, each committed on its own.
#[track_caller]
pub(crate) fn run(at: &Cluster, statements: &[&str]) {
    let mut dba = at.connect().unwrap();
    for statement in statements {
        dba.batch_execute(statement).unwrap();
    }
}

/// What every node answers to a query of one text value.
#[track_caller]
pub(crate) fn all_say(chain: &Chain, query: &str) -> String {
    let said = chain.everywhere(query).unwrap();
    assert!(said.iter().all(|one| *one == said[0]), "{query}: {said:#?}");
    said[0].clone()
}

/// How a node refuses a statement.
#[track_caller]
pub(crate) fn refused(at: &Cluster, statement: &str) -> String {
    match at.connect().unwrap().batch_execute(statement) {
        Ok(()) => "00000".to_owned(),
        Err(error) => error.code().unwrap().code().to_owned(),
    }
}

/// Waits until a query of one yes or no answers yes.
#[track_caller]
pub(crate) fn until_at(at: &Cluster, query: &str) {
    let mut dba = at.connect().unwrap();
    until_true(query, SOON, || dba.query_one(query, &[]).unwrap().get(0)).unwrap();
}

/// Every node's operations are numbered without a gap at every node, and nothing waits.
#[track_caller]
pub(crate) fn journals_are_whole(chain: &Chain) {
    let gaps = "select string_agg(o.node_id || ': ' || o.seq, ', ') \
        from (select node_id, max(seq) as seq from wire.op group by 1) o join sync.contiguous() k using (node_id) where o.seq > k.seq";
    assert_eq!(all_say(chain, gaps), "");
    assert_eq!(all_say(chain, "select string_agg(q::text, ', ') from sync.quarantine q"), "");
}

/// A chain of two stores that knows one customer.
pub(crate) fn with_ana() -> Chain {
    let chain = Chain::joined(2).unwrap();
    let ana = format!(
        "insert into party.customer (customer_id, name, street, postcode, city, country, tags, consent) \
         values ('{ANA}', 'Ana', 'Calle 1', '28001', 'Madrid', 'ES', '[\"old\"]', 'all')"
    );
    run(&chain.stores[0], &[&ana]);
    chain.converge().unwrap();
    chain
}

pub(crate) fn update_ana(what: &str) -> String {
    format!("update party.customer set {what} where customer_id = '{ANA}'")
}

pub(crate) fn of_ana(what: &str) -> String {
    format!("select ({what})::text from party.customer where customer_id = '{ANA}'")
}

pub(crate) fn ana_is(what: &str) -> String {
    format!("select exists (select from party.customer where customer_id = '{ANA}' and {what})")
}

#[test]
fn what_a_store_registered_is_known_everywhere_once_it_joined() {
    let chain = Chain::joined(2).unwrap();
    for (table, rows) in [("store", 2), ("department", 8), ("terminal", 40)] {
        assert_eq!(all_say(&chain, &format!("select count(*)::text from org.{table}")), rows.to_string(), "{table}");
        all_say(&chain, &format!("select md5(string_agg(t::text, ',' order by t::text)) from org.{table} t"));
    }
    journals_are_whole(&chain);
}

#[test]
fn a_receipt_of_a_store_is_at_central_once_with_its_lines() {
    let chain = Chain::joined(1).unwrap();
    let mut receipts = Receipts::new(31);
    let mut till = chain.stores[0].connect().unwrap();
    for _ in 0..5 {
        let receipt = receipts.good("T01");
        for _ in 0..2 {
            till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
        }
    }
    until_at(&chain.central, "select count(*) = 5 from sales.receipt");
    for table in ["wire.doc", "sales.receipt", "sales.receipt_line", "sales.receipt_tax"] {
        all_say(&chain, &format!("select count(*) || md5(string_agg(t::text, ',' order by t::text)) from {table} t"));
    }
    assert_eq!(all_say(&chain, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    journals_are_whole(&chain);
}

pub(crate) const INGEST: &str = "select from sales.ingest_files($1, array[$2::bytea], null)";

#[test]
fn two_stores_that_edit_one_customer_agree_and_a_person_settles_what_was_lost() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(
        &chain.stores[0],
        &[&update_ana("street = 'Rua 2', city = 'Porto', tags = '[\"old\", \"one\"]', consent = 'email'")],
    );
    run(&chain.stores[1], &[&update_ana("postcode = '46001', tags = '[\"old\", \"two\"]', consent = 'none'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();

    let addresses = ["(\"Rua 2\",28001,Porto)", "(\"Calle 1\",46001,Madrid)"];
    let address = all_say(&chain, &of_ana("row(street, postcode, city)"));
    assert!(addresses.contains(&address.as_str()), "an address of two halves: {address}");
    assert_eq!(all_say(&chain, &of_ana("consent")), "none");
    let tags = "select array_agg(tag order by tag)::text from party.customer, jsonb_array_elements_text(tags) tag";
    assert_eq!(all_say(&chain, tags), "{old,one,two}");
    let siblings =
        "select string_agg(column_name || ' ' || node_id, ', ' order by column_name, node_id) from sync.sibling";
    assert_eq!(all_say(&chain, siblings), "address 1, address 2, consent 1, consent 2");
    all_say(
        &chain,
        "select string_agg(concat(column_name, node_id, seq, value, chosen), ',' order by column_name, node_id) from sync.sibling",
    );

    let restore = "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling \
                   where not chosen and column_name = ";
    run(&chain.central, &[&format!("{restore} 'address'")]);
    assert_eq!(refused(&chain.stores[1], &format!("{restore} 'consent'")), "23514");
    let loosen = format!("select sync.loosen('party.customer', '{ANA}', 'consent', 'email', 'on her word')");
    run(&chain.stores[1], &[&loosen]);
    chain.converge().unwrap();
    let other = addresses[usize::from(address == addresses[0])];
    assert_eq!(all_say(&chain, &of_ana("row(street, postcode, city)")), other);
    assert_eq!(all_say(&chain, &of_ana("consent")), "email");
    assert_eq!(all_say(&chain, siblings), "");
    journals_are_whole(&chain);
}

/// One node merged before it knew the new policy, another one after.
#[test]
fn a_policy_that_changes_while_a_store_is_away_leaves_all_nodes_alike() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("tags = '[\"one\"]', consent = 'email'")]);
    run(&chain.stores[1], &[&update_ana("tags = '[\"two\"]', consent = 'none'")]);
    until_at(&chain.central, &ana_is("consent = 'none'"));
    let rule =
        "update sync.policy set rule = '\"last_write\"' where table_name = 'party.customer' and column_name = 'tags'";
    run(&chain.central, &[rule, "update sync.policy set deleted = true where column_name = 'consent'"]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("tags")), "[\"two\"]");
    journals_are_whole(&chain);
}

#[test]
fn a_customer_that_two_stores_create_and_delete_at_once_is_one_customer() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    let bob = |name: &str| format!("insert into party.customer (customer_id, name) values ('{BOB}', '{name}')");
    run(&chain.stores[0], &[&bob("Bob"), &update_ana("deleted = true"), &update_ana("deleted = false")]);
    run(&chain.stores[1], &[&bob("Rob"), &update_ana("deleted = true")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, "select count(*)::text from party.customer"), "2");
    journals_are_whole(&chain);
}

#[test]
fn a_row_that_all_nodes_write_at_once_ends_alike_and_no_operation_is_lost_or_echoed() {
    const CHANGES: usize = 300;
    let chain = with_ana();
    let count = "select count(*) from wire.op";
    let before: i64 = chain.central.connect().unwrap().query_one(count, &[]).unwrap().get(0);
    thread::scope(|scope| {
        for (node, at) in chain.nodes().enumerate() {
            scope.spawn(move || {
                let mut dba = at.connect().unwrap();
                for n in 0..CHANGES {
                    // Each value is new, so that each update is a change. Each node has an order of columns.
                    let what = match (n * (2 * node + 1) + n / 7) % 6 {
                        0 => format!("name = 'n{node} {n}'"),
                        1 => format!("email = 'e{node} {n}', phone = 'p{node} {n}'"),
                        2 => format!("street = 's{node} {n}'"),
                        3 => format!("city = 'c{node} {n}', name = 'm{node} {n}'"),
                        4 => format!("tags = '[\"t{node} {n}\"]'"),
                        _ => format!("credit_limit = {node}{n:04}"),
                    };
                    dba.batch_execute(&update_ana(&what)).unwrap();
                }
            });
        }
    });
    chain.converge().unwrap();
    let after: i64 = chain.central.connect().unwrap().query_one(count, &[]).unwrap().get(0);
    assert_eq!(after - before, i64::try_from(3 * CHANGES).unwrap());
    all_say(&chain, "select md5(string_agg(t::text, ',' order by customer_id)) from party.customer t");
    all_say(&chain, "select string_agg(heads, ',' order by table_name, key) from sync.head");
    all_say(
        &chain,
        "select string_agg(concat(column_name, node_id, seq, value, chosen), ',' order by column_name, node_id, seq) from sync.sibling",
    );
    journals_are_whole(&chain);
}

#[test]
fn a_deletion_wins_against_an_edit_until_somebody_undeletes() {
    let chain = with_ana();
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("deleted = true")]);
    run(&chain.stores[1], &[&update_ana("name = 'Anna'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("deleted")), "true");
    run(&chain.stores[1], &[&update_ana("deleted = false")]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("row(name, deleted)")), "(Anna,f)");
    assert_eq!(refused(&chain.stores[0], "delete from party.customer"), "42501");
    journals_are_whole(&chain);
}

#[test]
fn prices_come_from_central_and_a_store_may_not_write_them() {
    let chain = Chain::joined(2).unwrap();
    let product = "insert into catalog.product (sku, description) values ('1', 'Pan')";
    assert_eq!(refused(&chain.stores[0], product), "42501");
    let price = "insert into catalog.price (product_id, price, valid_from) select product_id, 1.25, '2026-01-01' from catalog.product";
    run(&chain.central, &[product, price]);
    chain.converge().unwrap();
    let offer =
        "select concat_ws(' ', sku, description, price) from catalog.price join catalog.product using (product_id)";
    assert_eq!(all_say(&chain, offer), "1 Pan 1.2500");
    assert_eq!(refused(&chain.stores[1], "update catalog.price set price = 0"), "42501");
    journals_are_whole(&chain);
}

/// The publication's filter would hold such rows back at an honest store; at a dishonest one there is no filter.
#[test]
fn a_row_in_the_name_of_another_node_is_refused_and_the_stream_goes_on() {
    let chain = with_ana();
    let forger = &chain.stores[0];
    // In the name of a store, and of central itself.
    let operations = [2, 100].map(|node| {
        format!(
            "insert into wire.op values \
             ({node}, 900000, tpv.hlc_now(), 'party.customer', '{ANA}', '{{\"name\":\"Mallory\"}}', '{{}}')"
        )
    });
    for operation in &operations {
        assert_eq!(refused(forger, operation), "42501");
    }
    let operations = operations.join(";");
    let document = "insert into wire.doc \
        (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
        values (2, gen_random_uuid(), current_date, 'day_close', tpv.hlc_now(), 1, '', 900000, '', '{}', sha256('{}'))";
    let unfiltered = "alter publication tpv_up set table wire.doc, wire.op, wire.beat";
    let forge = format!(
        "begin; alter table wire.op disable trigger _100_receive; alter table wire.doc disable trigger _100_receive; \
         {operations}; {document}; \
         alter table wire.op enable always trigger _100_receive; alter table wire.doc enable always trigger _100_receive; commit"
    );
    run(forger, &[unfiltered, &forge, &update_ana("phone = '1'")]);
    let kinds = "select string_agg(kind || ' ' || node_id, ', ' order by kind, node_id) = 'day_close 2, party.customer 2, party.customer 100' \
                 from sync.quarantine where code = 'FORGED_SENDER' and refused is not null";
    until_at(&chain.central, &format!("select coalesce(({kinds}), false)"));
    until_at(&chain.central, "select count(*) = 3 from sec.audit where event = 'FORGED_SENDER'");
    until_at(&chain.central, &ana_is("phone = '1'"));
    until_at(&chain.stores[1], &ana_is("phone = '1'"));
    run(forger, &[&update_ana("phone = '2'")]);
    until_at(&chain.central, &ana_is("name = 'Ana' and phone = '2'"));
    for honest in [&chain.central, &chain.stores[1]] {
        until_at(honest, "select not exists (select from wire.op where seq = 900000)");
        until_at(honest, "select not exists (select from wire.doc)");
    }
}

/// Meets customers, renames Ana and takes receipts in until told to stop; goes on when the server comes back. Answers
/// the customers whose transaction was answered for, and the receipts.
fn work(url: &str, terminal: &str, stop: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let (mut receipts, mut met, mut taken) = (Receipts::new(32), Vec::new(), Vec::new());
    let mut dba = None;
    let mut receipt = receipts.good(terminal);
    while !stop.load(Ordering::Relaxed) {
        if dba.as_ref().is_none_or(Client::is_closed) {
            dba = Some(until("the server is back", SOON, || Client::connect(url, NoTls).ok()).unwrap());
        }
        let Some(dba) = dba.as_mut() else { continue };
        let meet = "insert into party.customer (name) values ('x') returning customer_id::text";
        if let Ok(row) = dba.query_one(meet, &[]) {
            met.push(row.get(0));
        }
        let _ = dba.batch_execute(&update_ana(&format!("name = '{terminal} {}'", met.len())));
        // What was not answered for is sent again, as the watcher does.
        if dba.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).is_ok() {
            taken.push(std::mem::replace(&mut receipt, receipts.good(terminal)).number);
        }
    }
    (met, taken)
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
    for (store, (met, taken)) in done.iter().enumerate() {
        let query = "select count(*) from party.customer where customer_id::text = any ($1)";
        for node in chain.nodes() {
            let found: i64 = node.connect().unwrap().query_one(query, &[met]).unwrap().get(0);
            assert_eq!(found, i64::try_from(met.len()).unwrap(), "customers of store {store} at {}", node.node);
        }
        let own = format!(
            "select count(*) || ' ' || count(distinct receipt_number) || ' ' || md5(string_agg(r::text, ',' order by receipt_id)) \
             from sales.receipt r where node_id = {}",
            STORES[store].id
        );
        let at = |node: &Cluster| -> String { node.connect().unwrap().query_one(&own, &[]).unwrap().get(0) };
        let wanted = at(&chain.stores[store]);
        until_true("the receipts are at central", SOON, || at(&chain.central) == wanted).unwrap();
        assert!(wanted.starts_with(&format!("{0} {0} ", taken.len())), "{wanted}, and {} were taken", taken.len());
    }
    let intact = "select bool_and(intact)::text from wire.verify_chains()";
    assert_eq!(all_say(&chain, intact), "true");
}

/// The stores' transactions meet at central, in apply workers of their own.
#[test]
fn stores_that_wrote_the_same_things_in_opposite_orders_are_taken_in_without_a_deadlock() {
    let chain = with_ana();
    run(&chain.central, &["insert into party.customer (name) select 'c' || n from generate_series(1, 20) n"]);
    chain.converge().unwrap();
    (0..2).for_each(|store| chain.cut(store).unwrap());
    for (at, order) in chain.stores.iter().zip(["customer_id", "customer_id desc"]) {
        let all = format!(
            "do $$ declare id uuid; begin \
               for id in select customer_id from party.customer order by {order} loop \
                 update party.customer set tags = to_jsonb(array[clock_timestamp()::text]) where customer_id = id; \
               end loop; end $$"
        );
        (0..60).for_each(|_| run(at, &[&all]));
    }
    (0..2).for_each(|store| chain.mend(store).unwrap());
    chain.converge().unwrap();
    let deadlocks = "select deadlocks::text from pg_stat_database where datname = 'tpv'";
    assert_eq!(chain.everywhere(deadlocks).unwrap(), ["0", "0", "0"]);
    journals_are_whole(&chain);
}

/// It has waited for less long than what arrives when both are stuck, and it is the one that is told all the same.
#[test]
fn a_session_that_deadlocks_with_what_arrives_gives_way() {
    let chain = with_ana();
    let bob = "00000000-0000-7000-8000-0000000000b0";
    run(&chain.central, &[&format!("insert into party.customer (customer_id, name) values ('{bob}', 'Bob')")]);
    chain.converge().unwrap();
    let workers = "select string_agg(pid::text, ',' order by pid) from pg_stat_activity where backend_type = 'logical replication worker'";
    let worker = ask(&chain.central, workers);
    let mut dba = chain.central.connect().unwrap();
    let mut session = dba.transaction().unwrap();
    session.batch_execute(&update_ana("phone = 'session'")).unwrap();
    // Bob, and then Ana, in one transaction.
    let both = format!(
        "update party.customer set phone = 'arrives' where customer_id = '{bob}'; {}",
        update_ana("phone = 'arrives'")
    );
    run(&chain.stores[0], &[&format!("begin; {both}; commit")]);
    until_at(
        &chain.central,
        "select exists (select from pg_stat_activity where backend_type like 'logical%' and wait_event_type = 'Lock')",
    );
    let told = session
        .batch_execute(&format!("update party.customer set phone = 'session' where customer_id = '{bob}'"))
        .unwrap_err();
    assert_eq!(told.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED));
    drop(session);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "arrives");
    assert_eq!(ask(&chain.central, workers), worker, "no worker was started anew");
}

/// A session that somebody forgot keeps a customer locked at central: whoever writes that one waits, nobody else.
#[test]
fn a_locked_row_holds_up_the_store_that_wrote_it_and_no_other() {
    let chain = with_ana();
    let mut forgotten = chain.central.connect().unwrap();
    let mut forgotten = forgotten.transaction().unwrap();
    forgotten.execute("select from party.customer where customer_id::text = $1 for update", &[&ANA]).unwrap();
    let session: String = forgotten.query_one("select pg_backend_pid()::text", &[]).unwrap().get(0);
    run(&chain.stores[0], &[&update_ana("phone = 'waits'")]);
    until_at(
        &chain.central,
        "select exists (select from pg_stat_activity where backend_type like 'logical%' and wait_event_type = 'Lock')",
    );
    run(&chain.stores[1], &["insert into party.customer (name) values ('passes')"]);
    until_at(&chain.central, "select exists (select from party.customer where name = 'passes')");
    let named = format!("{session}: waiting for a lock: session {session} keeps a row");
    let advice = "select string_agg(concat_ws(': ', $1::text, state, advice), ' ') from sync.status where state <> 'running' and direction = 'receives'";
    until_true("a DBA sees who holds it up", SOON, || {
        let said: Option<String> = chain.central.connect().unwrap().query_one(advice, &[&session]).unwrap().get(0);
        said.is_some_and(|said| said.starts_with(&named))
    })
    .unwrap();
    forgotten.rollback().unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "waits");
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

/// It ended with 0 when it was told to end, and PostgreSQL starts no such worker again: no beat, no ceiling of the clock.
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
