//! Rows that no node makes, from a store whose superuser is hostile: too large, too deep, with what
//! cannot be read, from the future, and very many. They harm nobody else.

use std::fs;

use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;
use tpv_lab::wait::until_true;

use crate::support::{CUSTOMERS, SOON, ask, run, until_at};

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
    "select evil.beat(9000000000000000000, '{\"3\": 9000000000000000000, \"4\": 9000000000000000000}')",
    "select evil.beat(9223372036854775807, '{}'), evil.beat(9223372036854775805, '{}', 'infinity')",
    "select evil.beat(9223372036854775806, '[1')",
    "select evil.send('operations', repeat('[', 200000)), evil.send('request', '{\"wants\":[' || repeat('1,', 1000000) || '1]}')",
    "select evil.send('documents', '\"' || repeat('x', 40000000) || '\"')",
];

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
    assert_eq!(ask(&chain.central, codes), "54000 1, BAD_BEAT 1, OPERATION_JSON 2, ROW_TOO_LARGE 8, ROW_UNREADABLE 3");
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
