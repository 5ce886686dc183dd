//! A chain of the last release, which is upgraded one node after the other while it works.
//!
//! Its databases are of the release. Its library is the one that is built: so a node stands between the
//! first two steps of its upgrade. `./tpv test rolling` builds the release as well (`TPV_RELEASED` names the
//! folder), and the nodes have the library of the release until they are upgraded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tpv_lab::chain::{Chain, Plan, register_central};
use tpv_lab::cluster::{Cluster, PgTree, bootstrap};
use tpv_lab::machine::{Lab, run};
use tpv_lab::node::STORES;
use tpv_lab::store;
use tpv_lab::store::Receipts;
use tpv_lab::wait::until_true;
use tpv_migrations::Release;

use super::{THIS, migrate};
use crate::support::{CUSTOMERS, HEADS, SOON, all_say, ask, run as run_at, sell, until_at, until_verified};

/// The last release before this version.
struct Before {
    release: Release,
    /// Where it was built, if it was.
    built: Option<PathBuf>,
    tree: PgTree,
}

impl Before {
    fn find(lab: &Lab) -> Self {
        let released = fs::read_to_string(lab.checkout.join("migrations/released.txt")).unwrap();
        let lines = released.lines().filter(|line| !line.starts_with('#'));
        let versions = lines.map(|line| line.rsplit(' ').next().unwrap());
        // On the commit of a release its own lines are there too.
        let of_before: Vec<_> = versions.filter(|version| *version != THIS).collect();
        let version = (*of_before.last().unwrap()).to_owned();
        let mut release = Release::this().unwrap();
        release.migrations.truncate(of_before.len());
        release.extension = version;
        let built = std::env::var_os("TPV_RELEASED").map(PathBuf::from);
        let files = built.as_deref().map(files_in).unwrap_or_default();
        Self { release, built, tree: PgTree::with(lab, &files).unwrap() }
    }

    /// A server with an empty database of the release.
    fn node(&self, lab: &Lab) -> Cluster {
        let mut node = Cluster::for_test(lab).unwrap();
        let mut dba = node.connect_as("postgres", "postgres").unwrap();
        dba.batch_execute("drop database tpv with (force)").unwrap();
        dba.batch_execute("create database tpv owner tpv_owner template template0 encoding 'UTF8'").unwrap();
        drop(dba);
        restart_with(&mut node, &self.tree);
        let create = format!("create extension pg_tpv version '{}'", self.release.extension);
        node.connect().unwrap().batch_execute(&create).unwrap();
        match &self.built {
            None => {
                bootstrap(&node, &lab.program("tpv-migrate").unwrap()).unwrap();
                let (code, said) = migrate(&self.release, &node, "run");
                assert_eq!(code, 0, "{said}");
            }
            Some(folder) => {
                let program = folder.join("tpv-migrate");
                bootstrap(&node, &program).unwrap();
                run(Command::new(program).args(["run", "--database-url", &node.dba_url()])).unwrap();
            }
        }
        node
    }
}

/// What cargo-pgrx packaged of the release.
fn files_in(built: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![built.join("package")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.retain(|file| file.file_name().is_some_and(|name| name != "stamp"));
    assert!(files.iter().any(|file| file.extension().is_some_and(|end| end == "so")), "{files:?}");
    files
}

fn restart_with(node: &mut Cluster, tree: &PgTree) {
    node.stop().unwrap();
    node.set_files(tree.clone());
    node.start().unwrap();
}

/// The steps of operations.md: new files and a new start, the extension, its rights, the migrations.
fn upgrade(node: &mut Cluster, lab: &Lab) {
    restart_with(node, &PgTree::prepare(lab).unwrap());
    node.connect().unwrap().batch_execute("alter extension pg_tpv update").unwrap();
    bootstrap(node, &lab.program("tpv-migrate").unwrap()).unwrap();
    let this = Release::this().unwrap();
    for word in ["run", "status"] {
        let (code, said) = migrate(&this, node, word);
        assert_eq!(code, 0, "{word}: {said}");
    }
}

fn version_of(node: &Cluster) -> String {
    ask(node, "select extversion from pg_extension where extname = 'pg_tpv'")
}

/// Central and two stores, all of the release.
fn chain_of(before: &Before, lab: &Lab) -> Chain {
    let central = before.node(lab);
    register_central(&mut central.connect().unwrap()).unwrap();
    let mut chain = Chain { central, stores: Vec::new() };
    for store in STORES.into_iter().take(2) {
        let node = before.node(lab);
        store::register(&mut node.connect().unwrap(), store).unwrap();
        Plan::Join.run(store, &node, &chain.central).unwrap();
        chain.stores.push(node);
    }
    chain.converge().unwrap();
    chain
}

/// Each node sells and decides; the stores edit one customer at the same time. All of it is everywhere in
/// the end.
#[track_caller]
fn trade(chain: &Chain, receipts: &mut Receipts, step: &str) {
    run_at(&chain.central, &[&format!("insert into party.customer (name) values ('{step}')")]);
    chain.converge().unwrap();
    let edit = |phone: &str| format!("update party.customer set phone = '{phone}' where name = '{step}'");
    run_at(&chain.stores[0], &[&edit("one")]);
    run_at(&chain.stores[1], &[&edit("two")]);
    let insert = format!("insert into catalog.product (sku, description) values ('{step}', 'Pan')");
    run_at(&chain.central, &[&insert]);
    chain.stores.iter().for_each(|store| sell(store, receipts, 5));
    until_verified(chain);
    chain.converge().unwrap();
    let product = format!("select exists (select from catalog.product where sku = '{step}')");
    chain.stores.iter().for_each(|store| until_at(store, &product));
    for query in [CUSTOMERS, HEADS] {
        all_say(chain, query);
    }
    let count = |node: &Cluster, of: &str| ask(node, &format!("select count(*)::text from sales.receipt where {of}"));
    for (store, at) in STORES.iter().zip(&chain.stores) {
        let of = format!("node_id = {}", store.id);
        assert_eq!(count(&chain.central, &of), count(at, &of), "{step}: {}", store.code);
    }
    for node in chain.nodes() {
        let waits = "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null";
        assert_eq!(ask(node, waits), "", "{step}");
        let broken = "select string_agg(c::text, ', ') from wire.verify_chains() c where not intact";
        assert_eq!(ask(node, broken), "", "{step}");
    }
}

#[test]
fn a_rolling_upgrade_from_the_last_release_goes_on_while_the_chain_works() {
    let lab = Lab::open().unwrap();
    let before = Before::find(&lab);
    let mut chain = chain_of(&before, &lab);
    let mut receipts = Receipts::new(91);
    trade(&chain, &mut receipts, "of the release");
    // Central first; the stores on other days.
    upgrade(&mut chain.central, &lab);
    trade(&chain, &mut receipts, "central upgraded");
    upgrade(&mut chain.stores[0], &lab);
    trade(&chain, &mut receipts, "one store upgraded");
    assert_eq!(version_of(&chain.stores[1]), before.release.extension);
    upgrade(&mut chain.stores[1], &lab);
    trade(&chain, &mut receipts, "all upgraded");
    chain.nodes().for_each(|node| assert_eq!(version_of(node), THIS));
    assert_eq!(ask(&chain.central, "select count(*)::text from sales.receipt"), "40");
}

/// The page "Back to the version before" of operations.md.
#[test]
fn a_rolling_upgrade_that_went_wrong_at_a_store_is_taken_back_by_the_copy_of_before() {
    let lab = Lab::open().unwrap();
    let before = Before::find(&lab);
    let mut chain = chain_of(&before, &lab);
    let mut receipts = Receipts::new(92);
    upgrade(&mut chain.central, &lab);
    trade(&chain, &mut receipts, "before");

    let shell = |script: &str, data: &Path| {
        assert!(Command::new("sh").args(["-ec", script]).arg(data).status().unwrap().success(), "{script}");
    };
    let store = &mut chain.stores[0];
    store.stop().unwrap();
    shell("rm -rf \"$0.before\"; cp -a \"$0\" \"$0.before\"", &store.data());
    store.start().unwrap();
    upgrade(store, &lab);
    // Somebody decided here before it was noticed that something is wrong; and the others go on.
    run_at(&chain.stores[0], &["insert into party.customer (name) values ('meanwhile')"]);
    run_at(&chain.central, &["insert into party.customer (name) values ('at central')"]);
    chain.converge().unwrap();

    let store = &mut chain.stores[0];
    store.stop().unwrap();
    shell("rm -rf \"$0\"; mv \"$0.before\" \"$0\"", &store.data());
    store.set_files(before.tree.clone());
    store.start().unwrap();
    assert_eq!(version_of(store), before.release.extension);
    Plan::Rejoin.run(STORES[0], &chain.stores[0], &chain.central).unwrap();
    let is_whole = "select ((select count(*) from party.customer where name in ('meanwhile', 'at central')) = 2 \
        and not exists (select from sync.peer where coalesce(own_at < pg_postmaster_start_time(), true)) \
        and not exists (select from sync.restored where ended_at is null))::text";
    until_true("the store has got back what it forgot", SOON * 3, || ask(&chain.stores[0], is_whole) == "true")
        .unwrap();
    trade(&chain, &mut receipts, "back");
    upgrade(&mut chain.stores[0], &lab);
    trade(&chain, &mut receipts, "upgraded after all");
}
