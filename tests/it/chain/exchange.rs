//! What is decided or sold at one node arrives at the others, and what is forged does not.

use tpv_lab::chain::Chain;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;

use crate::support::{
    ANA, INGEST, SOON, all_say, ana_is, journals_are_whole, refused, run, sell, until_at, update_ana, with_ana,
};

#[test]
fn what_a_store_registered_is_known_everywhere_once_it_joined() {
    let chain = Chain::joined(2).unwrap();
    for (table, rows) in [("store", 2), ("department", 8), ("terminal", 40)] {
        assert_eq!(all_say(&chain, &format!("select count(*)::text from org.{table}")), rows.to_string(), "{table}");
        all_say(&chain, &format!("select md5(string_agg(t::text, ',' order by t::text)) from org.{table} t"));
    }
    journals_are_whole(&chain);
}

#[test]
fn a_receipt_of_a_store_is_at_central_once_with_its_lines() {
    let chain = Chain::joined(1).unwrap();
    let mut receipts = Receipts::new(31);
    let mut till = chain.stores[0].connect().unwrap();
    for _ in 0..5 {
        let receipt = receipts.good("T01");
        for _ in 0..2 {
            till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
        }
    }
    until_at(&chain.central, "select count(*) = 5 from sales.receipt");
    for table in ["wire.doc", "sales.receipt", "sales.receipt_line", "sales.receipt_tax"] {
        all_say(&chain, &format!("select count(*) || md5(string_agg(t::text, ',' order by t::text)) from {table} t"));
    }
    assert_eq!(all_say(&chain, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    journals_are_whole(&chain);
}

#[test]
fn prices_come_from_central_and_a_store_may_not_write_them() {
    let chain = Chain::joined(2).unwrap();
    let product = "insert into catalog.product (sku, description) values ('1', 'Pan')";
    assert_eq!(refused(&chain.stores[0], product), "42501");
    let price = "insert into catalog.price (product_id, price, valid_from) select product_id, 1.25, '2026-01-01' from catalog.product";
    run(&chain.central, &[product, price]);
    chain.converge().unwrap();
    let offer =
        "select concat_ws(' ', sku, description, price) from catalog.price join catalog.product using (product_id)";
    assert_eq!(all_say(&chain, offer), "1 Pan 1.2500");
    assert_eq!(refused(&chain.stores[1], "update catalog.price set price = 0"), "42501");
    journals_are_whole(&chain);
}

/// The publication's filter would hold such rows back at an honest store; at a dishonest one there
/// is no filter.
#[test]
fn a_row_in_the_name_of_another_node_is_refused_and_the_stream_goes_on() {
    let chain = with_ana();
    let forger = &chain.stores[0];
    // In the name of a store, and of central itself.
    let operations = [2, 100].map(|node| {
        format!(
            "insert into wire.op values \
             ({node}, 900000, tpv.hlc_now(), 'party.customer', '{ANA}', '{{\"name\":\"Mallory\"}}', '{{}}')"
        )
    });
    for operation in &operations {
        assert_eq!(refused(forger, operation), "42501");
    }
    let operations = operations.join(";");
    let document = "insert into wire.doc \
        (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
        values (2, gen_random_uuid(), current_date, 'day_close', tpv.hlc_now(), 1, '', 900000, '', '{}', sha256('{}'))";
    let unfiltered = "alter publication tpv_up set table wire.doc, wire.op, wire.beat";
    let forge = format!(
        "begin; alter table wire.op disable trigger _100_receive; alter table wire.doc disable trigger _100_receive; \
         {operations}; {document}; \
         alter table wire.op enable always trigger _100_receive; alter table wire.doc enable always trigger _100_receive; commit"
    );
    run(forger, &[unfiltered, &forge, &update_ana("phone = '1'")]);
    let kinds = "select string_agg(kind || ' ' || node_id, ', ' order by kind, node_id) = 'day_close 2, party.customer 2, party.customer 100' \
                 from sync.quarantine where code = 'FORGED_SENDER' and refused is not null";
    until_at(&chain.central, &format!("select coalesce(({kinds}), false)"));
    until_at(&chain.central, "select count(*) = 3 from sec.audit where event = 'FORGED_SENDER'");
    until_at(&chain.central, &ana_is("phone = '1'"));
    until_at(&chain.stores[1], &ana_is("phone = '1'"));
    run(forger, &[&update_ana("phone = '2'")]);
    until_at(&chain.central, &ana_is("name = 'Ana' and phone = '2'"));
    for honest in [&chain.central, &chain.stores[1]] {
        until_at(honest, "select not exists (select from wire.op where seq = 900000)");
        until_at(honest, "select not exists (select from wire.doc)");
    }
}

/// Apply checks no foreign keys, and a dump with rows that point nowhere cannot be restored.
const ORPHANS: &str = "do $$ \
    declare fk record; orphans bigint; \
    begin \
      for fk in \
        select c.conrelid::regclass as child, c.confrelid::regclass as parent, c.conname, \
               string_agg(format('c.%I = p.%I', a.attname, f.attname), ' and ') as same, \
               string_agg(format('c.%I is not null', a.attname), ' and ') as given \
          from pg_constraint c \
          cross join lateral unnest(c.conkey, c.confkey) k (child, parent) \
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.child \
          join pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.parent \
         where c.contype = 'f' and c.connamespace::regnamespace::text not in ('cron', 'pg_catalog') \
         group by c.oid, 1, 2, 3 \
      loop \
        execute format('select count(*) from %s c where %s and not exists (select from %s p where %s)', fk.child, fk.given, fk.parent, fk.same) \
          into orphans; \
        if orphans > 0 then raise exception '% rows of % point nowhere by %', orphans, fk.child, fk.conname; end if; \
      end loop; \
    end $$";

#[test]
fn a_store_of_a_chain_can_be_dumped_and_restored_since_no_row_points_nowhere() {
    let chain = Chain::joined(2).unwrap();
    run(
        &chain.central,
        &[
            "insert into catalog.tax (code, name) values ('A', 'A')",
            "insert into catalog.tax_rate (tax_id, rate, valid_from) select tax_id, 10, '2026-01-01' from catalog.tax",
            "insert into catalog.product (sku, description, tax_id) select '1', 'Pan', tax_id from catalog.tax",
            "insert into catalog.barcode (gtin14, product_id) select '00000000000017', product_id from catalog.product",
        ],
    );
    sell(&chain.stores[0], &mut Receipts::new(55), 3);
    chain.converge().unwrap();
    let mut stores = chain.stores[1].connect().unwrap();
    let came = "select (select count(*) from catalog.barcode) = 1 and (select count(*) from org.store) = 2";
    until_true("all of it is here", SOON, || stores.query_one(came, &[]).unwrap().get(0)).unwrap();
    chain.nodes().for_each(|node| run(node, &[ORPHANS]));
}
