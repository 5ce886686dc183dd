//! A store of the release before: its extension, its database, its receipts, under the new library.
//!
//! `pg_tpv/sql/released` keeps the SQL of each released extension, so that a server can be put into its state.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use postgres::Client;
use refinery::Migration;
use tpv_lab::chain::{self, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::cluster::bootstrap;
use tpv_lab::machine::Lab;
use tpv_lab::node::{CENTRAL, STORES};
use tpv_lab::store;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;

use crate::support::SOON;

/// The release before this one, and the newest migration that it had.
const BEFORE: (&str, i32) = ("0.1.0", 7);

/// This one.
const NOW: &str = env!("CARGO_PKG_VERSION");

/// Each thing that belongs to the extension, with all that a caller or a trigger can notice of it.
const MEMBERS: &str = "select concat_ws(E'\\n      ', o.type || ' ' || o.identity, \
      'comment: ' || coalesce(obj_description(d.objid, d.classid::regclass::name), '-'), \
      (select format('(%s) returns %s, volatility %s, strict %s, parallel %s, definer %s, leakproof %s, cost %s, rows %s, settings %s, %s ''%s'', ''%s''', \
                     pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile, p.proisstrict, p.proparallel, \
                     p.prosecdef, p.proleakproof, p.procost, p.prorows, p.proconfig, l.lanname, p.probin, p.prosrc) \
         from pg_proc p join pg_language l on l.oid = p.prolang where d.classid = 'pg_proc'::regclass and p.oid = d.objid)) \
    from pg_depend d cross join pg_identify_object(d.classid, d.objid, d.objsubid) o \
    where d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass \
      and d.refobjid = (select oid from pg_extension where extname = 'pg_tpv')";

fn members(cluster: &Cluster, database: &str, make: &str) -> BTreeSet<String> {
    let mut dba = cluster.connect_as("postgres", "postgres").unwrap();
    dba.batch_execute(&format!("create database {database} template template0 encoding 'UTF8'")).unwrap();
    let mut dba = cluster.connect_as("postgres", database).unwrap();
    dba.batch_execute(make).unwrap();
    dba.query(MEMBERS, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn an_extension_that_is_updated_is_the_one_that_is_made_anew() {
    let cluster = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let fresh = members(&cluster, "fresh", "create extension pg_tpv");
    let before = format!("create extension pg_tpv version '{}'", BEFORE.0);
    let updated = members(&cluster, "updated", &format!("{before}; alter extension pg_tpv update"));
    let list = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).map(|one| format!("\n  - {one}")).collect::<String>()
    };
    let (missing, left_over) = (list(&fresh, &updated), list(&updated, &fresh));
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "pg_tpv/sql/pg_tpv--{}--{NOW}.sql is not complete\nit lacks, or has otherwise:{missing}\nit leaves behind:{left_over}",
        BEFORE.0
    );
    assert!(fresh.len() > 30, "there is something to compare");
    let version = "select extversion from pg_extension where extname = 'pg_tpv'";
    let mut dba = cluster.connect_as("postgres", "updated").unwrap();
    assert_eq!(dba.query_one(version, &[]).unwrap().get::<_, String>(0), NOW);
    assert_ne!(members(&cluster, "older", &before), fresh, "the release before was another one");
}

/// What `tpv-migrate` says, and how it ends.
fn migrate(cluster: &Cluster, word: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap())
        .args([word, "--database-url", &cluster.dba_url()])
        .output()
        .unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// Database `tpv` as the release before left it: its extension, its migrations, its record of them, without what came later.
fn goes_back(cluster: &Cluster) {
    let lab = Lab::open().unwrap();
    let mut dba = cluster.connect_as("postgres", "postgres").unwrap();
    // The workers of pg_cron and of pg_tpv come back by themselves.
    until_true("the database is dropped", SOON, || {
        dba.batch_execute("drop database if exists tpv with (force)").is_ok()
    })
    .unwrap();
    dba.batch_execute("create database tpv owner tpv_owner encoding 'UTF8' template template0").unwrap();
    let extension = format!("create extension pg_tpv version '{}'", BEFORE.0);
    cluster.connect().unwrap().batch_execute(&extension).unwrap();
    bootstrap(cluster, &lab.program("tpv-migrate").unwrap()).unwrap();
    dba.batch_execute("drop role tpv_apply; drop role tpv_replicator").unwrap();

    let mut owner = cluster.connect().unwrap();
    owner.batch_execute("set role tpv_owner; set search_path = ''").unwrap();
    owner
        .batch_execute(
            "create schema tpv_migration; create table tpv_migration.history \
             (version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))",
        )
        .unwrap();
    for migration in released(&lab) {
        let mut work = owner.transaction().unwrap();
        work.batch_execute(migration.sql().unwrap()).unwrap();
        work.execute(
            "insert into tpv_migration.history values ($1, $2, '2026-06-30T10:00:00Z', $3)",
            &[&migration.version(), &migration.name(), &migration.checksum().to_string()],
        )
        .unwrap();
        work.commit().unwrap();
    }
}

/// The migrations of the release before, in order.
fn released(lab: &Lab) -> Vec<Migration> {
    let folder = lab.checkout.join("migrations/sql");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let read = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        Migration::unapplied(name, &std::fs::read_to_string(file).unwrap()).unwrap()
    };
    let mut all: Vec<Migration> = files.iter().map(read).filter(|it| it.version() <= BEFORE.1).collect();
    all.sort();
    all
}

fn text(dba: &mut Client, query: &str) -> String {
    dba.query_one(query, &[]).unwrap().get(0)
}

const INGEST: &str = "select outcome from sales.ingest_files($1, array[$2::bytea], null)";

fn sell(dba: &mut Client, receipts: &mut Receipts, how_many: usize) {
    for number in 0..how_many {
        let receipt = receipts.good(&store::terminal(number));
        let outcome: String = dba.query_one(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap().get(0);
        assert_eq!(outcome, "accepted");
    }
}

/// Everything that the store knows of its receipts.
const RECEIPTS: &str = "select concat_ws(' ', \
    (select count(*) || md5(string_agg(d::text, ',' order by doc_id)) from wire.doc d where node_id = 1), \
    (select count(*) || md5(string_agg(r::text, ',' order by receipt_id)) from sales.receipt r where node_id = 1), \
    (select count(*) || md5(string_agg(l::text, ',' order by receipt_id, line_number)) from sales.receipt_line l where node_id = 1))";

#[test]
fn a_store_of_the_release_before_is_upgraded_with_its_receipts_and_joins() {
    let lab = Lab::open().unwrap();
    let mut at_store = Cluster::for_test(&lab).unwrap();
    goes_back(&at_store);
    at_store.stop().unwrap();
    at_store.start().unwrap();
    let mut dba = at_store.connect().unwrap();
    store::register(&mut dba, STORES[0]).unwrap();
    // The new library is there, and the database is not yet updated: the store sells.
    let mut receipts = Receipts::new(33);
    sell(&mut dba, &mut receipts, 40);
    let voided = "select sales.void(receipt_id, 'test print') from sales.receipt order by receipt_id limit 1";
    dba.execute(voided, &[]).unwrap();
    let before = text(&mut dba, RECEIPTS);

    // Before the extension is updated, migrations are refused, with what to do, and nothing has changed.
    let (code, said) = migrate(&at_store, "run");
    assert_eq!(code, Some(1), "{said}");
    let remedy = format!("alter extension pg_tpv update to '{NOW}'");
    assert!(said.contains(&format!("the extension pg_tpv is {}", BEFORE.0)) && said.contains(&remedy), "{said}");
    assert_eq!(text(&mut dba, "select max(version)::text from tpv_migration.history"), BEFORE.1.to_string());

    // What operations.md says that a superuser does.
    dba.batch_execute("alter extension pg_tpv update").unwrap();
    let (code, said) = migrate(&at_store, "run");
    assert!(code == Some(1) && said.contains("tpv_owner lacks EXECUTE on"), "the rights of new functions: {said}");
    bootstrap(&at_store, &lab.program("tpv-migrate").unwrap()).unwrap();
    let (code, said) = migrate(&at_store, "run");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(migrate(&at_store, "status").0, Some(0));

    assert_eq!(text(&mut dba, RECEIPTS), before, "no receipt has changed");
    let decided = "select string_agg(distinct table_name, ' ' order by table_name) from wire.op";
    assert_eq!(
        text(&mut dba, decided),
        "dat.profile org.department org.legal_entity org.store org.terminal",
        "what the store had decided is in the journal, and what migrations wrote is nobody's decision"
    );
    sell(&mut dba, &mut receipts, 10);

    let central = Cluster::for_test(&lab).unwrap();
    chain::register_central(&mut central.connect().unwrap()).unwrap();
    Plan::Join.run(STORES[0], &at_store, &central).unwrap();
    sell(&mut dba, &mut receipts, 5);
    let at_store_now = text(&mut dba, RECEIPTS);
    let mut at_central = central.connect().unwrap();
    // What the store recorded before is found missing, asked for and sent: what pg_cron does each minute.
    until_true("central has every receipt", SOON * 3, || {
        for at in [&mut dba, &mut at_central] {
            at.batch_execute("select sync.reconcile(); select sync.replay_waiting()").unwrap();
        }
        text(&mut at_central, RECEIPTS) == at_store_now
    })
    .unwrap();
    assert_eq!(text(&mut at_central, "select count(*)::text from sales.receipt"), "55");
    let intact = "select bool_and(intact)::text || count(*) from wire.verify_chains()";
    assert_eq!(text(&mut at_central, intact), text(&mut dba, intact));
    // Both ways.
    dba.batch_execute("insert into party.customer (name) values ('Ana')").unwrap();
    at_central.batch_execute("insert into catalog.product (sku, description) values ('1', 'Pan')").unwrap();
    let arrived = |dba: &mut Client, table: &str| text(dba, &format!("select count(*)::text from {table}")) == "1";
    until_true("the customer is at central", SOON, || arrived(&mut at_central, "party.customer")).unwrap();
    until_true("the product is in the store", SOON, || arrived(&mut dba, "catalog.product")).unwrap();
    for at in [&mut dba, &mut at_central] {
        assert_eq!(text(at, "select count(*)::text from sync.quarantine where resolved_at is null"), "0");
        let codes = text(at, "select string_agg(node_code, ' ' order by node_id) from org.node");
        assert_eq!(codes, format!("{} {}", STORES[0].code, CENTRAL.code));
    }
}

/// A store whose extension is newer than its tpv-migrate: somebody runs an old program.
#[test]
fn tpv_migrate_says_what_to_do_where_the_extension_is_newer_than_it() {
    let cluster = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    assert_eq!(migrate(&cluster, "run").0, Some(0), "there is nothing to do");
    let mut dba = cluster.connect().unwrap();
    dba.batch_execute("update pg_extension set extversion = '99.0.0' where extname = 'pg_tpv'").unwrap();
    for word in ["run", "status"] {
        let (code, said) = migrate(&cluster, word);
        assert_eq!(code, Some(1), "{word}: {said}");
        assert!(said.contains("newer than this program") && said.contains("use the tpv-migrate of 99.0.0"), "{said}");
    }
}
