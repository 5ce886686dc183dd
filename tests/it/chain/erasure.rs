//! A customer is erased, and nothing brings a value back: neither a store that was away, nor what
//! is sent again, nor the snapshot of a node that has not heard.

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;

use crate::support::{
    ANA, HEADS, all_say, ask, journals_are_whole, of_ana, refused, run, until_at, until_verified, update_ana, with_ana,
};

/// Every row of a node that could hold a value of hers and does.
const LEFT: &str = "select string_agg(row, e'\\n') from ( \
    select 'row ' || c::text as row from party.customer c union all select 'operation ' || o::text from wire.op o \
    union all select 'heads ' || h::text from sync.head h union all select 'conflict ' || s::text from sync.sibling s \
    union all select 'quarantine ' || q::text from sync.quarantine q) t where row like '%SECRET%'";

/// Her operations, as they are stored. Of others a store lacks those from before it joined.
const JOURNAL: &str = "select string_agg(o::text, e'\\n' order by node_id, seq) from wire.op o \
    where key = '00000000-0000-7000-8000-0000000000aa'";

fn erase(at: &Cluster) {
    run(at, &[&format!("select party.erase('{ANA}', 'request 7')")]);
}

/// Ana, of whom every node knows something.
fn with_secrets() -> Chain {
    let chain = with_ana();
    for (store, at) in chain.stores.iter().enumerate() {
        run(
            at,
            &[&update_ana(&format!(
                "name = 'SECRET {store}', tags = tags || '[\"SECRET {store}\"]', phone = 'SECRET'"
            ))],
        );
        chain.converge().unwrap();
    }
    chain
}

fn is_forgotten(chain: &Chain) {
    chain.converge().unwrap();
    assert_eq!(all_say(chain, LEFT), "");
    let row =
        "concat_ws('|', name, email, phone, street, postcode, city, country, tags, consent, home_node_id, deleted)";
    assert_eq!(all_say(chain, &of_ana(row)), "|[]|none|t");
    all_say(chain, HEADS);
    assert_eq!(all_say(chain, "select count(*)::text from sec.audit where event = 'ERASED'"), "1");
    for node in chain.nodes() {
        assert_eq!(refused(node, &update_ana("name = 'SECRET again'")), "55000", "at {}", node.node);
        assert_eq!(refused(node, &update_ana("deleted = false")), "55000", "at {}", node.node);
    }
}

#[test]
fn a_store_that_was_away_forgets_what_it_knew_and_what_it_wrote_meanwhile() {
    let chain = with_secrets();
    chain.cut(0).unwrap();
    run(
        &chain.stores[0],
        &[
            &update_ana("phone = 'SECRET away', tags = '[\"SECRET away\"]'"),
            &update_ana("deleted = true"),
            &update_ana("deleted = false"),
        ],
    );
    erase(&chain.central);
    until_at(&chain.stores[1], &format!("select deleted from party.customer where customer_id = '{ANA}'"));
    assert_eq!(ask(&chain.stores[1], LEFT), "");
    chain.mend(0).unwrap();
    is_forgotten(&chain);
    all_say(&chain, JOURNAL);
    journals_are_whole(&chain);
    until_verified(&chain);
}

#[test]
fn two_nodes_that_erase_at_once_agree() {
    let chain = with_secrets();
    chain.cut(0).unwrap();
    erase(&chain.stores[0]);
    run(&chain.stores[1], &[&update_ana("email = 'SECRET@x'")]);
    erase(&chain.stores[1]);
    chain.mend(0).unwrap();
    is_forgotten(&chain);
    all_say(&chain, JOURNAL);
    journals_are_whole(&chain);
}

/// From a disk, or a peer, that still has them as they were.
#[test]
fn operations_that_are_sent_again_as_they_were_are_repeats_and_bring_nothing_back() {
    let chain = with_secrets();
    run(
        &chain.central,
        &[
            "create table party.disk as select * from wire.op where node_id = 2 or node_id = 100",
            "select count(*) from party.disk",
        ],
    );
    erase(&chain.central);
    is_forgotten(&chain);
    let again = "select sync.send(1, 'operations', json_build_object('operations', json_agg(json_build_array( \
        node_id, seq, hlc, table_name, key, patch, base)))::text) from party.disk";
    // One that was never here: its node was away for long.
    let late = format!(
        "select sync.send(1, 'operations', json_build_object('operations', json_build_array(json_build_array( \
         77, 1, 1, 'party.customer', '{ANA}', '{{\"@exists\":true,\"name\":\"SECRET\",\"tags/SECRET\":true}}', '{{}}')))::text)"
    );
    // And another operation under a number that was used: a copy is kept, without what it says of
    // her.
    let reused = format!(
        "select sync.send(1, 'operations', json_build_object('operations', json_build_array(json_build_array( \
         77, 1, 2, 'party.customer', '{ANA}', '{{\"name\":\"SECRET other\"}}', '{{}}')))::text)"
    );
    run(&chain.central, &[again, &late]);
    let store = &chain.stores[0];
    until_at(store, "select exists (select from wire.op where node_id = 77)");
    assert_eq!(ask(store, "select string_agg(q::text, ', ') from sync.quarantine q"), "");
    run(&chain.central, &[&reused]);
    until_at(store, "select exists (select from sync.quarantine where code = 'NUMBER_REUSED')");
    assert_eq!(ask(store, LEFT), "");
    assert_eq!(ask(store, "select patch from wire.op where node_id = 77"), r#"{"@blank":true,"@exists":true}"#);
    assert_eq!(ask(store, &of_ana("row(name, tags, deleted)")), "(\"\",[],t)");
}

#[test]
fn a_snapshot_of_a_node_that_has_not_heard_brings_nothing_back() {
    let chain = with_secrets();
    let store = &chain.stores[0];
    run(store, &["alter subscription tpv_from_central disable"]);
    erase(&chain.central);
    assert_eq!(ask(store, &of_ana("name")), "SECRET 1");
    // Central has asked for it.
    run(&chain.central, &["select sync.accept_snapshot(1, 'a test')"]);
    let asked = ask(&chain.central, "select snapshot_id::text from sync.accepted_snapshot");
    run(store, &[&format!("select sync.send_snapshot(100, '{asked}')")]);
    until_at(
        &chain.central,
        "select exists (select from sync.snapshot where node_id = 1 and completed_at is not null)",
    );
    assert_eq!(ask(&chain.central, LEFT), "");
    assert_eq!(ask(&chain.central, &of_ana("deleted")), "true");
    // And the other way round: the snapshot of a node that has heard.
    run(&chain.central, &["select sync.send_snapshot(2)"]);
    until_at(
        &chain.stores[1],
        "select exists (select from sync.snapshot where node_id = 100 and completed_at > now() - interval '1 minute')",
    );
    run(store, &["alter subscription tpv_from_central enable"]);
    is_forgotten(&chain);
}
