//! Nodes of different versions in one chain: what a node does not know waits, everything else flows, and after the upgrade
//! all nodes are alike.
//!
//! A node is made newer by what the next version's migration would do there. For what only its library would know, triggers
//! that run after the take-in write what that library would write.

use std::time::Duration;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;

use crate::SOON;
use crate::chain::joining::ask;
use crate::chain::{ANA, INGEST, all_say, ana_is, journals_are_whole, of_ana, run, until_at, update_ana, with_ana};

/// pg_cron begins a job with the minute, and a machine under load is late.
const A_MINUTE_AND_A_BIT: Duration = Duration::from_secs(100);

/// Runs statements as a migration does.
#[track_caller]
fn migrate(at: &Cluster, statements: &[&str]) {
    let mut owner = at.connect().unwrap();
    owner.batch_execute("set role tpv_owner; set search_path = ''").unwrap();
    for statement in statements {
        owner.batch_execute(statement).unwrap();
    }
}

/// What the next version's migrations do.
const LOYALTY: &str = "alter table party.customer add column loyalty text not null default 'none'";
const WEIGHT: &str = "alter table catalog.product add column weight_g integer";
const BRAND: &[&str] = &[
    "create table catalog.brand (brand_id uuid primary key default tpv.uuid7(), name text not null unique)",
    "select sync.track('catalog.brand', 'central')",
];
const NOTE: &[&str] = &[
    "create table party.note (note_id uuid primary key default tpv.uuid7(), customer_id uuid not null, note text not null)",
    "select sync.track('party.note')",
];

/// Waits until operations about a table wait at a node for that reason.
#[track_caller]
fn waits(at: &Cluster, kind: &str, code: &str, how_many: usize) {
    let waiting =
        "select coalesce(string_agg(code, ' '), '') from sync.quarantine where resolved_at is null and kind = $1";
    let wanted = vec![code; how_many].join(" ");
    let mut dba = at.connect().unwrap();
    let mut seen = String::new();
    until_true(&format!("{kind} waits"), SOON, || {
        seen = dba.query_one(waiting, &[&kind]).unwrap().get(0);
        seen == wanted
    })
    .unwrap_or_else(|error| panic!("{error:#}: {seen}"));
}

/// What pg_cron calls each minute.
#[track_caller]
fn replay(at: &Cluster) {
    run(at, &["set role tpv_cron; select sync.replay_waiting()"]);
    until_at(at, "select not exists (select from sync.quarantine where resolved_at is null)");
}

/// Every node has the same rows, heads and conflicts, nothing waits, and no operation is missing.
#[track_caller]
fn all_are_alike(chain: &Chain, tables: &[(&str, &str)]) {
    chain.converge().unwrap();
    for (table, key) in tables {
        let rows = format!("select string_agg(to_jsonb(t)::text, e'\\n' order by {key}) from {table} t");
        assert_ne!(all_say(chain, &rows), "", "{table} has rows");
    }
    all_say(
        chain,
        "select string_agg(table_name || ' ' || key || ' ' || heads, e'\\n' order by table_name, key) from sync.head",
    );
    all_say(
        chain,
        "select string_agg(concat_ws(' ', key, column_name, node_id, seq, value, chosen), ',' order by key, column_name, node_id, seq) \
         from sync.sibling",
    );
    assert_eq!(all_say(chain, "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null"), "");
}

const CUSTOMERS: (&str, &str) = ("party.customer", "customer_id");
const PRODUCTS: (&str, &str) = ("catalog.product", "product_id");

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
    // One store is upgraded, and its own pg_cron takes in what waited.
    migrate(first, &[WEIGHT]);
    let done = "select not exists (select from sync.quarantine where resolved_at is null)";
    let mut dba = first.connect().unwrap();
    until_true("pg_cron takes it in", A_MINUTE_AND_A_BIT, || dba.query_one(done, &[]).unwrap().get(0)).unwrap();
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
    // Central, which knew nothing of it, settles it.
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
    assert_eq!(all_say(&chain, &of_ana("name")), "Anita", "the last write, as long as a node can not do otherwise");
    // Central finds one that all of them know.
    run(&chain.central, &["update sync.policy set rule = '\"first_write\"' where column_name = 'name'"]);
    chain.converge().unwrap();
    for store in &chain.stores {
        until_at(store, &ana_is("name = 'Ana Isabel'"));
        replay(store);
    }
    all_are_alike(&chain, &[CUSTOMERS, ("sync.policy", "policy_id")]);
}

/// A trigger of a newer version's library: it changes what this node writes, after this node took it in.
fn writes_newer(at: &Cluster, table: &str, what: &str) {
    run(
        at,
        &[
            &format!(
                "create function public.newer() returns trigger language plpgsql as $$ begin {what} return new; end $$"
            ),
            &format!("create trigger _150_newer before insert on {table} for each row execute function public.newer()"),
        ],
    );
}

/// No library that knows it is here: its look is changed to what this one knows, where it waits.
fn learns(at: &Cluster, statement: &str) {
    run(at, &[&format!("set pg_tpv.maintenance = on; {statement}")]);
}

#[test]
fn documents_of_a_newer_version_wait_at_central_while_others_flow() {
    let chain = Chain::joined(1).unwrap();
    let (central, ahead) = (&chain.central, &chain.stores[0]);
    let mut receipts = Receipts::new(34);
    let mut till = ahead.connect().unwrap();
    let mut sell = |terminal: &str| {
        let receipt = receipts.good(terminal);
        till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
    };
    sell("T01");
    until_at(central, "select count(*) = 1 from sales.receipt");
    writes_newer(
        ahead,
        "wire.doc",
        "if new.chain = 'T01' then new.schema_version := 2; end if; \
         if new.kind = 'day_close' then new.kind := 'cash_count'; end if;",
    );
    sell("T01");
    sell("T02");
    sell("T01");
    run(ahead, &["select sales.close_day(current_date - 3, 'counted')"]);
    sell("T02");
    until_at(central, "select count(*) = 3 from sales.receipt");
    waits(central, "receipt", "NEWER_SCHEMA", 2);
    waits(central, "cash_count", "UNKNOWN_KIND", 1);
    // They are all there, in their chains, and one can see that they wait.
    until_at(central, "select count(*) = 6 from wire.doc");
    until_at(central, "select bool_and(intact) from wire.verify_chains() where chain <> ''");
    until_at(
        central,
        "select count(*) = 1 from sync.status where peer = 'S01' and direction = 'receives' and quarantined = 3 and state in ('running', 'comparing')",
    );

    learns(central, "update wire.doc set schema_version = 1");
    learns(central, "update wire.doc set kind = 'day_close' where kind = 'cash_count'");
    replay(central);
    let all = "select count(*) || md5(string_agg(r::text, ',' order by receipt_id)) from sales.receipt r";
    all_say(&chain, all);
    all_say(
        &chain,
        "select count(*) || md5(string_agg(l::text, ',' order by receipt_id, line_number)) from sales.receipt_line l",
    );
    assert_eq!(all_say(&chain, "select count(*)::text from sales.day_close"), "1");
    until_at(central, "select bool_and(intact) from wire.verify_chains()");
}

#[test]
fn an_operation_with_a_register_that_a_newer_version_reserved_waits_and_later_ones_do_not() {
    let chain = with_ana();
    let [ahead, behind] = &chain.stores[..] else { unreachable!() };
    writes_newer(
        ahead,
        "wire.op",
        "if new.patch like '%gift%' then new.patch := '{\"@origin\":\"web\",' || substr(new.patch, 2); end if;",
    );
    run(
        ahead,
        &[&update_ana("tags = '[\"gift\"]', phone = '5'"), &update_ana("phone = '6'"), &update_ana("email = 'x'")],
    );
    for older in [&chain.central, behind] {
        waits(older, "party.customer", "OPERATION_PATCH", 1);
        until_at(older, &ana_is("phone = '6' and email = 'x' and tags = '[\"old\"]'"));
    }
    run(behind, &[&update_ana("name = 'Ana R'")]);
    until_at(ahead, &ana_is("name = 'Ana R'"));
    // The newest version knows the register; here the operation loses it everywhere.
    for node in chain.nodes() {
        learns(node, "update wire.op set patch = replace(patch, '\"@origin\":\"web\",', '')");
    }
    for older in [&chain.central, behind] {
        replay(older);
    }
    all_are_alike(&chain, &[CUSTOMERS]);
    assert_eq!(all_say(&chain, &of_ana("tags")), "[\"gift\"]");
    assert_eq!(all_say(&chain, "select count(*)::text from sync.sibling"), "0", "nobody wrote at the same time");
}

#[test]
fn a_peer_of_another_version_is_shown_and_nothing_stops() {
    let chain = with_ana();
    let newer = "new.version := '9.9.9';";
    run(
        &chain.stores[0],
        &[
            &format!(
                "create function public.newer() returns trigger language plpgsql as $$ begin {newer} return new; end $$"
            ),
            "create trigger _150_newer before insert on wire.beat for each row execute function public.newer()",
        ],
    );
    let shown = |peer: &str, version: &str| {
        format!(
            "select count(*) = 1 from sync.status where peer = '{peer}' and direction = 'receives' and version = '{version}' and state in ('running', 'comparing')"
        )
    };
    until_at(&chain.central, &shown("S01", "9.9.9"));
    until_at(&chain.central, &shown("S02", env!("CARGO_PKG_VERSION")));
    run(&chain.stores[0], &[&update_ana("phone = '1'")]);
    run(&chain.central, &[&update_ana("email = '2'")]);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("row(phone, email)")), "(1,2)");
    journals_are_whole(&chain);
}

/// What happened: the state of a product came with a column that the store lacked, and waited under the name of the last
/// operation on it. That operation was here, had not written that column, and was found complete; the column stayed empty.
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
