//! Whose word counts about which row.

use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;

use super::turn_hostile;
use crate::support::{
    HEADS, all_say, ana_is, ask, journals_have_no_gap, run, until_at, until_verified, update_ana, with_ana,
};

/// What a superuser of store 2 writes: rows of central's and of others, and its own after it joined.
const WRITTEN: [&str; 9] = [
    r#"select evil.op('catalog.price', gen_random_uuid()::text, json_build_object('@exists', true, 'product_id', gen_random_uuid(), 'node_id', null, 'price', 0.01, 'valid_from', now(), 'valid_to', null)::text)"#,
    r#"select evil.op('org.terminal', gen_random_uuid()::text, '{"@exists":true,"node_id":1,"code":"T99","department_code":"01","declares":{},"active":true}')"#,
    r#"select evil.op('org.terminal', gen_random_uuid()::text, '{"@exists":true,"node_id":2,"code":"T99","department_code":"01","declares":{},"active":true}')"#,
    r#"select evil.op('sync.policy', gen_random_uuid()::text, '{"@exists":true,"table_name":"party.customer","column_name":"email","rule":"first_write"}')"#,
    r#"select evil.op('dat.profile', gen_random_uuid()::text, json_build_object('@exists', true, 'node_id', 1, 'department_code', '01', 'version', 2000000000, 'profile', '{"x":1}'::json, 'saved_at', now(), 'saved_by', 'central')::text)"#,
    r#"select evil.op('party.employee', gen_random_uuid()::text, '{"@exists":true,"code":"evil","name":"Evil"}')"#,
    r#"select evil.op('sec.role_grant', gen_random_uuid()::text, '{"@exists":true,"role":"admin"}')"#,
    "select evil.op('catalog.product', gen_random_uuid()::text, '{')",
    r#"select evil.op('org.store', (select store_id::text from org.store where node_id = 1), '{"@exists":false}')"#,
];

const REFUSED: &str = "select count(*) || ' ' || count(*) filter (where refused is null) from sync.quarantine \
    where code = 'NOT_ENTITLED' and resolved_at is null";
const LIED: &str = "select (exists (select from catalog.price where price = 0.01) or exists (select from org.terminal where code = 'T99') \
    or exists (select from sync.policy where column_name = 'email') or exists (select from dat.profile where version = 2000000000) \
    or exists (select from party.employee where code = 'evil') or exists (select from org.store where deleted))::text";

/// One store could set every price, stop another's department, and change what a conflict means.
#[test]
fn what_central_decides_is_not_believed_of_a_store_and_not_passed_on() {
    let chain = with_ana();
    until_verified(&chain);
    let (central, other, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    turn_hostile(hostile);
    run(hostile, &WRITTEN);
    run(hostile, &[&update_ana("phone = 'after it'")]);
    until_at(other, &ana_is("phone = 'after it'"));
    assert_eq!(ask(central, REFUSED), "9 0");
    assert_eq!(
        ask(central, "select count(*)::text from sec.audit where event = 'NOT_ENTITLED' and subject like 'node 2, %'"),
        "9"
    );
    let advice = "select advice from sync.status where peer = 'S02' and direction = 'receives'";
    assert!(ask(central, advice).contains("what central decides"), "{}", ask(central, advice));
    for node in [central, other] {
        assert_eq!(ask(node, LIED), "false");
        let passed = "select count(*)::text from wire.op where node_id = 2 and (patch like '%0.01%' or patch like '%T99%' or patch like '%evil%')";
        assert_eq!(ask(node, passed), "0", "no value of it is passed on");
    }
    assert_eq!(ask(other, "select count(*)::text from sync.quarantine"), "0");
    // Its numbers go on without a gap, so that nothing is requested for ever.
    until_verified(&chain);
    journals_have_no_gap(&chain);
    // Sent again, it is a repeat.
    run(
        hostile,
        &[
            "select sync.send(100, 'operations', json_build_object('operations', json_agg(json_build_array( \
        node_id, seq, hlc, table_name, key, patch, base) order by seq))::text) from wire.op where node_id = 2",
            &update_ana("phone = 'again'"),
        ],
    );
    until_at(central, &ana_is("phone = 'again'"));
    assert_eq!(ask(central, REFUSED), "9 0");
    assert_eq!(ask(central, "select count(*)::text from sync.quarantine where code <> 'NOT_ENTITLED'"), "0");

    // A store looks for itself, should central pass such a row on.
    let price = r#"json_build_array(json_build_array(2, 99999, 1, 'catalog.price', gen_random_uuid(), '{"@exists":true,"price":0.01}', '{}'))"#;
    run(central, &[&format!("select sync.send(1, 'operations', json_build_object('operations', {price})::text)")]);
    until_at(other, &format!("select ({REFUSED}) = '1 0'"));
    assert_eq!(ask(other, LIED), "false");
    let advice = "select advice from sync.status where direction = 'receives'";
    assert!(ask(other, advice).contains("what central decides"), "{}", ask(other, advice));
}

const PRODUCTS: &str =
    "select string_agg(sku || ' ' || description, ', ' order by sku) from catalog.product where not deleted";
const ASIDE: &str = "select string_agg(concat_ws(' ', table_name, column_name, value), ', ' order by table_name, column_name collate \"C\") \
    from journal.set_aside where column_name in ('@exists', 'description', 'sku')";

/// Nothing of what it wrote while it was alone is central's, and none of it is lost.
#[test]
fn what_a_store_wrote_of_centrals_while_it_was_alone_is_set_aside_when_it_joins() {
    let mut chain = Chain::joined(1).unwrap();
    run(
        &chain.central,
        &[
            "insert into catalog.product (product_id, sku, description) values ('00000000-0000-7000-8000-000000000001', '1', 'Pan')",
        ],
    );
    let newcomer = alone();
    let its_own = ["set role tpv_owner; insert into catalog.product (product_id, sku, description) values \
        ('00000000-0000-7000-8000-000000000002', '1', 'its own'); \
        insert into party.employee (code, name) values ('own', 'Own')"];
    run(&newcomer, &its_own);
    Plan::Join.run(STORES[1], &newcomer, &chain.central).unwrap();
    chain.stores.push(newcomer);
    chain.converge().unwrap();
    until_verified(&chain);
    all_say(&chain, HEADS);
    for node in chain.nodes() {
        assert_eq!(ask(node, PRODUCTS), "1 Pan");
        let of_store = "select (not exists (select from party.employee where code = 'own' and not deleted) \
            and (select count(*) from org.store) = 2 and (select count(distinct node_id) from org.terminal) = 2)::text";
        assert_eq!(ask(node, of_store), "true", "its terminals are its own");
        assert_eq!(ask(node, "select count(*)::text from sync.quarantine where resolved_at is null"), "0");
        assert_eq!(ask(node, "select string_agg(distinct advice, ', ') from sync.status"), "nothing to do");
    }
    let before = "select string_agg(distinct kind || ' ' || (detail like '%before it joined%'), ', ') from sync.quarantine \
        where code = 'NOT_ENTITLED' and node_id = 2";
    let of_before = "catalog.product true, party.employee true";
    assert_eq!(ask(&chain.central, before), of_before, "on record at central, and no alarm");
    assert_eq!(ask(&chain.central, "select count(*)::text from sec.audit where event = 'NOT_ENTITLED'"), "0");
    assert_eq!(
        ask(&chain.stores[1], ASIDE),
        r#"catalog.product @exists true, catalog.product description "its own", catalog.product sku "1", party.employee @exists true"#
    );
    // What it sends of its own row from now on is not believed.
    let hostile = &chain.stores[1];
    turn_hostile(hostile);
    run(
        hostile,
        &[
            r#"select evil.op('org.store', (select store_id::text from org.store where node_id = 2), '{"name":"later"}')"#,
            "insert into party.customer (name) values ('after it')",
        ],
    );
    until_at(&chain.stores[0], "select exists (select from party.customer where name = 'after it')");
    assert_eq!(ask(&chain.central, REFUSED), "1 0");
    assert_eq!(ask(&chain.central, "select count(*)::text from org.store where name = 'later'"), "0");
}

/// A registered store that has joined no chain.
fn alone() -> Cluster {
    let newcomer = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    store::register(&mut newcomer.connect().unwrap(), STORES[1]).unwrap();
    newcomer
}
