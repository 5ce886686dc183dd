//! People: operators, analysts, and everybody else.

use super::attempts::{
    OF_A_SUPERUSER, OF_THE_OWNER, attempt, kept_out, may, may_not, person, relations, with_something_to_steal, writes,
};
use crate::support::{refused, run, until_at, with_ana};

#[test]
fn an_operator_decides_about_conflicts_and_receipts_and_not_in_place_of_central() {
    let chain = with_something_to_steal();
    let (central, store) = (&chain.central, &chain.stores[0]);
    for node in [central, store] {
        let mut operator = person(node, "tpv_operator");
        let relations = relations(node);
        assert_eq!(writes(&mut operator, &relations), ["party.customer"]);
        may_not(&mut operator, OF_A_SUPERUSER);
        may_not(&mut operator, OF_THE_OWNER);
        may_not(
            &mut operator,
            &[
                "update catalog.product set description = 'x'",
                "update catalog.price set price = 0",
                "update sync.policy set rule = '\"first_write\"'",
                "update sync.peer set subscription_name = 'x'",
                "delete from party.customer",
                "update sales.receipt set total = 0",
                "insert into wire.beat select * from wire.beat limit 1",
                "select tpv.resolve_conflict('party.customer', 'x', 'name', 1, 1)",
                "select tpv.replay(1)",
            ],
        );
        assert_eq!(attempt(&mut operator, "update party.customer set name = 'Ana R'"), "ok");
        assert_eq!(attempt(&mut operator, "insert into party.customer (name) values ('Eva')"), "ok");
        assert_eq!(attempt(&mut operator, "select sync.replay_waiting()"), "ok");
    }
    // In a store that has joined not even with what operators have, and not even the owner.
    let mut operator = store.connect_as("a_person_tpv_operator", "tpv").unwrap();
    let head = "select format('select sync.resolve_conflict(%L, %L, %L, %s, %s)', 'catalog.product', key, 'description', \
                 (heads::json -> 'description' -> 0 ->> 0), (heads::json -> 'description' -> 0 ->> 1)) \
                from sync.head where table_name = 'catalog.product'";
    let restore: String = store.connect().unwrap().query_one(head, &[]).unwrap().get(0);
    may_not(
        &mut operator,
        &[&restore, "select dat.save_profile('{\"fields\": [{\"name\": \"barcode\", \"length\": 13}]}')"],
    );
    for write in [
        "update catalog.product set description = 'x'",
        "update org.terminal set active = false",
        "delete from catalog.product",
    ] {
        assert_eq!(refused(store, &format!("set role tpv_owner; {write}")), "42501", "{write}");
    }
    // At central the same is a question of whether there is anything to decide.
    let mut decides = central.connect_as("a_person_tpv_operator", "tpv").unwrap();
    assert_eq!(
        attempt(&mut decides, &restore),
        "22023 it is the only value: there is no conflict about that column any more"
    );
}

#[test]
fn an_analyst_sees_no_customer_not_even_in_the_journal_or_in_what_was_refused() {
    let chain = with_ana();
    for node in chain.nodes() {
        let mut analyst = person(node, "tpv_analyst");
        let relations = relations(node);
        assert_eq!(writes(&mut analyst, &relations), [""; 0]);
        may_not(&mut analyst, OF_A_SUPERUSER);
        may_not(&mut analyst, OF_THE_OWNER);
        may_not(
            &mut analyst,
            &[
                "select * from party.customer",
                "select count(*) from party.customer",
                "select patch from wire.op",
                "select key from wire.op",
                "select * from wire.op",
                "select body from wire.doc",
                "select body from sales.receipt_event",
                "select * from journal.operation",
                "select * from sync.head",
                "select value from sync.sibling",
                "select refused from sync.quarantine",
                "select detail from sync.quarantine",
                "select * from sec.audit",
                "select * from sales.raw",
                "select sync.replay_waiting()",
            ],
        );
        // What they are there for, they may.
        for query in [
            "select node_id, count(*) from wire.op group by 1",
            "select code, count(*) from sync.quarantine where resolved_at is null group by 1",
            "select * from sync.status",
            "select chain, max(chain_seq) from wire.doc group by 1",
            "select * from sales.receipt",
            "select * from sales.line_tax",
            "select * from catalog.price",
        ] {
            assert_eq!(attempt(&mut analyst, query), "ok", "{query}");
        }
    }
}

#[test]
fn everybody_else_may_not_even_connect_and_finds_nothing_if_somebody_lets_them() {
    let chain = with_something_to_steal();
    let node = &chain.stores[0];
    run(node, &["create role stranger login"]);
    kept_out(node, "stranger", "tpv", "permission denied for database");
    run(node, &["grant connect on database tpv to stranger"]);
    let ours: Vec<String> = relations(node).into_iter().filter(|relation| !relation.starts_with("cron.")).collect();
    let mut stranger = node.connect_as("stranger", "tpv").unwrap();
    assert_eq!(may(&mut stranger, &ours, |relation| format!("select * from {relation}")), [""; 0]);
    assert_eq!(writes(&mut stranger, &ours), [""; 0]);
    may_not(&mut stranger, OF_A_SUPERUSER);
    may_not(&mut stranger, OF_THE_OWNER);
    // Also where somebody gives it the schemas: no function of ours is everybody's.
    let open = "select format('grant usage on schema %I to stranger', nspname) from pg_namespace \
                where nspname in ('tpv', 'sync', 'wire', 'sales', 'org', 'dat', 'catalog', 'party', 'sec', 'journal', 'tpv_lock', 'tpv_migration')";
    let grants: Vec<String> = node.connect().unwrap().query(open, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(grants.len(), 12);
    run(node, &grants.iter().map(String::as_str).collect::<Vec<_>>());
    let calls = "select coalesce(string_agg(p.oid::regprocedure::text, ', '), '') from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
                 where n.nspname not in ('pg_catalog', 'information_schema', 'cron', 'public') and has_function_privilege(p.oid, 'execute')";
    assert_eq!(stranger.query_one(calls, &[]).unwrap().get::<_, String>(0), "");
    assert_eq!(may(&mut stranger, &ours, |relation| format!("select * from {relation}")), [""; 0]);
}

/// Anybody's advisory locks would fill the lock table for all, and what is named is locked by a
/// PREPARE without any right on it.
#[test]
fn an_analyst_who_locks_what_it_can_stops_no_node() {
    let chain = with_ana();
    let mut analyst = person(&chain.central, "tpv_analyst");
    for table in ["merge", "reconcile", "snapshot"] {
        let read = format!("prepare p as select from tpv_lock.{table}");
        assert_eq!(attempt(&mut analyst, &read), "42501 permission denied for schema tpv_lock");
    }
    for lock in ["pg_advisory_lock(1)", "pg_try_advisory_xact_lock_shared(7631990, 2)"] {
        let denied = attempt(&mut analyst, &format!("select {lock}"));
        assert!(denied.starts_with("42501 permission denied for function pg_"), "{denied}");
    }
    // What somebody has written and forgotten holds up the low-water mark, but not for ever.
    let forgotten = "select current_setting('idle_in_transaction_session_timeout')";
    assert_eq!(analyst.query_one(forgotten, &[]).unwrap().get::<_, String>(0), "10min");
    // Nor does one who may, as a superuser may.
    let mut dba = chain.central.connect().unwrap();
    dba.batch_execute(
        "begin; select pg_advisory_lock(7631990, 1), pg_advisory_lock(7631990, 2), \
               pg_advisory_lock(hashtextextended('sync.reconcile', 0)), \
               pg_advisory_lock(hashtextextended('sync.send_snapshot', 0))",
    )
    .unwrap();
    run(&chain.stores[0], &["update party.customer set phone = 'of S01'"]);
    until_at(&chain.central, "select exists (select from party.customer where phone = 'of S01')");
    run(
        &chain.central,
        &[
            "set lock_timeout = '5s'; select sync.send_snapshot(1)",
            "insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'phone', '\"first_write\"')",
            "do $$ begin assert sync.reconcile() is not null; end $$",
        ],
    );
}
