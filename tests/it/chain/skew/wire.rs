//! Rows of a newer form: documents, operations, heartbeats.

use tpv_lab::chain::Chain;
use tpv_lab::store::Receipts;

use super::newer::{CUSTOMERS, all_are_alike, learns, replay, waits, writes_newer};
use crate::support::{
    INGEST, address, all_say, ana_is, ask, journals_are_whole, of_ana, run, sell, until_at, until_verified, update_ana,
    with_ana,
};

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

/// Central is newer than one of its stores.
#[test]
fn what_a_newer_central_addresses_to_a_store_waits_there_and_everything_else_flows() {
    let chain = Chain::joined(2).unwrap();
    let (central, [behind, other]) = (&chain.central, &chain.stores[..]) else { unreachable!() };
    let mut receipts = Receipts::new(86);
    for _ in 0..2 {
        address(central, 100, 1, "transfer_note", 2, 1);
        address(central, 100, 1, "day_close", 1, 1);
        run(central, &["insert into party.customer (name) values ('of central')"]);
        sell(behind, &mut receipts, 3);
    }
    waits(behind, "transfer_note", "UNKNOWN_KIND", 4);
    until_at(behind, "select count(*) = 1 from sales.day_close where node_id = 100");
    until_at(behind, "select count(*) = 2 from party.customer");
    until_at(central, "select count(*) = 6 from sales.receipt");
    until_verified(&chain);
    assert_eq!(ask(other, "select count(*)::text from wire.doc where to_node is not null"), "0");
    // The store is upgraded.
    learns(behind, "update wire.doc set kind = 'day_close' where kind = 'transfer_note'");
    replay(behind);
    assert_eq!(ask(behind, "select count(*)::text from wire.doc where to_node = 1"), "6");
    sell(behind, &mut receipts, 1);
    until_at(central, "select count(*) = 7 from sales.receipt");
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

/// An older node does not send `more`, and names all hash chains in each heartbeat.
fn is_older(publication: &str, node_id: i32) -> String {
    format!(
        "begin; alter publication {publication} drop table wire.beat; \
         alter publication {publication} add table wire.beat (node_id, beat, hlc, low_water, ops, chains, version) \
           where (node_id = {node_id}); commit"
    )
}

const NAMES_ALL: &str = "new.chains := coalesce((select json_object_agg(h.chain, json_build_array(h.head_seq, \
    encode(h.head_hash, 'hex'), h.head_hlc))::text from sync.hash_chain h), '{}');";

/// What a heartbeat of a later version may say.
const SAYS_MORE: &str = "new.more := (new.more::jsonb || \
    '{\"lives\": {\"T04\": 2}, \"ignored\": [[1, null]], \"versions\": \"\\u00e1\"}')::text;";

/// One store is older than central and one is newer; then central is older than one and newer than
/// the other.
#[test]
fn heartbeats_of_older_and_newer_nodes_are_understood_in_both_directions() {
    let chain = Chain::joined(2).unwrap();
    let (central, [older, newer]) = (&chain.central, &chain.stores[..]) else { unreachable!() };
    let mut receipts = Receipts::new(84);
    writes_newer(older, "wire.beat", NAMES_ALL);
    writes_newer(newer, "wire.beat", SAYS_MORE);
    writes_newer(central, "wire.beat", &format!("{NAMES_ALL} {SAYS_MORE}"));
    run(older, &[&is_older("tpv_up", 1)]);
    run(central, &[&is_older("tpv_to_s02", 100)]);
    for _ in 0..3 {
        sell(older, &mut receipts, 2);
        sell(newer, &mut receipts, 3);
        run(central, &["insert into party.customer (name) values ('of central')"]);
        chain.converge().unwrap();
        until_verified(&chain);
    }
    let more = "select bool_and(more::jsonb ? 'lives') from (select more from wire.beat order by beat desc limit 1) b";
    [newer, central].into_iter().for_each(|node| until_at(node, more));
    assert_eq!(
        ask(
            central,
            "select string_agg(n::text, ' ' order by n) from (select count(*) as n from sales.receipt group by node_id) r"
        ),
        "6 9"
    );
    assert_eq!(all_say(&chain, "select count(*)::text from sync.drift where what <> 'operations'"), "0");
    journals_are_whole(&chain);
}

#[test]
fn a_heartbeat_that_cannot_be_read_is_on_record_once_and_stops_nothing() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    let mut receipts = Receipts::new(85);
    sell(store, &mut receipts, 1);
    until_verified(&chain);
    writes_newer(store, "wire.beat", "new.more := '[1'; new.ops := '{'; new.chains := '{\"T\\u0000\": 7}';");
    until_at(central, "select count(*) = 1 from sync.quarantine where code = 'BAD_BEAT'");
    sell(store, &mut receipts, 2);
    run(store, &["insert into party.customer (name) values ('of the store')"]);
    chain.converge().unwrap();
    until_at(central, "select count(*) = 3 from sales.receipt");
    let heard = "select (select beat from sync.peer) > 3 + (q.refused ->> 'beat')::bigint and q.refused ->> 'more' = '[1' \
        from sync.quarantine q where code = 'BAD_BEAT'";
    until_at(central, heard);
    assert_eq!(ask(central, "select count(*)::text from sync.quarantine"), "1", "once");
    assert_ne!(ask(central, "select sync.reconcile()::text"), "0", "nothing is verified");
    assert_eq!(ask(central, "select quarantined::text from sync.status where direction = 'receives'"), "1");

    run(store, &["drop trigger _150_newer on wire.beat"]);
    // It asks again after 50 seconds; the test does not wait for that.
    run(central, &["update sync.peer set heads_requested_at = null"]);
    run(central, &["select sync.dismiss(quarantine_id, 'the store is mended') from sync.quarantine"]);
    until_verified(&chain);
    let open = "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null";
    assert_eq!(all_say(&chain, open), "");
}
