//! A snapshot, and operations that it covers and that arrive beside it: what somebody replaced
//! stays replaced.

use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;

use crate::support::{ANA, HEADS, all_say, ask, run, until_at, until_verified, update_ana};

const COPIED: &str = "select count(*) filter (where completed_at is not null) = 1 from sync.snapshot";

/// Central has lost one of S01's operations, and has what came after it: its snapshot covers that
/// too, and what replaced it is nowhere but in the snapshot.
#[test]
fn a_snapshot_from_a_node_that_misses_an_operation_covers_what_came_after_it() {
    let mut chain = Chain::joined(1).unwrap();
    let ana = format!("insert into party.customer (customer_id, name) values ('{ANA}', 'Ana')");
    run(&chain.central, &[&ana]);
    chain.converge().unwrap();
    let missed = "insert into party.customer (name) values ('missed')";
    run(&chain.stores[0], &[missed, &update_ana("phone = 's01'")]);
    chain.converge().unwrap();
    run(&chain.central, &[&update_ana("phone = 'central'")]);
    chain.converge().unwrap();
    let forget = "begin; set local pg_tpv.maintenance = on; \
        select cron.alter_job(jobid, active := false) from cron.job; \
        with missed as (delete from wire.op where node_id = 1 and patch like '%\"missed\"%' returning seq) \
        update sync.horizon h set seq = m.seq - 1 from missed m where h.node_id = 1 and h.seq >= m.seq; commit";
    run(&chain.central, &[forget]);

    let lab = Lab::open().unwrap();
    let newcomer = Cluster::for_test(&lab).unwrap();
    store::register(&mut newcomer.connect().unwrap(), STORES[1]).unwrap();
    Plan::Join.run(STORES[1], &newcomer, &chain.central).unwrap();
    until_at(&newcomer, COPIED);
    let beyond = "select covers::json -> 'beyond' -> 0 ->> 0 || ' ' || (select count(*) from wire.op where node_id = 1) from sync.snapshot";
    assert_eq!(ask(&newcomer, beyond), "1 1", "one operation of S01 is beyond the gap, and came as such");
    let heads = format!("select heads::json ->> 'phone' from sync.head where key = '{ANA}'");
    assert_eq!(ask(&newcomer, &heads), ask(&chain.central, &heads));

    chain.stores.push(newcomer);
    until_verified(&chain);
    chain.converge().unwrap();
    all_say(&chain, HEADS);
    assert_eq!(
        ask(&chain.central, "select count(*)::text from wire.op where node_id = 1 and patch like '%missed%'"),
        "1"
    );
}

/// What node 77 decided about Bea: her name, a phone, another phone that replaced it.
const STATE: &str = r#"{"@exists": [[77, 1, 1, true]], "name": [[77, 1, 1, "Bea"]], "phone": [[77, 3, 3, "new"]]}"#;
const BEA: &str = "00000000-0000-7000-8000-0000000000bb";

/// A central that was restored gets its state from one store, and at once the other stores'
/// operations from them.
#[test]
fn an_operation_that_arrives_between_its_state_and_the_end_of_the_snapshot_is_late() {
    let chain = Chain::joined(1).unwrap();
    let store = &chain.stores[0];
    let snapshot = "00000000-0000-7000-8000-000000000077";
    let rows = format!(
        "select sync.send(1, 'snapshot', '{{\"snapshot\": \"{snapshot}\", \"vector\": {{\"77\": 2}}, \"beyond\": [[77, 3, 3]], \
         \"rows\": [[\"party.customer\", \"{BEA}\", {STATE}]]}}')"
    );
    let replaced = format!(
        "select sync.send(1, 'operations', json_build_object('operations', \
         json_build_array(json_build_array(77, 2, 2, 'party.customer', '{BEA}', '{{\"phone\":\"old\"}}', '{{}}')))::text)"
    );
    let phone = "select phone || ' ' || (select heads::json ->> 'phone' from sync.head where key = customer_id::text) \
        from party.customer where name = 'Bea'";
    let came = "select exists (select from wire.op where node_id = 77)";
    run(&chain.central, &[&rows, &replaced]);
    until_at(store, came);
    assert_eq!(ask(store, phone), r#"new [[77,3,3,"new"]]"#);

    // The snapshot is complete: from now on the horizon covers the operation, and no row of the
    // snapshot is kept.
    let end = format!(
        "select sync.send(1, 'snapshot_end', json_build_object('snapshot', '{snapshot}', 'vector', '{{\"77\": 3}}'::json, 'parts', 1, \
         'digest', hashtextextended((select body from wire.resend where kind = 'snapshot' and body like '%{snapshot}%'), 0)::text)::text)"
    );
    run(&chain.central, &[&end]);
    until_at(store, &format!("select completed_at is not null from sync.snapshot where snapshot_id = '{snapshot}'"));
    run(&chain.central, &[&replaced, "select sync.send(1, 'nothing', '{}')"]);
    until_at(store, "select exists (select from sync.quarantine where kind = 'resend nothing')");
    assert_eq!(ask(store, phone), r#"new [[77,3,3,"new"]]"#);
    assert_eq!(ask(store, "select count(*)::text from sync.snapshot_row"), "0");
    assert_eq!(ask(store, "select count(*)::text from sync.sibling"), "0");
}

/// It had waited for an upgrade, somebody else had replaced it, and after the upgrade it came back.
#[test]
fn an_operation_that_cannot_be_read_here_is_resolved_by_the_snapshot_that_covers_it() {
    let chain = Chain::joined(1).unwrap();
    let store = &chain.stores[0];
    let unread = format!(
        "select sync.send(1, 'operations', json_build_object('operations', json_build_array(json_build_array(\
         77, 2, 2, 'party.customer', '{BEA}', '{{\"@later\":1,\"phone\":\"old\"}}', '{{}}')))::text)"
    );
    let rows = format!(
        "select sync.send(1, 'snapshot', '{{\"snapshot\": \"00000000-0000-7000-8000-000000000078\", \"vector\": {{\"77\": 3}}, \
         \"rows\": [[\"party.customer\", \"{BEA}\", {STATE}]]}}')"
    );
    run(&chain.central, &[&unread]);
    until_at(store, "select exists (select from sync.quarantine where code like 'OPERATION%' and resolved_at is null)");
    run(&chain.central, &[&rows]);
    until_at(store, "select exists (select from party.customer where phone = 'new')");
    let waits = "select string_agg(code, ', ') from sync.quarantine where resolved_at is null";
    assert_eq!(ask(store, waits), "");
    assert_eq!(ask(store, "select (detail like '%(received inside a snapshot)')::text from sync.quarantine"), "true");
}
