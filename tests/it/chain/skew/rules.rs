//! Policies that some nodes cannot follow yet.

use tpv_lab::chain::Chain;
use tpv_lab::store::Receipts;

use super::newer::{CUSTOMERS, all_are_alike, migrate, replay, waits};
use crate::support::{all_say, ana_is, ask, of_ana, run, sell, until_at, update_ana, with_ana};

#[test]
fn a_rule_that_the_stores_do_not_have_yet_waits_there_and_decides_everywhere_in_the_end() {
    const LONGEST: &[&str] = &[
        "create function party.longest(heads jsonb) returns jsonb language sql immutable set search_path = pg_catalog, pg_temp as $$ \
           select h -> 'value' from jsonb_array_elements(heads) h order by length(h ->> 'value') desc, h ->> 'value' limit 1 $$",
        "grant execute on function party.longest(jsonb) to tpv_apply",
    ];
    let chain = with_ana();
    migrate(&chain.central, LONGEST);
    run(
        &chain.central,
        &[
            "insert into sync.policy (table_name, column_name, rule) values ('party.customer', 'name', '{\"rule\": \"custom\", \"function\": \"party.longest\"}')",
            "update sync.policy set rule = '\"greatest\"' where column_name = 'credit_limit'",
        ],
    );
    for store in &chain.stores {
        until_at(store, "select exists (select from sync.policy where rule = '\"greatest\"')");
        waits(store, "sync.policy", "UNKNOWN_FUNCTION", 1);
    }
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("name = 'Ana Isabel'")]);
    run(&chain.stores[1], &[&update_ana("name = 'Anita', phone = '1'")]);
    until_at(&chain.central, &ana_is("phone = '1'"));
    chain.mend(0).unwrap();
    until_at(&chain.central, &ana_is("name = 'Ana Isabel' and phone = '1'"));
    for store in &chain.stores {
        until_at(store, &ana_is("phone = '1' and name in ('Ana Isabel', 'Anita')"));
        migrate(store, LONGEST);
        replay(store);
    }
    all_are_alike(&chain, &[CUSTOMERS, ("sync.policy", "policy_id")]);
    assert_eq!(all_say(&chain, &of_ana("name")), "Ana Isabel");
}

#[test]
fn a_rule_of_a_newer_version_waits_in_the_stores_and_decides_nothing_alone() {
    let chain = with_ana();
    // A newer central's library reads it; here its check is out of the way for a moment.
    run(
        &chain.central,
        &[
            "alter table sync.policy disable trigger _300_check",
            "insert into sync.policy (policy_id, table_name, column_name, rule) \
             values (sync.policy_key('party.customer', 'name'), 'party.customer', 'name', '\"longest\"')",
            "alter table sync.policy enable trigger _300_check",
            "update sync.policy set rule = '\"greatest\"' where column_name = 'consent'",
        ],
    );
    for store in &chain.stores {
        until_at(store, "select exists (select from sync.policy where rule = '\"greatest\"')");
        waits(store, "sync.policy", "POLICY_RULE", 1);
    }
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("name = 'Ana Isabel'")]);
    run(&chain.stores[1], &[&update_ana("name = 'Anita'")]);
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("name")), "Anita", "the last write, as long as a node cannot do otherwise");
    // Central finds one that all of them know.
    run(&chain.central, &["update sync.policy set rule = '\"first_write\"' where column_name = 'name'"]);
    chain.converge().unwrap();
    for store in &chain.stores {
        until_at(store, &ana_is("name = 'Ana Isabel'"));
        replay(store);
    }
    all_are_alike(&chain, &[CUSTOMERS, ("sync.policy", "policy_id")]);
}

/// A newer central saves a layout and declares a terminal in words that a store cannot read yet.
#[test]
fn a_layout_and_a_declaration_that_a_store_cannot_read_yet_wait_and_it_sells_on_as_before() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    let mut receipts = Receipts::new(87);
    sell(store, &mut receipts, 1);
    let is_newer =
        ["alter table dat.profile disable trigger _150_check", "alter table org.terminal disable trigger _150_check"];
    run(central, &is_newer);
    run(
        central,
        &[
            "insert into dat.profile (node_id, version, profile, saved_at, saved_by) \
             select node_id, version + 1, profile || '{\"hologram\": true}', now(), saved_by from dat.profile where node_id = 1",
            "update org.terminal set declares = '{\"hologram\": true}' where node_id = 1 and code = 'T01'",
        ],
    );
    waits(store, "dat.profile", "22023", 1);
    waits(store, "org.terminal", "22023", 1);
    sell(store, &mut receipts, 3);
    assert_eq!(ask(store, "select count(*)::text from dat.file"), "4", "each has its .dat");
    assert_eq!(ask(store, "select max(version)::text from dat.profile"), "1");
    until_at(central, "select count(*) = 4 from sales.receipt");
    // The store is upgraded: its library reads both.
    run(store, &is_newer);
    replay(store);
    assert_eq!(ask(store, "select max(version)::text from dat.profile"), "2");
    all_are_alike(&chain, &[("dat.profile", "profile_id"), ("org.terminal", "terminal_id")]);
}
