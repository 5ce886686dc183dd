//! What native logical replication loses, and tpv does not. Each test is of a trap that was
//! measured, or read in PostgreSQL's source:
//!
//! | native replication | the test that tpv does not |
//! | --- | --- |
//! | drops UPDATEs of rows that the subscriber also writes | `conflicts::a_row_that_all_nodes_write_at_once_…` |
//! | calls nobody for an UPDATE or DELETE of a row that is missing | `an_edit_of_a_row_that_is_not_here_yet_waits_for_it` |
//! | does not send a large value that did not change | `large_values_arrive_whole_…` |
//! | echoes INSERT and DELETE for ever | `keys_that_all_nodes_delete_and_bring_back_come_to_rest` |
//! | with `origin = none` never forwards, with `any` echoes | `what_a_store_did_is_received_once_by_each_node_…` |
//! | stops for ever at a row that it cannot write | `rows_that_nobody_can_read_wait_…` |
//! | publishes TRUNCATE, and writes DELETE behind everybody's back | `nothing_is_removed_anywhere` |
//! | stops at a column or a label that only the publisher has | `a_column_and_a_label_that_only_central_has_…` |
//! | does not say that a slot was lost | `a_slot_that_is_gone_is_seen_on_both_sides` |

use std::thread;

use postgres::Error;
use postgres::error::SqlState;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::dice::Dice;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;

use crate::support::{
    ANA, INGEST, SOON, all_say, ana_is, journals_are_whole, of_ana, refused, run, until_at, update_ana, with_ana,
};

/// Customers of the tests below, by number.
fn customer(number: usize) -> String {
    format!("00000000-0000-7000-8000-0000000001{number:02}")
}

/// What a node has written so far: operations, documents, and the last transaction that touched a
/// customer.
const TRACE: &str = "select concat_ws(' ', (select count(*) from wire.op), (select count(*) from wire.doc), \
    (select max(xmin::text::bigint) from party.customer))";

/// All agree, and when every node has sent three more heartbeats nobody has written anything.
#[track_caller]
fn comes_to_rest(chain: &Chain) {
    chain.converge().unwrap();
    all_say(chain, "select md5(string_agg(to_jsonb(t)::text, ',' order by customer_id)) from party.customer t");
    all_say(chain, "select string_agg(heads, ',' order by table_name, key) from sync.head");
    let rest = chain.everywhere(TRACE).unwrap();
    beats_pass(chain);
    assert_eq!(chain.everywhere(TRACE).unwrap(), rest, "somebody still writes");
}

/// Every node has heard three more heartbeats of every peer.
#[track_caller]
fn beats_pass(chain: &Chain) {
    let heard = |node: &Cluster| -> Vec<(i32, i64)> {
        let peers = "select node_id, coalesce(beat, 0) from sync.peer order by 1";
        node.connect().unwrap().query(peers, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let before: Vec<_> = chain.nodes().map(heard).collect();
    until_true("three beats pass", SOON, || {
        chain.nodes().for_each(|node| run(node, &["select tpv.beat()"]));
        let more = |(node, before): (&Cluster, &Vec<(i32, i64)>)| {
            heard(node).iter().zip(before).all(|(now, before)| now.1 >= before.1 + 3)
        };
        chain.nodes().zip(&before).all(more)
    })
    .unwrap();
}

/// A node has compared itself with its peers, and nothing is missing: no heartbeat, no operation,
/// no document.
#[track_caller]
fn until_compared(node: &Cluster) {
    let mut dba = node.connect().unwrap();
    let whole = "select bool_and(received_until is not null and gap_beat is null) \
                 and not exists (select from sync.drift where resolved_at is null) from sync.peer";
    until_true("nothing is missing", SOON, || {
        dba.execute("select tpv.beat(), sync.reconcile()", &[]).unwrap();
        dba.query_one(whole, &[]).unwrap().get(0)
    })
    .unwrap();
}

fn waits(chain: &Chain) -> Vec<String> {
    let waiting = "select string_agg(distinct code, ' ' order by code) from sync.quarantine where resolved_at is null";
    chain.everywhere(waiting).unwrap()
}

/// The store has the edits and the deletion, and the row itself cannot be made there until the
/// store is upgraded.
#[test]
fn an_edit_of_a_row_that_is_not_here_yet_waits_for_it() {
    let chain = with_ana();
    let new = "alter table party.customer drop constraint customer_consent_check, \
               add constraint customer_consent_check check (consent in ('none', 'email', 'all', 'sms'))";
    run(&chain.central, &[new]);
    run(&chain.stores[0], &[new]);
    let [kept, gone] = [customer(1), customer(2)];
    for key in [&kept, &gone] {
        let eva = format!("insert into party.customer (customer_id, name, consent) values ('{key}', 'Eva', 'sms')");
        run(&chain.stores[0], &[&eva]);
    }
    let edit = |key: &str, what: &str| format!("update party.customer set {what} where customer_id = '{key}'");
    until_at(&chain.central, "select count(*) = 3 from party.customer");
    run(&chain.central, &[&edit(&kept, "phone = '1'"), &edit(&gone, "deleted = true")]);
    run(&chain.stores[0], &[&edit(&kept, "email = '2'")]);
    until_at(
        &chain.stores[1],
        "select count(*) = 5 from wire.op where key like '00000000-0000-7000-8000-00000000010%'",
    );
    assert_eq!(all_say(&chain, &of_ana("name")), "Ana");
    assert_eq!(waits(&chain), ["", "", "23514"]);
    until_at(&chain.stores[1], "select count(*) = 1 from party.customer");

    run(&chain.stores[1], &[new, "select sync.replay_waiting()"]);
    chain.converge().unwrap();
    let eva = "select string_agg(concat_ws(' ', name, consent, phone, email, deleted), ', ' order by customer_id) \
               from party.customer where name = 'Eva'";
    assert_eq!(all_say(&chain, eva), "Eva sms 1 2 f, Eva sms t");
    assert_eq!(waits(&chain), ["", "", ""]);
    comes_to_rest(&chain);
}

/// Random letters, so that no compression keeps them out of the TOAST table.
fn large(dice: &mut Dice, length: usize) -> String {
    (0..length).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).unwrap())).collect()
}

#[test]
fn large_values_arrive_whole_and_stay_when_others_edit_something_else() {
    let chain = with_ana();
    let mut dice = Dice::new(51);
    let [street, postcode, name] = [60_000, 100_000, 90_000].map(|length| large(&mut dice, length));
    run(&chain.stores[0], &[&update_ana(&format!("street = '{street}', postcode = '{postcode}', name = '{name}'"))]);
    chain.converge().unwrap();
    // Unchanged large columns beside a changed small one, at each node in turn, and all at once.
    run(&chain.stores[1], &[&update_ana("phone = '1'")]);
    run(&chain.central, &[&update_ana("email = '2'")]);
    chain.converge().unwrap();
    chain.cut(0).unwrap();
    let other = large(&mut dice, 70_000);
    run(&chain.stores[0], &[&update_ana("country = 'PT'"), &update_ana("phone = '3'")]);
    run(&chain.central, &[&update_ana(&format!("name = '{other}'"))]);
    run(&chain.stores[1], &[&update_ana("email = '4'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    for (value, wanted) in [
        ("street", street.as_str()),
        ("postcode", &postcode),
        ("name", &other),
        ("concat(phone, email, country)", "34PT"),
    ] {
        assert!(all_say(&chain, &of_ana(value)) == wanted, "{value} is not what was written");
    }
    assert_eq!(all_say(&chain, "select count(*)::text from sync.sibling"), "0");
    journals_are_whole(&chain);
    comes_to_rest(&chain);
}

#[test]
fn keys_that_all_nodes_delete_and_bring_back_come_to_rest() {
    const KEYS: usize = 20;
    const CHANGES: usize = 150;
    let chain = Chain::joined(2).unwrap();
    let operations = || -> i64 { chain.everywhere("select count(*)::text from wire.op").unwrap()[0].parse().unwrap() };
    let before = operations();
    let mut written: Vec<i64> = thread::scope(|scope| {
        let churn = |(node, at): (usize, &Cluster)| {
            let mut dba = at.connect().unwrap();
            scope.spawn(move || {
                let mut dice = Dice::for_actor(52, node as u64);
                let mut written = 0;
                for n in 0..CHANGES {
                    let key = customer(usize::try_from(dice.below(KEYS as u64)).unwrap());
                    // The same keys are created everywhere: a node that has a key already deletes
                    // it or brings it back.
                    let done = dba.execute(
                        "insert into party.customer (customer_id, name) values ($1::text::uuid, $2) \
                         on conflict (customer_id) do update set deleted = not customer.deleted",
                        &[&key, &format!("{node} {n}")],
                    );
                    // A session that makes a key may deadlock with what arrives and makes it too:
                    // it did nothing, then.
                    let deadlock = |error: &Error| error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED);
                    written += done.or_else(|error| if deadlock(&error) { Ok(0) } else { Err(error) }).unwrap();
                }
                i64::try_from(written).unwrap()
            })
        };
        let actors: Vec<_> = chain.nodes().enumerate().map(churn).collect();
        actors.into_iter().map(|actor| actor.join().unwrap()).collect()
    });
    comes_to_rest(&chain);
    written.push(before);
    assert_eq!(operations(), written.iter().sum::<i64>(), "an operation was lost or invented");
    assert_eq!(all_say(&chain, "select count(*)::text from party.customer"), KEYS.to_string());
    journals_are_whole(&chain);
}

/// Store → central → the other store, and back to nobody.
#[test]
fn what_a_store_did_is_received_once_by_each_node_and_never_comes_back() {
    let chain = with_ana();
    let before = chain.everywhere("select count(*)::text from wire.op").unwrap();
    let work: Vec<String> = (0..50).map(|n| update_ana(&format!("phone = '{n}'"))).collect();
    run(&chain.stores[0], &work.iter().map(String::as_str).collect::<Vec<_>>());
    let mut receipts = Receipts::new(53);
    let mut till = chain.stores[0].connect().unwrap();
    for _ in 0..10 {
        let receipt = receipts.good("T01");
        till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
    }
    until_at(&chain.central, "select count(*) = 10 from wire.doc where node_id = 1");
    comes_to_rest(&chain);
    let after = chain.everywhere("select count(*)::text from wire.op").unwrap();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after.parse::<i64>().unwrap(), before.parse::<i64>().unwrap() + 50);
    }
    // Receipts are central's to know and no other store's.
    assert_eq!(chain.everywhere("select count(*)::text from wire.doc").unwrap(), ["10", "10", "0"]);
    assert_eq!(chain.everywhere("select count(*)::text from sales.receipt").unwrap(), ["10", "10", "0"]);
    assert_eq!(all_say(&chain, &of_ana("phone")), "49");
    journals_are_whole(&chain);
}

#[test]
fn rows_that_nobody_can_read_wait_and_the_rest_of_the_stream_flows_on() {
    let chain = with_ana();
    let bad = &chain.stores[0];
    let operation = |table_name: &str, patch: &str| {
        format!(
            "do $$ declare n bigint; begin \
               update sync.op_counter set last_seq = last_seq + 1 returning last_seq into n; \
               insert into wire.op values (1, n, tpv.hlc_now(), '{table_name}', '{ANA}', '{patch}', '{{}}'); end $$"
        )
    };
    let document = |kind: &str, chain: &str, body: &str, hash: &str| {
        format!(
            "insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
             values (1, gen_random_uuid(), current_date, '{kind}', tpv.hlc_now(), 1, '{chain}', 1, \
                     decode(repeat('00', 32), 'hex'), '{body}', sha256('{hash}'))"
        )
    };
    run(
        bad,
        &[
            &operation("party.customer", "no JSON"),
            &operation("party.customer", "{\"@future\":1}"),
            &operation("party.customer", "{\"name\":null}"),
            &operation("party.customer", "{\"credit_limit\":\"much\"}"),
            &operation("no.table", "{\"x\":1}"),
            &document("riddle", "P1", "{}", "{}"),
            &document("receipt", "P2", "no JSON", "no JSON"),
            "alter table wire.doc disable trigger _100_receive",
            &document("receipt", "P3", "{}", "other"),
            "alter table wire.doc enable always trigger _100_receive",
            &update_ana("phone = '1'"),
        ],
    );
    until_at(&chain.central, &ana_is("phone = '1'"));
    until_at(&chain.stores[1], &ana_is("phone = '1'"));
    let codes = "select string_agg(kind || ' ' || code, ', ' order by kind collate \"C\", code collate \"C\") \
                 from sync.quarantine where resolved_at is null";
    let operations = "no.table UNKNOWN_TABLE, party.customer 22P02, party.customer 23502, \
                      party.customer OPERATION_JSON, party.customer OPERATION_PATCH";
    let waiting = chain.everywhere(codes).unwrap();
    assert_eq!(waiting[0], format!("{operations}, receipt BAD_BODY, receipt BAD_HASH, riddle UNKNOWN_KIND"));
    assert_eq!(waiting[2], operations);
    // They are where they belong: in the journal and among the documents.
    for node in [&chain.central, &chain.stores[1]] {
        until_at(node, "select count(*) = 1 from wire.op where patch = 'no JSON'");
    }
    until_at(&chain.central, "select count(*) = 3 from wire.doc where chain in ('P1', 'P2', 'P3')");
    // Trying again changes nothing, and a person may take them off the list.
    run(&chain.central, &["select sync.replay_waiting()"]);
    assert_eq!(chain.everywhere(codes).unwrap()[0], waiting[0]);
    // Nor does a rebuild of projections, which took the operations off the list once although it
    // merged none of them.
    run(&chain.central, &["select from sales.rebuild_projections()"]);
    assert_eq!(chain.everywhere(codes).unwrap()[0], waiting[0]);
    run(
        &chain.central,
        &["select sync.dismiss(quarantine_id, 'poison') from sync.quarantine where resolved_at is null"],
    );
    assert_eq!(waits(&chain)[0], "");
    run(bad, &[&update_ana("phone = '2'")]);
    until_at(&chain.stores[1], &ana_is("phone = '2'"));
}

#[test]
fn nothing_is_removed_anywhere() {
    let chain = with_ana();
    for node in chain.nodes() {
        for table in ["party.customer", "catalog.product", "org.store", "wire.op", "wire.op_1"] {
            assert_eq!(refused(node, &format!("truncate {table} cascade")), "42501", "{table}");
        }
        for table in ["party.customer", "org.store", "wire.op"] {
            assert_eq!(refused(node, &format!("delete from {table}")), "42501", "{table}");
        }
        let published =
            "select count(*) > 0 and not bool_or(pubupdate or pubdelete or pubtruncate) from pg_publication";
        until_at(node, published);
    }
    // Removing heartbeats is not refused: they go at this node alone, and the stream flows on.
    beats_pass(&chain);
    run(&chain.stores[0], &["truncate wire.beat", "delete from wire.beat", &update_ana("phone = '1'")]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("row(name, phone)")), "(Ana,1)");
    beats_pass(&chain);
    until_compared(&chain.central);
}

#[test]
fn a_column_and_a_label_that_only_central_has_wait_at_the_stores_until_they_have_them_too() {
    let chain = Chain::joined(2).unwrap();
    let column = "alter table catalog.product add column origin text";
    let label = [
        "alter table catalog.product drop constraint product_unit_check",
        "alter table catalog.product add constraint product_unit_check check (unit in ('piece', 'kg', 'litre', 'box'))",
    ];
    run(
        &chain.central,
        &[
            label[0],
            label[1],
            "insert into catalog.product (sku, description, unit) values ('2', 'Huevos', 'box')",
            column,
            "insert into catalog.product (sku, description, origin) values ('1', 'Naranja', 'Valencia')",
            "insert into catalog.tax (code, name) values ('R', 'Reducido')",
            "insert into catalog.price (product_id, price, valid_from) select product_id, 2.5, '2026-01-01' from catalog.product",
            "update catalog.product set unit = 'kg' where sku = '1'",
        ],
    );
    // The other way goes on too.
    run(&chain.stores[0], &["insert into party.customer (name) values ('Ana')"]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, "select string_agg(code, ' ') from catalog.tax"), "R");
    assert_eq!(all_say(&chain, "select count(*)::text from catalog.price"), "2");
    assert_eq!(waits(&chain)[0], "");
    assert_eq!(waits(&chain)[1..], ["23514 UNKNOWN_COLUMN", "23514 UNKNOWN_COLUMN"]);

    for store in &chain.stores {
        run(store, &[column, label[0], label[1], "select sync.replay_waiting()"]);
    }
    let products = "select string_agg(concat_ws(' ', sku, description, unit, origin, price), ', ' order by sku) \
                    from catalog.product join catalog.price using (product_id)";
    assert_eq!(all_say(&chain, products), "1 Naranja kg Valencia 2.5000, 2 Huevos box 2.5000");
    assert_eq!(waits(&chain), ["", "", ""]);
    all_say(&chain, "select string_agg(heads, ',' order by table_name, key) from sync.head");
    run(&chain.central, &["update catalog.product set origin = 'Murcia' where sku = '2'"]);
    for store in &chain.stores {
        until_at(store, "select origin = 'Murcia' from catalog.product where sku = '2'");
    }
}

/// To a subscriber it looks like a quiet day: enabled, no error counted.
#[test]
fn a_slot_that_is_gone_is_seen_on_both_sides() {
    let chain = Chain::joined(1).unwrap();
    let state = |direction: &str, states: &str| {
        format!(
            "select coalesce(bool_and(state in ({states}) and advice <> 'nothing to do'), false) from sync.status where direction = '{direction}'"
        )
    };
    chain.nodes().for_each(until_compared);
    let running = "select string_agg(concat_ws(' ', direction, state), ', ' order by direction) = 'receives running, sends running' from sync.status";
    until_at(&chain.central, running);
    let drop = "do $$ begin \
        perform pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = 'tpv_to_s01' and active_pid is not null; \
        perform pg_drop_replication_slot('tpv_to_s01'); end $$";
    // The worker comes back at once, and may be quicker.
    until_true("the slot is dropped", SOON, || chain.central.connect().unwrap().batch_execute(drop).is_ok()).unwrap();
    until_at(&chain.central, &state("sends", "'no slot', 'slot lost'"));
    until_at(&chain.stores[0], &state("receives", "'not running'"));
}
