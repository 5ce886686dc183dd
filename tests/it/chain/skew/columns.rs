//! Columns that some nodes do not have yet.

use tpv_lab::chain::Chain;
use tpv_lab::wait::until_true;

use super::newer::{A_MINUTE_AND_A_BIT, CUSTOMERS, LOYALTY, PRODUCTS, WEIGHT, all_are_alike, migrate, replay, waits};
use crate::support::{all_say, ana_is, ask, run, until_at, update_ana, with_ana};

#[test]
fn a_column_that_only_central_has_waits_in_the_stores_and_the_rest_of_the_row_flows() {
    let chain = Chain::joined(2).unwrap();
    let [first, second] = &chain.stores[..] else { unreachable!() };
    migrate(&chain.central, &[WEIGHT]);
    run(
        &chain.central,
        &[
            "insert into catalog.product (sku, description, weight_g) values ('1', 'Pan', 400)",
            "insert into catalog.product (sku, description) values ('2', 'Torta')",
            "update catalog.product set description = 'Pan gallego', weight_g = 450 where sku = '1'",
            "update catalog.product set description = 'Torta rica' where sku = '2'",
        ],
    );
    for store in [first, second] {
        let seen = "select count(*) = 2 from catalog.product where description in ('Pan gallego', 'Torta rica')";
        until_at(store, seen);
        // A row is made with all its columns, so that its creation waits, too.
        waits(store, "catalog.product", "UNKNOWN_COLUMN", 3);
    }
    // One store is upgraded, and its own pg_cron merges what waited.
    migrate(first, &[WEIGHT]);
    let done = "select not exists (select from sync.quarantine where resolved_at is null)";
    let mut dba = first.connect().unwrap();
    until_true("pg_cron merges it", A_MINUTE_AND_A_BIT, || dba.query_one(done, &[]).unwrap().get(0)).unwrap();
    until_at(first, "select count(*) = 1 from catalog.product where weight_g = 450");
    waits(second, "catalog.product", "UNKNOWN_COLUMN", 3);
    run(&chain.central, &["update catalog.product set weight_g = 200 where sku = '2'"]);
    until_at(first, "select count(*) = 1 from catalog.product where weight_g = 200");
    waits(second, "catalog.product", "UNKNOWN_COLUMN", 4);

    migrate(second, &[WEIGHT]);
    replay(second);
    all_are_alike(&chain, &[PRODUCTS]);
}

#[test]
fn a_column_that_only_one_store_has_passes_central_and_waits_where_it_is_not_known() {
    let chain = with_ana();
    let [ahead, behind] = &chain.stores[..] else { unreachable!() };
    migrate(ahead, &[LOYALTY]);
    run(
        ahead,
        &[
            &update_ana("loyalty = 'gold', phone = '1'"),
            "insert into party.customer (name, loyalty) values ('Eva', 'silver')",
        ],
    );
    for older in [&chain.central, behind] {
        until_at(older, &ana_is("phone = '1'"));
        until_at(older, "select exists (select from party.customer where name = 'Eva')");
        waits(older, "party.customer", "UNKNOWN_COLUMN", 2);
    }
    // Those who do not know the column go on editing the same rows, and making new ones.
    run(behind, &[&update_ana("email = 'a@b', phone = '2'"), "insert into party.customer (name) values ('Leo')"]);
    run(&chain.central, &[&update_ana("name = 'Ana Ruiz'")]);
    until_at(ahead, &ana_is("phone = '2' and name = 'Ana Ruiz' and email = 'a@b' and loyalty = 'gold'"));
    until_at(ahead, "select count(*) = 1 from party.customer where name = 'Leo' and loyalty = 'none'");

    // The other store is upgraded before central is.
    migrate(behind, &[LOYALTY]);
    replay(behind);
    until_at(behind, &ana_is("loyalty = 'gold'"));
    run(behind, &["update party.customer set loyalty = 'gold' where name = 'Eva'"]);
    waits(&chain.central, "party.customer", "UNKNOWN_COLUMN", 3);
    migrate(&chain.central, &[LOYALTY]);
    replay(&chain.central);
    all_are_alike(&chain, &[CUSTOMERS]);
    assert_eq!(all_say(&chain, "select string_agg(loyalty, ' ' order by name) from party.customer"), "gold gold none");
}

#[test]
fn two_who_write_a_column_that_the_node_between_them_does_not_know_have_a_conflict_there_too_after_its_upgrade() {
    let chain = with_ana();
    for store in &chain.stores {
        migrate(store, &[LOYALTY]);
    }
    chain.cut(0).unwrap();
    run(&chain.stores[0], &[&update_ana("loyalty = 'gold', consent = 'none'")]);
    run(&chain.stores[1], &[&update_ana("loyalty = 'silver', city = 'Vigo'")]);
    chain.mend(0).unwrap();
    until_at(&chain.central, &ana_is("consent = 'none' and city = 'Vigo'"));
    waits(&chain.central, "party.customer", "UNKNOWN_COLUMN", 2);
    for store in &chain.stores {
        until_at(store, "select count(*) = 2 from sync.sibling where column_name = 'loyalty'");
    }
    migrate(&chain.central, &[LOYALTY]);
    replay(&chain.central);
    all_are_alike(&chain, &[CUSTOMERS]);
    assert_eq!(all_say(&chain, "select count(*)::text from sync.sibling where column_name = 'loyalty'"), "2");
    // Central, which knew nothing of it, resolves it.
    run(
        &chain.central,
        &[
            "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling where not chosen",
        ],
    );
    all_are_alike(&chain, &[CUSTOMERS]);
    assert_eq!(all_say(&chain, "select count(*)::text from sync.sibling"), "0");
}

#[test]
fn a_group_that_has_one_column_more_in_a_newer_version_ends_alike_whoever_wrote_it_last() {
    const PROVINCE: &[&str] = &[
        "alter table party.customer add column province text",
        "select sync.track('party.customer', 'any', '{\"address\": [\"street\", \"postcode\", \"city\", \"country\", \"province\"]}', \
           owner_column, duplicates, only_stricter) from sync.tracked_table where table_name = 'party.customer'",
    ];
    let chain = with_ana();
    let [ahead, behind] = &chain.stores[..] else { unreachable!() };
    migrate(ahead, PROVINCE);
    run(ahead, &["insert into party.customer (name, city, province) values ('Eva', 'Lugo', 'Lugo')"]);
    run(ahead, &[&update_ana("city = 'Vigo', province = 'Pontevedra'")]);
    until_at(behind, &ana_is("city = 'Vigo'"));
    // Without knowing of a province, and knowing of the city.
    run(behind, &[&update_ana("city = 'Porto', country = 'PT'")]);
    until_at(ahead, &ana_is("city = 'Porto'"));
    for older in [behind, &chain.central] {
        migrate(older, PROVINCE);
        replay(older);
    }
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, "select province from party.customer where name = 'Eva'"), "Lugo");
    all_are_alike(&chain, &[CUSTOMERS]);
}

/// What happened: the state of a product came with a column that the store lacked, and waited under
/// the name of the last operation on it. That operation was here, had not written that column, and
/// was found complete; the column stayed empty.
#[test]
fn state_with_a_column_that_is_not_here_waits_whatever_operations_are_here() {
    let chain = Chain::joined(2).unwrap();
    let store = &chain.stores[1];
    run(
        &chain.central,
        &[
            "insert into catalog.product (sku, description) values ('1', 'old')",
            "update catalog.product set description = 'new'",
        ],
    );
    until_at(store, "select exists (select from catalog.product where description = 'new')");
    let state = "insert into sync.outgoing (to_node, kind, body) \
        select 2, 'snapshot', json_build_object('snapshot', gen_random_uuid(), 'vector', '{}'::json, 'rows', \
            json_build_array(json_build_array(h.table_name, h.key, h.heads::jsonb || '{\"origin\": [[1, 999, 1, \"x\"]]}')))::text \
        from sync.head h where h.table_name = 'catalog.product'";
    run(&chain.central, &[state]);
    let waits =
        "select string_agg(code, ',') from sync.quarantine where kind = 'catalog.product' and resolved_at is null";
    until_at(store, &format!("select ({waits}) is not null"));
    run(store, &["select sync.replay_waiting()"]);
    assert_eq!(ask(store, waits), "UNKNOWN_COLUMN");
    run(store, &["alter table catalog.product add column origin text", "select sync.replay_waiting()"]);
    assert_eq!(ask(store, "select origin from catalog.product"), "x");
    assert_eq!(ask(store, "select count(*)::text from sync.quarantine where resolved_at is null"), "0");
}
