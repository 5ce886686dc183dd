//! A store of this version, its database and its receipts, under the library of the next version,
//! and upgraded to that.
//!
//! The next version is made up: this version's extension with what
//! [`CHANGE`] says, and this version's migrations, frozen as a release freezes them, with one more
//! that carries the change of a function.

mod rolling;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use postgres::Client;
use refinery::Migration;
use tpv_lab::chain::{self, Plan};
use tpv_lab::cluster::{Cluster, PgTree, bootstrap, packaged_files, released_sql};
use tpv_lab::machine::{Lab, run};
use tpv_lab::node::{CENTRAL, STORES};
use tpv_lab::store;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;
use tpv_migrations::assemble::assemble;
use tpv_migrations::freeze::freeze;
use tpv_migrations::{Console, Release, program};

use crate::support::SOON;

/// This version.
const THIS: &str = env!("CARGO_PKG_VERSION");

/// The one that comes next: newer than all that will be.
const NEXT: &str = "98.0.0";

/// What the next version's extension has otherwise: a function more, a function less, another
/// comment.
const CHANGE: &str = "
create function next_stamp() returns bigint strict volatile parallel unsafe language c as 'MODULE_PATHNAME', 'hlc_now_wrapper';
comment on function next_stamp() is 'The next stamp of this node.';
drop function hlc_ahead();
comment on function hlc_now() is 'Another sentence.';
";

/// What its migration does: it uses the new function, and carries what became of a function that
/// was there.
const MIGRATION: &str = "-- Purpose: what the next version brings.
-- Limits:  none.
-- Undo:    drop function sync.next_stamp(); the version before has the other function.
create function sync.next_stamp() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as
$$ select tpv.next_stamp() $$;
comment on function sync.next_stamp() is 'The next stamp of this node.';
-- include functions/sync/prune.sql
";

/// The next version.
struct Next {
    /// Its extension, installed beside the system's server.
    tree: PgTree,
    /// What its tpv-migrate holds.
    release: Release,
}

impl Next {
    fn make(lab: &Lab, folder: &Path) -> Self {
        Self { tree: PgTree::with(lab, &extension(lab, folder)).unwrap(), release: release(lab, folder) }
    }
}

/// The files of the next version's extension, beside those of this one.
fn extension(lab: &Lab, folder: &Path) -> Vec<PathBuf> {
    let files = packaged_files(lab).unwrap();
    let read = |name: &str| fs::read_to_string(files.iter().find(|file| file.ends_with(name)).unwrap()).unwrap();
    let control = read("pg_tpv.control");
    assert!(control.contains(&format!("'{THIS}'")), "{control}");
    [
        ("pg_tpv.control".to_owned(), control.replace(&format!("'{THIS}'"), &format!("'{NEXT}'"))),
        (format!("pg_tpv--{NEXT}.sql"), read(&format!("pg_tpv--{THIS}.sql")) + CHANGE),
        (format!("pg_tpv--{THIS}--{NEXT}.sql"), CHANGE.to_owned()),
    ]
    .map(|(name, text)| {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file
    })
    .to_vec()
}

/// What somebody does who changes a function after a release: an edit of its file, and one line in
/// a new migration.
fn release(lab: &Lab, folder: &Path) -> Release {
    let migrations = folder.join("migrations");
    fs::create_dir(&migrations).unwrap();
    run(Command::new("cp")
        .arg("-r")
        .args(["sql", "released.txt"].map(|it| lab.checkout.join("migrations").join(it)))
        .arg(&migrations))
    .unwrap();
    freeze(&migrations, THIS).unwrap();

    let sql = migrations.join("sql");
    let function = sql.join("functions/sync/prune.sql");
    let (before, day) = (fs::read_to_string(&function).unwrap(), "interval '1 day'");
    assert!(before.contains(day));
    fs::write(&function, before.replace(day, "interval '2 days'")).unwrap();
    assert!(assemble(&sql).unwrap_err().contains("functions/sync/prune.sql is not what"), "no migration carries it");
    let last = Release::this().unwrap().migrations.len();
    fs::write(sql.join(format!("V{}__next.sql", last + 1)), MIGRATION).unwrap();

    let migration = |it: tpv_migrations::assemble::Assembled| Migration::unapplied(&it.name, &it.sql).unwrap();
    Release { extension: NEXT.to_owned(), migrations: assemble(&sql).unwrap().into_iter().map(migration).collect() }
}

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

/// Both ways to a version's extension lead to the same functions.
#[track_caller]
fn is_complete(cluster: &Cluster, before: &str, now: &str) {
    let name = before.replace(['.', '-'], "_");
    let fresh = members(cluster, &format!("fresh_{name}"), "create extension pg_tpv");
    let before_it = format!("create extension pg_tpv version '{before}'");
    let updated_database = format!("updated_{name}");
    let updated = members(cluster, &updated_database, &format!("{before_it}; alter extension pg_tpv update"));
    let list = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).map(|one| format!("\n  - {one}")).collect::<String>()
    };
    let (missing, left_over) = (list(&fresh, &updated), list(&updated, &fresh));
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "pg_tpv/sql/pg_tpv--{before}--{now}.sql is not complete\nit lacks, or has otherwise:{missing}\nit leaves behind:{left_over}"
    );
    assert!(fresh.len() > 30, "there is something to compare");
    let version = "select extversion from pg_extension where extname = 'pg_tpv'";
    let mut dba = cluster.connect_as("postgres", &updated_database).unwrap();
    assert_eq!(dba.query_one(version, &[]).unwrap().get::<_, String>(0), now);
}

#[test]
fn an_extension_that_is_updated_is_the_one_that_is_made_anew() {
    let lab = Lab::open().unwrap();
    let mut cluster = Cluster::for_test(&lab).unwrap();
    // Each release, once there is one.
    for file in released_sql(&lab.checkout).unwrap() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let released = name.strip_prefix("pg_tpv--").unwrap();
        // On the commit of a release it is this version itself.
        if released != THIS {
            is_complete(&cluster, released, THIS);
        }
    }
    let next = Next::make(&lab, &cluster.folder);
    installs(&mut cluster, &next);
    is_complete(&cluster, THIS, NEXT);
    let make = format!("create extension pg_tpv version '{THIS}'");
    assert_ne!(members(&cluster, "this", &make), members(&cluster, "next", "create extension pg_tpv"));
}

/// What a superuser does first: the files of the next version, and a new start of the server.
fn installs(cluster: &mut Cluster, next: &Next) {
    cluster.stop().unwrap();
    cluster.set_files(next.tree.clone());
    cluster.start().unwrap();
}

/// What the tpv-migrate of a version says, and how it ends.
fn migrate(release: &Release, cluster: &Cluster, word: &str) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["tpv-migrate", word, "--database-url", &cluster.dba_url()].map(Into::into);
    let code = program(release, args, &mut Console { out: &mut out, err: &mut err });
    (code, String::from_utf8([out, err].concat()).unwrap())
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
    let next = Next::make(&lab, &at_store.folder);
    installs(&mut at_store, &next);
    let mut dba = at_store.connect().unwrap();
    store::register(&mut dba, STORES[0]).unwrap();
    // The new library is there, and the database is not yet updated: the store sells.
    let mut receipts = Receipts::new(33);
    sell(&mut dba, &mut receipts, 40);
    let voided = "select sales.void(receipt_id, 'test print') from sales.receipt order by receipt_id limit 1";
    dba.execute(voided, &[]).unwrap();
    let before = text(&mut dba, RECEIPTS);

    // Before the extension is updated, migrations are refused, with what to do, and nothing has
    // changed.
    let newest = "select max(version)::text from tpv_migration.history";
    let newest_before = text(&mut dba, newest);
    let (code, said) = migrate(&next.release, &at_store, "run");
    assert_eq!(code, 1, "{said}");
    let remedy = format!("alter extension pg_tpv update to '{NEXT}'");
    assert!(said.contains(&format!("the extension pg_tpv is {THIS}")) && said.contains(&remedy), "{said}");
    assert_eq!(text(&mut dba, newest), newest_before);

    // What operations.md says that a superuser does.
    dba.batch_execute("alter extension pg_tpv update").unwrap();
    let (code, said) = migrate(&next.release, &at_store, "run");
    assert!(code == 1 && said.contains("tpv_owner lacks EXECUTE on"), "the rights of new functions: {said}");
    bootstrap(&at_store, &lab.program("tpv-migrate").unwrap()).unwrap();
    let (code, said) = migrate(&next.release, &at_store, "run");
    assert!(code == 0 && said.contains("__next in ") && said.contains("\n1 applied in "), "{said}");
    assert_eq!(migrate(&next.release, &at_store, "status").0, 0);
    assert!(text(&mut dba, "select prosrc from pg_proc where proname = 'prune_resends'").contains("'2 days'"));
    dba.execute("select sync.next_stamp()", &[]).unwrap();

    assert_eq!(text(&mut dba, RECEIPTS), before, "no receipt has changed");
    let decided = "select string_agg(distinct table_name, ' ' order by table_name) from wire.op";
    assert_eq!(
        text(&mut dba, decided),
        "dat.profile org.department org.legal_entity org.store org.terminal",
        "what the store had decided is in the journal, and what migrations wrote is nobody's decision"
    );
    sell(&mut dba, &mut receipts, 10);

    let mut central = Cluster::for_test(&lab).unwrap();
    chain::register_central(&mut central.connect().unwrap()).unwrap();
    // Central is of the version before: a store joins with the version that central has.
    let refused = format!("{:#}", Plan::Join.run(STORES[0], &at_store, &central).unwrap_err());
    assert!(refused.contains("the two nodes are of different versions"), "{refused}");
    installs(&mut central, &next);
    central.connect().unwrap().batch_execute("alter extension pg_tpv update").unwrap();
    bootstrap(&central, &lab.program("tpv-migrate").unwrap()).unwrap();
    assert_eq!(migrate(&next.release, &central, "run").0, 0);
    Plan::Join.run(STORES[0], &at_store, &central).unwrap();
    sell(&mut dba, &mut receipts, 5);
    let at_store_now = text(&mut dba, RECEIPTS);
    let mut at_central = central.connect().unwrap();
    // What the store recorded before is found missing, asked for and sent: what pg_cron does each
    // minute.
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
    let this = Release::this().unwrap();
    assert_eq!(migrate(&this, &cluster, "run").0, 0, "there is nothing to do");
    let mut dba = cluster.connect().unwrap();
    dba.batch_execute("update pg_extension set extversion = '99.0.0' where extname = 'pg_tpv'").unwrap();
    for word in ["run", "status"] {
        let (code, said) = migrate(&this, &cluster, word);
        assert_eq!(code, 1, "{word}: {said}");
        assert!(said.contains("newer than this program") && said.contains("use the tpv-migrate of 99.0.0"), "{said}");
    }
}

/// 0.1.0 was one store alone, and its tables were others. It is known by its extension, and by its
/// first migration.
#[test]
fn tpv_migrate_refuses_a_database_of_0_1_0_by_name() {
    let cluster = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    let this = Release::this().unwrap();
    let mut dba = cluster.connect().unwrap();
    let mut is_refused = |how: &str, sentence: &str| {
        dba.batch_execute(how).unwrap();
        for word in ["run", "status"] {
            let (code, said) = migrate(&this, &cluster, word);
            assert_eq!(code, 1, "{word}: {said}");
            assert!(said.contains(sentence) && said.contains("there is no upgrade from 0.1.0"), "{word}: {said}");
        }
    };
    is_refused(
        "update tpv_migration.history set checksum = '8439890014418508976' where version = 1",
        "made by tpv 0.1.0",
    );
    is_refused(
        "update pg_extension set extversion = '0.1.0' where extname = 'pg_tpv'",
        "the extension pg_tpv is 0.1.0",
    );
}
