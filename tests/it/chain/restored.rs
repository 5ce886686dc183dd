//! A server that was restored from a backup: it has forgotten what it decided, and the others have
//! not.

use std::process::Command;

use tpv_lab::chain::{Chain, Plan, bring_back};
use tpv_lab::cluster::Cluster;
use tpv_lab::node::STORES;
use tpv_lab::store::{Input, Receipts};
use tpv_lab::wait::until_true;

use crate::support::{
    CUSTOMERS, HEADS, INGEST, SOON, all_say, ask, of_ana, refused, run, sell, until_at, until_verified, update_ana,
    with_ana,
};

/// Copies the data of a server that stands still, as a backup or from one.
#[track_caller]
fn copy(from: &str, to: &str) {
    let done = Command::new("sh").args(["-c", "rm -rf \"$1\" && cp -a \"$0\" \"$1\"", from, to]).status().unwrap();
    assert!(done.success());
}

#[track_caller]
fn back_up(at: &mut Cluster) -> String {
    at.stop().unwrap();
    let data = at.data().display().to_string();
    let backup = format!("{data}.backup");
    copy(&data, &backup);
    at.start().unwrap();
    backup
}

#[track_caller]
fn restore(at: &mut Cluster, backup: &str) {
    at.stop().unwrap();
    copy(backup, &at.data().display().to_string());
    at.start().unwrap();
}

/// All have the same, and nobody was taken for somebody else on the way.
#[track_caller]
fn all_agree(chain: &Chain) {
    until_verified(chain);
    chain.converge().unwrap();
    for query in [CUSTOMERS, HEADS] {
        all_say(chain, query);
    }
    for node in chain.nodes() {
        // What was given twice is on record; nobody was taken for somebody else.
        let refused = "select string_agg(q::text, ', ') from sync.quarantine q where refused is not null and code <> 'NUMBER_REUSED'";
        assert_eq!(ask(node, refused), "");
        assert_eq!(ask(node, BROKEN), "");
    }
}

/// The plan says that the restored server is the one that its node has now.
#[track_caller]
fn taken_for_no_copy(chain: &Chain) {
    for node in chain.nodes() {
        until_at(node, "select not bool_or(state = 'refused' or advice like '%Two servers say%') from sync.status");
    }
}

const BROKEN: &str = "select string_agg(c::text, ', ') from wire.verify_chains() c where not intact";

/// The documents of store S02, as far as a node has them: what they say, when, and in which place.
const DOCUMENTS: &str = "select count(*) || ' ' || md5(string_agg(concat_ws(' ', doc_id, business_date, hlc, chain, chain_seq, \
    encode(prev_hash, 'hex'), encode(content_hash, 'hex')), ',' order by doc_id, business_date)) from wire.doc where node_id = 2";
const RECEIPTS: &str = "select count(*) || ' ' || md5(string_agg(r::text, ',' order by receipt_id)) from sales.receipt r where node_id = 2";
const SET_ASIDE: &str = "select string_agg(refused ->> 'patch', ' ' order by refused ->> 'patch') from sync.quarantine where code = 'NUMBER_REUSED' and refused ? 'patch'";
const NOTICED: &str = "select exists (select from sync.restored where ended_at is null)";
const IS_OVER: &str =
    "select exists (select from sync.restored) and not exists (select from sync.restored where ended_at is null)";

#[track_caller]
fn has_noticed(at: &Cluster) -> bool {
    at.connect().unwrap().query_one(NOTICED, &[]).unwrap().get(0)
}

/// Waits until a server that was restored has got back what it forgot.
#[track_caller]
fn until_over(at: &Cluster) {
    let open = "select concat_ws(' ', (select json_agg(r) from sync.restored r), (select json_agg(c) from sync.own_chain c), \
        (select json_agg(s) from sync.own_said s), (select count(*) from sync.head where lost_at is not null))";
    let mut dba = at.connect().unwrap();
    let done = until_true("it has got back what it forgot", SOON * 3, || dba.query_one(IS_OVER, &[]).unwrap().get(0));
    done.unwrap_or_else(|late| panic!("{late}: {}", ask(at, open)));
}

/// How a terminal hands in a receipt.
#[track_caller]
fn hand_in(at: &Cluster, input: &Input) {
    at.connect().unwrap().execute(INGEST, &[&input.terminal, &input.bytes]).unwrap();
}

/// Numbers that it gives from now on are new ones.
#[track_caller]
fn goes_on(chain: &Chain, at: &Cluster) {
    run(at, &[&update_ana("email = 'again'"), "insert into party.customer (name) values ('after')"]);
    all_agree(chain);
    for node in chain.nodes() {
        assert_eq!(ask(node, "select count(*)::text from party.customer where email = 'again' or name = 'after'"), "2");
    }
}

#[test]
fn a_central_that_was_restored_gets_back_what_it_decided_and_what_it_had_received() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(61);
    sell(&chain.stores[0], &mut receipts, 5);
    all_agree(&chain);
    let backup = back_up(&mut chain.central);
    let decide =
        "insert into catalog.product (sku, description) select 'p' || n, 'product' from generate_series(1, 40) n";
    run(&chain.central, &[decide, "update catalog.product set description = 'other' where sku < 'p2'"]);
    // What replaced the store's phone is nowhere but in what the stores have.
    run(&chain.stores[1], &[&update_ana("phone = 's02'"), "insert into party.customer (name) values ('s02')"]);
    chain.converge().unwrap();
    run(&chain.central, &[&update_ana("phone = 'central'"), "insert into party.customer (name) values ('central')"]);
    sell(&chain.stores[0], &mut receipts, 7);
    chain.converge().unwrap();
    let before = chain.everywhere(HEADS).unwrap();

    restore(&mut chain.central, &backup);
    assert_eq!(ask(&chain.central, "select count(*)::text from catalog.product"), "0");
    // By itself it asks nobody: what a store says that central forgot is on record.
    let stores: Vec<_> = STORES.into_iter().zip(&chain.stores).collect();
    bring_back(&chain.central, &stores).unwrap();
    all_agree(&chain);
    assert_eq!(chain.everywhere(HEADS).unwrap(), before);
    assert_eq!(ask(&chain.central, "select count(*)::text from sales.receipt where node_id = 1"), "12");
    let asked =
        "select count(*) filter (where ended_why = 'it is complete') || ' of ' || count(*) from sync.accepted_snapshot";
    assert_eq!(ask(&chain.central, asked), "2 of 2");
    taken_for_no_copy(&chain);
    goes_on(&chain, &chain.central);
}

#[test]
fn a_store_that_was_restored_gets_back_what_it_decided() {
    let mut chain = with_ana();
    all_agree(&chain);
    let backup = back_up(&mut chain.stores[1]);
    run(&chain.stores[1], &[&update_ana("phone = 's02'"), "insert into party.customer (name) values ('s02')"]);
    chain.converge().unwrap();
    run(&chain.central, &[&update_ana("phone = 'central'")]);
    chain.converge().unwrap();
    let before = chain.everywhere(HEADS).unwrap();

    restore(&mut chain.stores[1], &backup);
    until_at(&chain.stores[1], NOTICED);
    // It could be a copy: central sends it nothing until it joins again.
    until_at(&chain.stores[1], "select state = 'refused' from sync.status where direction = 'receives'");
    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    until_over(&chain.stores[1]);
    all_agree(&chain);
    taken_for_no_copy(&chain);
    assert_eq!(chain.everywhere(HEADS).unwrap(), before);
    goes_on(&chain, &chain.stores[1]);
}

/// It had sold and decided after the backup, was put back, and sold and decided again under the same
/// numbers before anybody noticed. The receipts of both lives are at both nodes, one that came twice
/// is there once, and of two operations with one number the first stands.
#[test]
fn a_store_that_worked_on_after_it_was_restored_keeps_the_receipts_of_both_lives() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(62);
    sell(&chain.stores[1], &mut receipts, 3);
    all_agree(&chain);
    let backup = back_up(&mut chain.stores[1]);
    let forgotten: Vec<Input> = (0..5).map(|_| receipts.good("T01")).collect();
    forgotten.iter().for_each(|input| hand_in(&chain.stores[1], input));
    run(&chain.stores[1], &[&update_ana("phone = 'today'"), "insert into party.customer (name) values ('first')"]);
    chain.converge().unwrap();
    all_agree(&chain);

    chain.central.stop().unwrap();
    restore(&mut chain.stores[1], &backup);
    hand_in(&chain.stores[1], &forgotten[3]);
    sell(&chain.stores[1], &mut receipts, 7);
    let again =
        ["insert into party.customer (name) values ('second')", "insert into party.customer (name) values ('third')"];
    run(&chain.stores[1], &[again[0], &update_ana("phone = 'early'"), again[1]]);
    assert!(!has_noticed(&chain.stores[1]), "it has no line");
    chain.central.start().unwrap();
    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    until_over(&chain.stores[1]);
    all_agree(&chain);

    let say_the_same = |query: &str| {
        let (own, central) = (ask(&chain.stores[1], query), ask(&chain.central, query));
        assert_eq!(own, central, "{query}");
        own
    };
    assert!(say_the_same(RECEIPTS).starts_with("15 "), "3 of before, 5 that were forgotten, 7 of since");
    say_the_same(DOCUMENTS);
    assert_eq!(all_say(&chain, &of_ana("phone")), "today");
    let names =
        "select string_agg(name, ' ' order by name) from party.customer where name in ('first', 'second', 'third')";
    assert_eq!(all_say(&chain, names), "first third", "the third had a number of its own");
    for node in [&chain.stores[1], &chain.central] {
        let aside = ask(node, SET_ASIDE);
        assert!(aside.contains("early") && aside.contains("second") && !aside.contains("third"), "{aside}");
    }
    sell(&chain.stores[1], &mut receipts, 2);
    all_agree(&chain);
    assert!(say_the_same(RECEIPTS).starts_with("17 "));
    goes_on(&chain, &chain.stores[1]);
}

/// A watcher whose store was restored hands in its files again, in the order of before, before the store
/// knows: each has its place of before, and in the end its time of before.
#[test]
fn receipts_that_are_handed_in_again_in_the_same_order_were_recorded_when_they_were_first() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(66);
    sell(&chain.stores[1], &mut receipts, 2);
    all_agree(&chain);
    let backup = back_up(&mut chain.stores[1]);
    let forgotten: Vec<Input> = (0..150).map(|_| receipts.good("T01")).collect();
    forgotten.iter().for_each(|input| hand_in(&chain.stores[1], input));
    all_agree(&chain);
    let before = ask(&chain.central, DOCUMENTS);

    chain.central.stop().unwrap();
    restore(&mut chain.stores[1], &backup);
    forgotten.iter().for_each(|input| hand_in(&chain.stores[1], input));
    assert_ne!(ask(&chain.stores[1], DOCUMENTS), before);
    // Where central looks, at the end of a hash chain, both have the same.
    hand_in(&chain.stores[1], &receipts.good("T01"));
    chain.central.start().unwrap();
    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    let told = until_true("the store knows when they were recorded", SOON, || {
        ask(&chain.stores[1], DOCUMENTS) == ask(&chain.central, DOCUMENTS)
    });
    told.unwrap();
    all_agree(&chain);
    let end = ask(&chain.central, RECEIPTS);
    assert!(end.starts_with("153 "), "{end}");
    assert_eq!(ask(&chain.stores[1], RECEIPTS), end);
    goes_on(&chain, &chain.stores[1]);
}

/// From the moment that central has confirmed WAL that the store has not, the store knows.
#[test]
fn a_store_that_knows_that_it_was_restored_goes_on_selling_in_another_life_and_decides_nothing() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(63);
    sell(&chain.stores[1], &mut receipts, 2);
    all_agree(&chain);
    let backup = back_up(&mut chain.stores[1]);
    sell(&chain.stores[1], &mut receipts, 4);
    run(&chain.stores[1], &[&update_ana("phone = 'today'")]);
    all_agree(&chain);
    restore(&mut chain.stores[1], &backup);
    until_at(&chain.stores[1], NOTICED);
    assert_eq!(refused(&chain.stores[1], &update_ana("phone = 'early'")), "55000");
    sell(&chain.stores[1], &mut receipts, 3);
    let lives = "select string_agg(chain || ' ' || n, ', ' order by chain) from (select chain, count(*) n from wire.doc \
        where node_id = 2 and kind = 'receipt' group by 1) c";
    assert_eq!(ask(&chain.stores[1], lives), "T01 2, T01~2 3");
    Plan::Rejoin.run(STORES[1], &chain.stores[1], &chain.central).unwrap();
    until_over(&chain.stores[1]);
    all_agree(&chain);
    for node in [&chain.stores[1], &chain.central] {
        assert_eq!(ask(node, lives), "T01 6, T01~2 3");
    }
    assert_eq!(all_say(&chain, &of_ana("phone")), "today");
    goes_on(&chain, &chain.stores[1]);
}

/// The restart of a server that was not restored makes nobody suspicious.
#[test]
fn a_server_that_only_started_again_has_forgotten_nothing() {
    let mut chain = with_ana();
    let mut receipts = Receipts::new(64);
    sell(&chain.stores[1], &mut receipts, 2);
    all_agree(&chain);
    chain.stores[1].kill().unwrap();
    chain.stores[1].start().unwrap();
    sell(&chain.stores[1], &mut receipts, 2);
    run(&chain.stores[1], &[&update_ana("phone = 'again'")]);
    chain.central.stop().unwrap();
    chain.central.start().unwrap();
    for (node, peers) in [(&chain.stores[1], 1), (&chain.central, 2)] {
        until_at(
            node,
            &format!("select count(*) = {peers} from sync.peer p join sync.server s on p.own_at > s.started_at"),
        );
    }
    all_agree(&chain);
    for node in chain.nodes() {
        assert_eq!(
            ask(
                node,
                "select concat_ws(' ', (select count(*) from sync.restored), (select count(*) from sync.own_said))"
            ),
            "0 0"
        );
        assert_eq!(
            ask(node, "select string_agg(distinct chain, ' ') from wire.doc where node_id = 2 and chain like '%~%'"),
            ""
        );
    }
}

/// Central takes no operation that names what it has forgotten, and passes on those after it. The other
/// store then has a gap, which does not keep it from giving central back what that forgot.
#[test]
fn a_central_that_was_restored_gets_back_what_stores_have_written_on() {
    let mut chain = with_ana();
    all_agree(&chain);
    let backup = back_up(&mut chain.central);
    run(&chain.central, &[&update_ana("phone = 'central'")]);
    chain.converge().unwrap();
    restore(&mut chain.central, &backup);
    run(&chain.stores[1], &[&update_ana("phone = 's02'"), "insert into party.customer (name) values ('later')"]);
    let stores: Vec<_> = STORES.into_iter().zip(&chain.stores).collect();
    bring_back(&chain.central, &stores).unwrap();
    until_over(&chain.central);
    all_agree(&chain);
    assert_eq!(all_say(&chain, &of_ana("phone")), "s02");
    let forged = "select string_agg(detail, ', ') from sec.audit where event in ('FORGED_SENDER', 'NOT_ENTITLED')";
    assert_eq!(ask(&chain.central, forged), "");
    goes_on(&chain, &chain.central);
}

/// The store has two values that nobody has chosen between, and central had forgotten one of them.
#[test]
fn a_central_that_was_restored_keeps_both_sides_of_a_conflict() {
    let mut chain = with_ana();
    all_agree(&chain);
    chain.cut(1).unwrap();
    run(&chain.stores[1], &[&update_ana("phone = 's02'")]);
    run(&chain.central, &[&update_ana("phone = 'central'")]);
    let backup = back_up(&mut chain.central);
    chain.mend(1).unwrap();
    run(&chain.central, &["insert into party.customer (name) values ('forgotten')"]);
    chain.converge().unwrap();
    all_agree(&chain);
    let before = chain.everywhere(HEADS).unwrap();
    let both = "select count(*)::text from sync.sibling where column_name = 'phone'";
    assert_ne!(all_say(&chain, both), "0");

    restore(&mut chain.central, &backup);
    let stores: Vec<_> = STORES.into_iter().zip(&chain.stores).collect();
    bring_back(&chain.central, &stores).unwrap();
    until_over(&chain.central);
    all_agree(&chain);
    assert_eq!(chain.everywhere(HEADS).unwrap(), before);
    assert_ne!(all_say(&chain, both), "0");
    goes_on(&chain, &chain.central);
}

/// Two stores say so, and central believes them.
#[test]
fn a_central_that_decided_again_after_it_was_restored_lets_stand_what_came_first() {
    let mut chain = with_ana();
    all_agree(&chain);
    let backup = back_up(&mut chain.central);
    run(
        &chain.central,
        &[&update_ana("phone = 'today'"), "insert into catalog.product (sku, description) values ('p1', 'first')"],
    );
    chain.converge().unwrap();
    all_agree(&chain);
    chain.stores.iter_mut().for_each(|store| store.stop().unwrap());
    restore(&mut chain.central, &backup);
    run(
        &chain.central,
        &[
            &update_ana("phone = 'early'"),
            "insert into catalog.product (sku, description) values ('p2', 'second')",
            "insert into catalog.product (sku, description) values ('p3', 'third')",
        ],
    );
    assert!(!has_noticed(&chain.central));
    chain.stores.iter_mut().for_each(|store| store.start().unwrap());
    until_at(&chain.central, NOTICED);
    assert_eq!(refused(&chain.central, "insert into catalog.product (sku, description) values ('p4', 'no')"), "55000");
    let stores: Vec<_> = STORES.into_iter().zip(&chain.stores).collect();
    bring_back(&chain.central, &stores).unwrap();
    until_over(&chain.central);
    all_agree(&chain);
    assert_eq!(all_say(&chain, &of_ana("phone")), "today");
    assert_eq!(all_say(&chain, "select string_agg(sku, ' ' order by sku) from catalog.product"), "p1 p3");
    let aside = ask(&chain.central, SET_ASIDE);
    assert!(aside.contains("early") && aside.contains("second") && !aside.contains("third"), "{aside}");
    goes_on(&chain, &chain.central);
}
