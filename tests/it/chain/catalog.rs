//! What central decides about what is sold, by whom and at what price: made, deleted and made again
//! with the same code.

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::store::Receipts;

use crate::support::{all_say, ask, journals_are_whole, refused, run, until_at};

/// What becomes of a receipt of that terminal.
fn take(at: &Cluster, receipts: &mut Receipts, terminal: &str) -> String {
    let receipt = receipts.good(terminal);
    let take = "select outcome from sales.ingest_files($1, array[$2::bytea], null)";
    at.connect().unwrap().query_one(take, &[&receipt.terminal, &receipt.bytes]).unwrap().get(0)
}

/// Each of central's tables: what makes a row, and how it is known.
const TABLES: &[(&str, &str, &str)] = &[
    ("catalog.tax", "insert into catalog.tax (code, name) values ('R', $$MADE$$)", "concat_ws(' ', code, name)"),
    (
        "catalog.tax_rate",
        "insert into catalog.tax_rate (tax_id, rate, valid_from) select tax_id, 10, '2026-01-01' from catalog.tax where not deleted",
        "concat_ws(' ', rate, valid_from)",
    ),
    (
        "catalog.product",
        "insert into catalog.product (sku, description) values ('1', $$MADE$$)",
        "concat_ws(' ', sku, description)",
    ),
    (
        "catalog.barcode",
        "insert into catalog.barcode (gtin14, product_id) select '04006381333931', product_id from catalog.product where not deleted",
        "gtin14",
    ),
    (
        "catalog.local_code",
        "insert into catalog.local_code (node_id, department_code, code, product_id) \
         select 1, '01', '128', product_id from catalog.product where not deleted",
        "concat_ws(' ', node_id, department_code, code)",
    ),
    (
        "catalog.barcode_rule",
        "insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals) \
         values ('label', '21', 13, 'price', 3, 5, 8, 5, 2)",
        "concat_ws(' ', name, prefix, kind)",
    ),
    (
        "catalog.price",
        "insert into catalog.price (product_id, node_id, price, valid_from) \
         select product_id, 1, 1.25, '2026-01-01' from catalog.product where not deleted",
        "concat_ws(' ', node_id, price)",
    ),
];

#[test]
fn what_central_makes_deletes_and_makes_again_is_so_in_every_store_and_no_store_writes_it() {
    let chain = Chain::joined(2).unwrap();
    let rows = |table: &str, known: &str| {
        format!("select string_agg({known} || ' ' || deleted, ', ' order by deleted, {known}) from {table}")
    };
    for (table, make, known) in TABLES {
        assert_eq!(refused(&chain.stores[1], make), "42501", "a store makes none of {table}");
        run(&chain.central, &[make]);
        chain.converge().unwrap();
        assert!(all_say(&chain, &rows(table, known)).ends_with(" false"), "{table}");
        let delete = format!("update {table} set deleted = true");
        assert_eq!(refused(&chain.stores[0], &delete), "42501", "a store deletes none of {table}");
        // In one transaction and in two; the store may get both while it is cut off.
        chain.cut(1).unwrap();
        run(&chain.central, &[&delete, make, &format!("begin; {delete}; {make}; commit")]);
        chain.mend(1).unwrap();
        chain.converge().unwrap();
        let deleted = all_say(&chain, &format!("select string_agg(deleted::text, ' ' order by deleted) from {table}"));
        assert_eq!(deleted, "false true true", "{table}");
        all_say(&chain, &format!("select string_agg(t::text, e'\\n' order by t::text) from {table} t"));
    }
    assert_eq!(all_say(&chain, "select count(*)::text from sync.quarantine where resolved_at is null"), "0");
    let asked = "select concat_ws(' ', catalog.price_at(product_id, 1, '2026-02-01'), sku) from catalog.product \
                 where product_id = catalog.find_product(1, '01', '128', '2026-02-01')";
    assert_eq!(all_say(&chain, asked), "1.2500 1");
    journals_are_whole(&chain);
}

#[test]
fn a_rule_of_central_reads_the_labels_of_a_store_and_a_deleted_terminal_is_no_more() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    run(central, &[TABLES[5].1]);
    until_at(store, "select exists (select from catalog.barcode_rule)");
    assert_eq!(ask(store, "select catalog.item_key(1, '01', '2112345007506', current_date)"), "R:2112345");
    run(central, &["update catalog.barcode_rule set deleted = true"]);
    until_at(store, "select catalog.barcode_rules(1) = '[]'");

    let mut receipts = Receipts::new(61);
    let mut take = |terminal: &str| take(store, &mut receipts, terminal);
    assert_eq!(take("T01"), "accepted");
    run(central, &["update org.terminal set deleted = true where code = 'T01' and node_id = 1"]);
    until_at(store, "select deleted from org.terminal where code = 'T01'");
    assert_eq!(take("T01"), "quarantined");
    assert_eq!(take("T02"), "accepted");
    run(central, &["select org.register_terminal('T01', '01', node_id => 1)"]);
    until_at(store, "select exists (select from org.terminal where code = 'T01' and not deleted)");
    assert_eq!(take("T01"), "accepted");
}

/// One rule that this version cannot read would have stopped each receipt of the store.
#[test]
fn a_rule_that_a_store_cannot_read_yet_waits_and_its_receipts_go_on() {
    let chain = Chain::joined(1).unwrap();
    let store = &chain.stores[0];
    run(
        &chain.central,
        &[
            "alter table catalog.barcode_rule disable trigger _150_check",
            "insert into catalog.barcode_rule (name, prefix, length, kind) values ('newer', '28', 13, 'membership')",
            "insert into catalog.barcode_rule (name, prefix, length, kind) values ('ticket', '29', 13, 'ticket')",
        ],
    );
    until_at(store, "select exists (select from catalog.barcode_rule where name = 'ticket')");
    until_at(
        store,
        "select code = '22023' from sync.quarantine where kind = 'catalog.barcode_rule' and resolved_at is null",
    );
    assert_eq!(take(store, &mut Receipts::new(62), "T01"), "accepted");
    // As after an upgrade.
    run(&chain.central, &["update catalog.barcode_rule set kind = 'ticket' where name = 'newer'"]);
    run(store, &["select sync.replay_waiting()"]);
    until_at(store, "select count(*) = 2 from catalog.barcode_rule");
    until_at(store, "select not exists (select from sync.quarantine where resolved_at is null)");
}
