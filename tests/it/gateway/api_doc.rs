//! docs/api.md is run as it stands: its commands, one after the other in one shell, against a chain
//! that has what `./tpv up` leaves behind.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value};
use tpv_lab::chain::Chain;
use tpv_lab::gateway::Doors;
use tpv_lab::machine::Lab;
use tpv_lab::node::{CENTRAL, STORES};
use tpv_lab::store::{Spool, Watcher, WatcherOptions};

#[test]
fn the_session_of_the_page_runs() {
    let (lab, chain) = (Lab::open().unwrap(), Chain::joined(1).unwrap());
    let store = &chain.stores[0];
    let spool = Spool::make(&lab.folder("spools").unwrap().join(&store.node)).unwrap();
    let options = WatcherOptions {
        spool: spool.root.clone(),
        database_url: store.url("tpv_watcher", "tpv"),
        arguments: Vec::new(),
        tracer: Vec::new(),
        log: store.folder.join("watcher.log"),
    };
    let _watcher = Watcher::start(&lab, &options).unwrap();
    let nodes = [(CENTRAL, &chain.central), (STORES[0], store)];
    let doors = Doors::open(&lab, nodes, &[]).unwrap();

    let checkout = chain.central.folder.join("checkout");
    fs::create_dir_all(checkout.join(".tpv")).unwrap();
    let mut users = Map::new();
    let mut env = format!("export S01_SPOOL='{}'\n", spool.root.display());
    for (node, gateway) in &doors.gateways {
        let people: Map<_, _> = doors.staff.at(*node).map(|one| (one.key.to_owned(), one.shown())).collect();
        users.insert(node.code.to_owned(), people.into());
        env += &format!("export {}_API='http://{}'\n", node.code, gateway.address);
    }
    fs::write(checkout.join(".tpv/env"), env).unwrap();
    fs::write(checkout.join(".tpv/users.json"), Value::Object(users).to_string()).unwrap();

    let page = fs::read_to_string(lab.checkout.join("docs/api.md")).unwrap();
    let blocks: Vec<_> = page.split("```bash\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 5, "{page}");
    let script = format!("set -euo pipefail\n{}", blocks.join("\n"));
    let shell = Command::new("bash").args(["-c", &script]).current_dir(&checkout).output().unwrap();
    let (said, faults) = (String::from_utf8_lossy(&shell.stdout), String::from_utf8_lossy(&shell.stderr));
    assert!(shell.status.success(), "{said}\n{faults}");

    // What the page says of some of them.
    let events: i64 =
        store.connect().unwrap().query_one("select count(*) from wire.doc where kind = 'release'", &[]).unwrap().get(0);
    assert_eq!(events, 1, "the second request had no second effect: {said}");
    for word in ["TOTAL_MISMATCH", "version_moved_on", "session_ended"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let _ = fs::remove_dir_all(&spool.root);
}
