//! Rows of a newer form: documents, operations, heartbeats.

use tpv_lab::chain::Chain;
use tpv_lab::store::Receipts;

use super::newer::{CUSTOMERS, all_are_alike, learns, replay, waits, writes_newer};
use crate::support::{INGEST, all_say, ana_is, journals_are_whole, of_ana, run, until_at, update_ana, with_ana};

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
