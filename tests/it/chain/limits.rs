//! Rows that no node makes, from a store whose superuser is hostile: too large, too deep, with what
//! cannot be read, from the future, and very many. They harm nobody else.

use std::fs;

use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;
use tpv_lab::wait::until_true;

use crate::support::{
    ANA, CUSTOMERS, HEADS, SOON, all_say, ana_is, ask, journals_have_no_gap, run, until_at, update_ana, with_ana,
};

/// What a superuser of S02 can do: write into the wire tables what they like.
const EVIL: &[&str] = &[
    "alter table wire.doc disable trigger _100_receive",
    "alter table wire.op disable trigger _100_receive",
    "alter table wire.op alter base drop not null",
    "create schema evil",
    "create function evil.op(of_table text, key text, patch text, base text default '{}', ahead_ms bigint default 0) \
       returns void language plpgsql as $$ declare s bigint; begin \
         insert into sync.op_counter as c values (2, 1) on conflict (node_id) do update set last_seq = c.last_seq + 1 \
           returning last_seq into s; \
         insert into wire.op values (2, s, tpv.hlc_now() + (ahead_ms << 16), of_table, key, patch, base); end $$",
    "create function evil.doc(on_day date, chain text) returns void language sql as $$ \
       insert into wire.doc values (2, gen_random_uuid(), on_day, 'day_close', null, tpv.hlc_now(), 1, chain, 1, '', '{}', '') $$",
    "create function evil.beat(number bigint, ops text, low_water timestamptz default now()) returns void language sql as $$ \
       insert into wire.beat values (2, number, tpv.hlc_now(), low_water, ops, '{}', 'x', '{}') $$",
    "create function evil.send(kind text, body text) returns void language sql as $$ \
       insert into wire.resend (node_id, to_node, hlc, kind, body) values (2, 100, tpv.hlc_now(), kind, body) $$",
    // It cannot be compressed.
    "create function evil.noise(octets integer) returns text language sql as $$ \
       select left(string_agg(sha256(n::text::bytea)::text, ''), octets) from generate_series(1, octets / 64 + 1) n $$",
];

/// Each of them once stopped the stream, or took gigabytes, or stayed for ever.
const ROWS: &[&str] = &[
    "select evil.op('party.customer', gen_random_uuid()::text, '{\"@exists\":true,\"name\":\"x\",\"tags\":[' || repeat('1,', 10000000) || '1]}')",
    "select evil.op('party.customer', repeat('k', 13000), '{\"@exists\":true,\"name\":\"x\"}')",
    "select evil.op(repeat('t', 13000), gen_random_uuid()::text, '{\"@exists\":true,\"name\":\"x\"}')",
    "select evil.op('party.customer', gen_random_uuid()::text, '{\"@exists\":true,\"name\":\"x\"}', null)",
    "select evil.op('party.customer', gen_random_uuid()::text, '{\"@exists\":true,\"name\":\"x\"}', \
       '{\"name\":[' || string_agg(format('[3,%s]', n), ',') || ']}') from generate_series(1, 20000) n",
    "select evil.op('party.customer', gen_random_uuid()::text, json_build_object('@exists', true, 'name', 'x', 'email', evil.noise(13000))::text)",
    "select evil.op('party.customer', gen_random_uuid()::text, '{')",
    "select evil.op('party.customer', gen_random_uuid()::text, repeat('[', 200000))",
    "select evil.doc(current_date, repeat('c', 13000)), evil.doc('infinity', ''), evil.doc('20000-01-01', '')",
    NO_TEXT,
    "select evil.beat(9000000000000000000, '{\"3\": 9000000000000000000, \"4\": 9000000000000000000}')",
    "select evil.beat(9223372036854775807, '{}'), evil.beat(9223372036854775805, '{}', 'infinity')",
    "select evil.beat(9223372036854775806, '[1')",
    "select evil.send('operations', repeat('[', 200000)), evil.send('request', '{\"wants\":[' || repeat('1,', 1000000) || '1]}')",
    "select evil.send('documents', '\"' || repeat('x', 40000000) || '\"')",
];

/// Texts that are no UTF-8. Without its function for sending, a type crosses in the form that nobody
/// checks; from central it would go on in the form that stores check before any trigger runs.
const NO_TEXT: &str = "create cast (bytea as text) without function; \
    update pg_type set typsend = 0 where typname = 'text'; \
    select evil.op('party.customer', gen_random_uuid()::text, '{\"@exists\":true,\"name\":\"' || ('\\xff'::bytea)::text || '\"}'), \
      evil.op('party.' || ('\\xc3'::bytea)::text, gen_random_uuid()::text, '{\"@exists\":true}'), \
      evil.doc(current_date, ('\\xff'::bytea)::text); \
    update pg_type set typsend = 'textsend'::regproc where typname = 'text'; drop cast (bytea as text)";

fn a_customer_arrives(chain: &Chain, name: &str) {
    run(&chain.stores[1], &[&format!("insert into party.customer (name) values ('{name}')")]);
    let came = format!("select exists (select from party.customer where name = '{name}')");
    [&chain.central, &chain.stores[0]].iter().for_each(|node| until_at(node, &came));
}

#[test]
fn what_no_node_may_send_harms_nobody_else() {
    let chain = Chain::joined(2).unwrap();
    let worker = "select string_agg(pid::text, ',' order by subname) from pg_stat_subscription";
    let workers = [&chain.central, &chain.stores[0]].map(|node| ask(node, worker));
    run(&chain.stores[1], EVIL);
    a_customer_arrives(&chain, "before");
    for row in ROWS {
        run(&chain.stores[1], &[row]);
    }
    a_customer_arrives(&chain, "after");
    assert_eq!([&chain.central, &chain.stores[0]].map(|node| ask(node, worker)), workers, "no worker was started anew");

    let codes = "select string_agg(code || ' ' || n, ', ' order by code) from ( \
        select code, count(*) as n from sync.quarantine where resolved_at is null group by code) q";
    until_true("the last of them is on record", SOON, || ask(&chain.central, codes).contains("ROW_TOO_LARGE 8"))
        .unwrap_or_else(|late| panic!("{late}: {}", ask(&chain.central, codes)));
    assert_eq!(ask(&chain.central, codes), "54000 1, BAD_BEAT 1, OPERATION_JSON 2, ROW_TOO_LARGE 8, ROW_UNREADABLE 6");
    // What central refused does not reach the others, and is missed by nobody.
    assert_eq!(ask(&chain.stores[0], codes), "54000 1, OPERATION_JSON 2");
    let held = "select (max(k.seq) = max(o.seq))::text || (select count(*) from sync.awaited)::text \
        from wire.op o join sync.contiguous() k using (node_id) where node_id = 2";
    assert_eq!([&chain.central, &chain.stores[0]].map(|node| ask(node, held)), ["true0", "true0"]);
    let large = "select bool_and(length(refused::text) < 500 and refused ? 'sha256')::text from sync.quarantine where code = 'ROW_TOO_LARGE'";
    assert_eq!(ask(&chain.central, large), "true");
    // No view fails on it.
    for view in ["sync.status", "journal.quarantine", "sync.chain_state()", "sync.duplicate"] {
        ask(&chain.central, &format!("select count(v)::text from {view} v"));
    }
    // A heartbeat later the workers have given their memory back.
    for (node, pids) in [&chain.central, &chain.stores[0]].iter().zip(&workers) {
        for pid in pids.split(',') {
            until_true("memory is given back", SOON, || anonymous_kb(pid) < 150_000).unwrap_or_else(|late| {
                panic!("{late}: {} kB at {}", anonymous_kb(pid), ask(node, "select current_setting('port')"))
            });
        }
    }
    very_many_are_counted(&chain);
    // And others join and rejoin: what cannot be read is no part of the snapshot.
    run(&chain.central, &["select sync.send_snapshot(1)"]);
    until_at(&chain.stores[0], "select count(*) = 2 from sync.snapshot where completed_at is not null");
    assert_eq!(ask(&chain.stores[0], codes), "54000 1, OPERATION_JSON 2");
    let newcomer = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    store::register(&mut newcomer.connect().unwrap(), STORES[2]).unwrap();
    Plan::Join.run(STORES[2], &newcomer, &chain.central).unwrap();
    until_at(&newcomer, "select count(*) = 1 from sync.snapshot where completed_at is not null");
    a_customer_arrives(&chain, "last");
    until_at(&newcomer, "select exists (select from party.customer where name = 'last')");
    assert_eq!(ask(&newcomer, codes), "54000 1, OPERATION_JSON 2");
    assert_eq!(ask(&newcomer, CUSTOMERS), ask(&chain.central, CUSTOMERS));
}

/// A row with columns that nobody has, and with values that name no other, grew without bound. What
/// central does not take of it no other store has to decide about, and they end alike.
#[test]
fn a_row_holds_no_more_of_a_store_than_central_takes() {
    let chain = with_ana();
    let (central, other, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    run(hostile, EVIL);
    let values = format!(
        "select evil.op('party.customer', '{ANA}', json_build_object('phone', n::text)::text) from generate_series(1, 70) n"
    );
    let columns = format!(
        "select evil.op('party.customer', '{ANA}', json_object_agg('c' || n, n)::text) from generate_series(1, 5001) n"
    );
    run(hostile, &[&values, &columns]);
    a_customer_arrives(&chain, "after");
    let codes = "select string_agg(code || ' ' || n, ', ' order by code) from ( \
        select code, count(*) as n from sync.quarantine where resolved_at is null group by code) q";
    assert_eq!([central, other].map(|node| ask(node, codes)), ["ENTITY_TOO_LARGE 7", ""]);
    assert_eq!(ask(central, HEADS), ask(other, HEADS));
    // Sent again they are repeats, and others write the row as before.
    run(
        hostile,
        &["select evil.send('operations', json_build_object('operations', json_agg(json_build_array( \
            node_id, seq, hlc, table_name, key, patch, base) order by seq))::text) from wire.op where node_id = 2"],
    );
    run(other, &[&update_ana("phone = 'of S01'")]);
    until_at(central, &ana_is("phone = 'of S01'"));
    a_customer_arrives(&chain, "last");
    assert_eq!(ask(central, codes), "ENTITY_TOO_LARGE 7");
    let phones = format!("select jsonb_array_length(heads::jsonb -> 'phone')::text from sync.head where key = '{ANA}'");
    assert_eq!(ask(other, &phones), "1");
    assert_eq!(ask(central, HEADS), ask(other, HEADS));
}

/// An erasure is for ever, and a store may write one of each customer.
#[test]
fn what_a_store_erases_beyond_its_share_of_a_day_waits_for_a_person() {
    let chain = with_ana();
    let (central, other, store) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    run(central, &["insert into sync.refusal (node_id, day, refused, erased) values (2, current_date, 0, 999)"]);
    a_customer_arrives(&chain, "Bob");
    let erase =
        |name: &str| format!("select party.erase(customer_id, 'a test') from party.customer where name = '{name}'");
    run(store, &[&erase("Bob"), &erase("Ana")]);
    a_customer_arrives(&chain, "after");
    let erased = "select count(*)::text from sync.head h where sync.is_erased(h.table_name, h.key)";
    assert_eq!([central, other, store].map(|node| ask(node, erased)), ["1", "1", "2"]);
    let waits = "select string_agg(code || ' ' || key, ', ') from sync.quarantine where resolved_at is null";
    assert_eq!([central, other].map(|node| ask(node, waits)), [format!("ERASURE_LIMIT {ANA}"), String::new()]);
    journals_have_no_gap(&chain);
    // A person releases it: central erases the row, at all nodes.
    run(
        central,
        &["set role tpv_operator; select sync.replay(quarantine_id) from journal.quarantine where resolved_at is null"],
    );
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, erased), "2");
    assert_eq!(ask(central, waits), "");
    all_say(&chain, CUSTOMERS);
}

/// Each heartbeat may name other hash chains, and other versions may be named by each operation.
#[test]
fn a_store_fills_no_table_with_what_it_names() {
    let chain = Chain::joined(2).unwrap();
    let (central, hostile) = (&chain.central, &chain.stores[1]);
    run(hostile, EVIL);
    run(hostile, &["alter system set pg_tpv.beat_interval = 0", "select pg_reload_conf()"]);
    a_customer_arrives(&chain, "before");
    let names = |prefix: &str| {
        format!(
            "insert into wire.beat select 2, coalesce(max(beat), 0) + 1000, tpv.hlc_now(), now(), '{{}}', \
               (select json_object_agg('{prefix}' || n, json_build_array(1, repeat('ab', 32), 1))::text from generate_series(1, 15000) n), \
               'x', '{{}}' from wire.beat where node_id = 2"
        )
    };
    run(hostile, &[&names("a"), &names("b"), &names("c"), &names("a")]);
    a_customer_arrives(&chain, "after");
    let known = "select (count(*) between 15000 and 20000)::text from sync.peer_chain where node_id = 2";
    assert_eq!(ask(central, known), "true");
    let codes = "select string_agg(code, ', ') from sync.quarantine where resolved_at is null";
    assert_eq!(ask(central, codes), "BAD_BEAT");
    // Some of them are followed at a time, and none is taken for found.
    run(central, &["update cron.job set active = false"]);
    for _ in 0..2 {
        assert_ne!(ask(central, "select sync.reconcile()::text"), "0");
    }
    let open = "select (count(*) between 5000 and 15100 and count(*) = count(*) filter (where resolved_at is null))::text \
        from sync.drift where node_id = 2 and what = 'hash_chain' and subject ~ '^[abc][0-9]'";
    assert_eq!(ask(central, open), "true");

    // It may name what it has written itself before, although that has not come.
    let last: i64 = ask(hostile, "select last_seq::text from sync.op_counter where node_id = 2").parse().unwrap();
    run(hostile, &["update sync.op_counter set last_seq = last_seq + 3 where node_id = 2"]);
    run(
        central,
        &["insert into sync.awaited (node_id, seq, by_node) select 2, 2000000 + n, 2 from generate_series(1, 99999) n"],
    );
    let naming = |name: &str, seqs: &str| {
        format!(
            "select evil.op('party.customer', gen_random_uuid()::text, '{{\"@exists\":true,\"name\":\"{name}\"}}', '{{\"name\":{seqs}}}')"
        )
    };
    run(
        hostile,
        &[
            &naming("one", &format!("[[2,{}]]", last + 1)),
            &naming("two", &format!("[[2,{}],[2,{}]]", last + 2, last + 3)),
            &naming("none", "[]"),
        ],
    );
    a_customer_arrives(&chain, "last");
    let taken = "select string_agg(name, ' ' order by name) from party.customer where name in ('none', 'one', 'two')";
    assert_eq!(ask(central, taken), "none one");
    assert_eq!(ask(central, "select dropped::text from sync.refusal where node_id = 2"), "1");
    // There is room again.
    run(central, &["delete from sync.awaited where seq between 2000000 and 2001000"]);
    let comes = "select exists (select from party.customer where name = 'two')";
    // What is beyond a gap is asked for when the gap is filled.
    let fill = format!(
        "insert into wire.op (node_id, seq, hlc, table_name, key, patch, base) \
         select 2, {last} + n, tpv.hlc_now(), 'party.customer', gen_random_uuid()::text, '{{\"@exists\":true,\"name\":\"gap\"}}', '{{}}' \
           from generate_series(1, 3) n"
    );
    run(hostile, &[&fill]);
    run(hostile, &["alter system reset pg_tpv.beat_interval", "select pg_reload_conf()"]);
    until_true("it comes by comparing", SOON * 2, || {
        run(central, &["select sync.reconcile()"]);
        central.connect().unwrap().query_one(comes, &[]).unwrap().get(0)
    })
    .unwrap();
}

/// What is beyond a gap is counted again and again, and named in every snapshot.
#[test]
fn what_is_far_beyond_a_gap_is_taken_when_the_gap_is_filled() {
    let chain = Chain::joined(2).unwrap();
    let (central, other, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    run(hostile, EVIL);
    a_customer_arrives(&chain, "before");
    let last = ask(hostile, "select last_seq::text from sync.op_counter");
    run(
        hostile,
        &[
            "update sync.op_counter set last_seq = last_seq + 10001",
            "insert into party.customer (name) values ('far')",
            &format!(
                "insert into wire.op values (2, {last} + 10000, tpv.hlc_now(), 'party.customer', gen_random_uuid(), \
              '{{\"@exists\":true,\"name\":\"near\"}}', '{{}}')"
            ),
        ],
    );
    let name = |name: &str| format!("select exists (select from party.customer where name = '{name}')");
    until_at(other, &name("near"));
    until_at(central, "select dropped = 1 and refused = 0 from sync.refusal where node_id = 2");
    assert_eq!(ask(central, "select count(*)::text from sync.quarantine"), "0");
    assert_eq!(ask(central, "select count(*)::text from party.customer where name = 'far'"), "0");
    run(
        hostile,
        &[&format!(
            "insert into wire.op select 2, n, tpv.hlc_now(), 'party.customer', gen_random_uuid(), '{{\"@blank\":true}}', '{{}}' \
              from generate_series({last} + 1, {last} + 10001) n where n <> {last} + 10000"
        )],
    );
    until_true("it comes by comparing", SOON * 2, || {
        run(central, &["select sync.reconcile()"]);
        central.connect().unwrap().query_one(&name("far"), &[]).unwrap().get(0)
    })
    .unwrap();
    until_at(other, &name("far"));
    journals_have_no_gap(&chain);
    // A gap that somebody lets be is none.
    run(
        central,
        &["insert into sync.accepted_drift (node_id, what, subject, from_seq, to_seq, why) \
            select 2, 'operations', '2', max(seq) + 1, max(seq) + 20000, 'a test' from wire.op where node_id = 2"],
    );
    run(hostile, &["update sync.op_counter set last_seq = last_seq + 20000"]);
    a_customer_arrives(&chain, "beyond");
    // What cannot be read is named by each snapshot.
    run(hostile, &["select evil.op('party.customer', gen_random_uuid()::text, '{') from generate_series(1, 1002)"]);
    a_customer_arrives(&chain, "last");
    let unread = "select count(*)::text from sync.quarantine where code = 'OPERATION_JSON'";
    assert_eq!([central, other].map(|node| ask(node, unread)), ["1000", "1000"]);
}

/// A store that sends refused rows by the hundred fills neither quarantine nor audit.
fn very_many_are_counted(chain: &Chain) {
    let kept = |node| ask(node, "select count(*)::text from sync.quarantine where refused is not null");
    run(
        &chain.stores[1],
        &[
            "select evil.op('party.customer', gen_random_uuid()::text, '{\"@exists\":true}', null) from generate_series(1, 300)",
        ],
    );
    until_at(&chain.central, "select refused > 300 from sync.refusal where node_id = 2");
    assert_eq!(kept(&chain.central), "201");
    assert_eq!(ask(&chain.central, "select count(*)::text from sec.audit where event = 'MORE_REFUSED'"), "1");
    run(&chain.central, &["delete from sync.refusal"]);
}

/// What a process has for itself, without what it shares.
fn anonymous_kb(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
