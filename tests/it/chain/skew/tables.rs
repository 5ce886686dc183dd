//! Tables that some nodes do not have yet.

use tpv_lab::chain::Chain;

use super::newer::{BRAND, CUSTOMERS, NOTE, PRODUCTS, all_are_alike, migrate, replay, waits};
use crate::support::{ANA, ana_is, run, until_at, update_ana, with_ana};

#[test]
fn a_table_that_only_central_has_waits_in_the_stores_until_they_have_it() {
    let chain = Chain::joined(2).unwrap();
    migrate(&chain.central, BRAND);
    run(
        &chain.central,
        &[
            "insert into catalog.brand (name) values ('Ola'), ('Sol')",
            "update catalog.brand set name = 'Ola del Mar' where name = 'Ola'",
            "update catalog.brand set deleted = true where name = 'Sol'",
            "insert into catalog.product (sku, description) values ('1', 'Pan')",
        ],
    );
    for store in &chain.stores {
        until_at(store, "select exists (select from catalog.product)");
        waits(store, "catalog.brand", "UNKNOWN_TABLE", 4);
    }
    migrate(&chain.stores[0], BRAND);
    replay(&chain.stores[0]);
    run(&chain.central, &["update catalog.brand set name = 'Ola' where name = 'Ola del Mar'"]);
    until_at(&chain.stores[0], "select exists (select from catalog.brand where name = 'Ola')");
    migrate(&chain.stores[1], BRAND);
    replay(&chain.stores[1]);
    all_are_alike(&chain, &[("catalog.brand", "brand_id"), PRODUCTS]);
}

#[test]
fn a_table_that_only_one_store_has_reaches_another_through_a_central_that_does_not_have_it() {
    let chain = with_ana();
    let [ahead, behind] = &chain.stores[..] else { unreachable!() };
    migrate(ahead, NOTE);
    run(
        ahead,
        &[
            &format!("insert into party.note (customer_id, note) values ('{ANA}', 'no nuts')"),
            "update party.note set note = 'no nuts, no milk'",
            &update_ana("phone = '9'"),
        ],
    );
    for older in [&chain.central, behind] {
        until_at(older, &ana_is("phone = '9'"));
        waits(older, "party.note", "UNKNOWN_TABLE", 2);
    }
    migrate(behind, NOTE);
    replay(behind);
    run(behind, &["update party.note set note = 'no nuts'"]);
    until_at(ahead, "select count(*) = 1 from party.note where note = 'no nuts'");
    waits(&chain.central, "party.note", "UNKNOWN_TABLE", 3);
    migrate(&chain.central, NOTE);
    replay(&chain.central);
    all_are_alike(&chain, &[CUSTOMERS, ("party.note", "note_id")]);
}
