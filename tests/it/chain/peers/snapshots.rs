//! A snapshot of a store, which central believes only when somebody asked for it, and what a
//! heartbeat says.

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::wait::until_true;

use super::turn_hostile;
use crate::support::{SOON, ana_is, ask, refused, run, until_at, until_verified, update_ana, with_ana};

const BIG: &str = "9000000000000000000";

/// Parts that a store sends without being asked: a price of central's, a vector of others, of
/// central, of itself, and a part that no end follows.
fn unasked(name: &str) -> String {
    let id = |n: i32| format!("00000000-0000-7000-8000-00000000000{n}");
    let head = r#"{"@exists": [[100, 2000000, 1, true]], "description": [[100, 2000000, 1, "forged"]], "sku": [[100, 2000000, 1, "F"]]}"#;
    let row = format!(r#"["catalog.product", "00000000-0000-7000-8000-0000000000f1", {head}]"#);
    let end = |n, vector: &str| {
        format!(
            r#"select evil.send('{name}_end', '{{"snapshot": "{}", "vector": {vector}, "parts": 0, "digest": "0"}}');"#,
            id(n)
        )
    };
    let part = format!(
        r#"select evil.send('{name}', '{{"snapshot": "{}", "vector": {{"100": 2000000}}, "rows": [{row}]}}');"#,
        id(1)
    );
    let others = format!(r#"{{"1": {BIG}, "3": {BIG}}}"#);
    let own = r#"{"100": 9223372036854775807}"#;
    format!("{part} {} {}", end(2, &others), end(3, own))
}

fn horizon(at: &Cluster) -> String {
    ask(at, "select (max(seq) < 1000000)::text from sync.horizon")
}

/// One store could set every value at central, silence the other stores for ever, and end all
/// writing at central.
#[test]
fn a_snapshot_that_nobody_asked_for_is_refused_and_so_are_lies_in_one_that_was() {
    let chain = with_ana();
    until_verified(&chain);
    let (central, other, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    turn_hostile(hostile);
    run(hostile, &[&unasked("snapshot"), &update_ana("phone = 'after it'")]);
    until_at(central, &ana_is("phone = 'after it'"));
    let kept =
        "select string_agg(kind || ' ' || code, ', ' order by kind) from sync.quarantine where resolved_at is null";
    assert_eq!(ask(central, kept), "resend snapshot FORGED_SENDER, resend snapshot_end FORGED_SENDER");
    assert_eq!(ask(central, "select count(*)::text from sec.audit where event = 'FORGED_SENDER'"), "2");
    assert_eq!(ask(central, "select count(*)::text from sync.snapshot"), "0");
    untouched(&chain);

    // A store that is alone with its word makes central ask for nothing.
    let beat = |ops: &str| {
        format!(
            "insert into wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more) \
            select 2, max(beat) + 1000, tpv.hlc_now(), now(), '{ops}', '[]', '0.2.0', '{{}}' from wire.beat where node_id = 2"
        )
    };
    // Its own heartbeats would say the truth again.
    run(hostile, &["alter system set pg_tpv.beat_interval = 0", "select pg_reload_conf()"]);
    let found = "select count(*) filter (where requested_at is null) || ' of ' || count(*) from sync.drift \
        where node_id = 2 and what = 'restored' and resolved_at is null";
    until_true("it is on record", SOON, || {
        run(hostile, &[&beat(r#"{"100": 99999999}"#)]);
        run(central, &["select sync.reconcile()"]);
        ask(central, found) == "1 of 1"
    })
    .unwrap();
    let asked =
        "select count(*)::text from wire.resend where to_node = 2 and kind = 'request' and body like '%snapshot%'";
    assert_eq!(ask(central, asked), "0");
    let advice = "select advice from sync.status where peer = 'S02' and direction = 'sends'";
    assert!(ask(central, advice).contains("restored_plan"), "{}", ask(central, advice));

    // Somebody believes it. A jump of the counter she has to say herself; and the store may answer
    // only what was asked.
    assert_eq!(refused(central, "select sync.accept_snapshot(2, 'restored')"), "22023");
    assert_eq!(refused(central, "select sync.accept_snapshot(2, '')"), "22023");
    assert_eq!(refused(other, "select sync.accept_snapshot(100, 'x')"), "22023");
    let last = ask(central, "select last_seq::text from sync.op_counter");
    run(central, &["select sync.accept_snapshot(2, 'a test', (select last_seq from sync.op_counter))"]);
    assert_eq!(refused(central, "select sync.accept_snapshot(2, 'twice')"), "55000");
    let asked = ask(central, "select snapshot_id::text from sync.accepted_snapshot");
    let lies = format!(
        r#"select evil.send('snapshot', '{{"snapshot": "{asked}", "vector": {{"1": {BIG}, "2": 1, "100": {BIG}}}, "beyond": [[1, 1, {BIG}]], "rows": [
            ["party.customer", "00000000-0000-7000-8000-0000000000aa", {{"phone": [[1, 999, 999, "third"]], "email": [[100, 2000000, 9, "forged"]]}}],
            ["catalog.product", "00000000-0000-7000-8000-0000000000f1", {{"@exists": [[2, 999, 1, true]], "description": [[2, 999, 1, "its own"]]}}]]}}')"#
    );
    run(hostile, &[&lies]);
    until_at(central, &format!("select exists (select from sync.snapshot where snapshot_id = '{asked}')"));
    assert_eq!(
        ask(central, &format!("select covers from sync.snapshot where snapshot_id = '{asked}'")),
        format!(r#"{{"beyond":[],"vector":{{"100":{last},"2":1}},"without":[]}}"#),
        "of the two alone"
    );
    untouched(&chain);
    assert_eq!(
        ask(central, "select phone from party.customer where customer_id = '00000000-0000-7000-8000-0000000000aa'"),
        "after it"
    );

    // It hangs: no store joins meanwhile. An operator ends it.
    assert_eq!(refused(central, "select sync.send_snapshot(1)"), "55000");
    run(
        central,
        &[
            &format!("set role tpv_operator; select sync.end_snapshot('{asked}', 'it hangs'); reset role"),
            "select sync.send_snapshot(1)",
        ],
    );
    run(hostile, &[&lies.replace("its own", "later"), &update_ana("phone = 'later'")]);
    until_at(central, &ana_is("phone = 'later'"));
    assert_eq!(
        ask(central, "select parts::text from sync.snapshot where ended_at is not null"),
        "1",
        "no more of it is taken"
    );

    // Nobody has to end it: after an hour it is over.
    run(
        central,
        &[
            "select sync.accept_snapshot(2, 'again', 0)",
            "update sync.accepted_snapshot set ends_at = now() where ended_at is null",
            "select sync.reconcile()",
        ],
    );
    assert_eq!(
        ask(central, "select ended_why from sync.accepted_snapshot order by at desc limit 1"),
        "its time was over"
    );
    // What the others and central write goes on.
    run(other, &[&update_ana("email = 'other'")]);
    run(central, &["insert into catalog.product (sku, description) values ('new', 'new')"]);
    until_at(central, &ana_is("email = 'other'"));
    until_at(other, "select exists (select from catalog.product where sku = 'new')");
}

#[track_caller]
fn untouched(chain: &Chain) {
    assert_eq!(horizon(&chain.central), "true");
    for node in chain.nodes() {
        assert_eq!(
            ask(node, "select count(*)::text from catalog.product where description in ('forged', 'its own')"),
            "0"
        );
    }
    assert_eq!(ask(&chain.central, "select (max(last_seq) < 1000000)::text from sync.op_counter"), "true");
}
