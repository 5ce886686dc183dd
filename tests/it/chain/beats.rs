//! Heartbeats name the hash chains that moved. Whatever is lost, a peer finds out what it lacks.

use postgres::Client;
use tpv_lab::chain::{Chain, Plan};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::{self, Receipts};
use tpv_lab::wait::{until, until_true};

use crate::support::{INGEST, SOON, address, ask, run, sell, until_at, until_verified};

const NO_CRON: &str = "update cron.job set active = false";

/// What is addressed to a node, as it is there: writer, how many, up to which number.
fn addressed(to: i32) -> String {
    format!(
        "select coalesce(string_agg(concat_ws(' ', node_id, n, last), ', ' order by node_id), '') from ( \
           select node_id, count(*) as n, max(chain_seq) as last from wire.doc where to_node = {to} group by 1) d"
    )
}

/// What was found missing and came.
const FOUND: &str = "select coalesce(string_agg(what || ' ' || subject, ', ' order by what, subject), '') \
    from sync.drift where resolved_at is not null";

/// A heartbeat is missing.
const NOTICED: &str = "select bool_or(gap_beat is not null) from sync.peer";

const LAST_BEAT: &str = "select max(beat) from wire.beat";

/// Waits for so many more heartbeats of a node; answers the number of the last one before.
fn beats(at: &Cluster, more: i64) -> i64 {
    let mut dba = at.connect().unwrap();
    let mut last = || dba.query_one(LAST_BEAT, &[]).unwrap().get::<_, Option<i64>>(0).unwrap_or(0);
    let before = last();
    until_true("heartbeats are written", SOON, || last() >= before + more).unwrap();
    before
}

/// While nobody fetches, moves the slot on: what was written since is never sent.
fn skip(at: &Cluster, slot: &str) {
    let skip = format!(
        "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) is not null from pg_replication_slots \
         where slot_name = '{slot}' and active_pid is null"
    );
    let mut dba = at.connect().unwrap();
    until("the slot is moved", SOON, || dba.query_opt(&skip, &[]).ok().flatten()).unwrap();
}

fn hand_in(till: &mut Client, receipts: &mut Receipts, terminal: &str) {
    let receipt = receipts.good(terminal);
    till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
}

/// A document in the middle of a hash chain is lost at central. The heartbeats after that do not
/// name the chain, since it does not move.
#[test]
fn what_is_lost_of_a_hash_chain_that_rests_is_found() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    run(central, &[NO_CRON]);
    let (mut receipts, mut till) = (Receipts::new(81), store.connect().unwrap());
    (0..3).for_each(|_| hand_in(&mut till, &mut receipts, "T02"));
    until_at(central, "select count(*) = 1 from sync.peer_chain where name = 'T02' and chain_seq = 3");
    run(
        central,
        &["begin; set local pg_tpv.maintenance = on; \
           with lost as (delete from wire.doc where chain = 'T02' and chain_seq = 2 returning doc_id), \
             line as (delete from sales.receipt_line l using lost where l.receipt_id = doc_id) \
           delete from sales.receipt r using lost where r.receipt_id = doc_id; commit"],
    );
    let before = beats(store, 1) + 1;
    hand_in(&mut till, &mut receipts, "T01");
    beats(store, 2);
    let named = format!(
        "select string_agg(distinct c, ',') from wire.beat b cross join json_object_keys(b.chains::json) c \
        where beat > {before}"
    );
    assert_eq!(ask(store, &named), "T01");
    until_verified(&chain);
    assert_eq!(ask(central, FOUND), "hash_chain T02");
    assert_eq!(ask(central, "select count(*)::text from sales.receipt"), "4");
    assert_eq!(ask(central, "select bool_and(intact)::text from wire.verify_chains()"), "true");
}

/// The heartbeat that named a chain is lost with its documents, and the chain rests since.
#[test]
fn who_has_missed_a_heartbeat_asks_for_all_and_says_nothing_is_verified_until_then() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    let mut receipts = Receipts::new(82);
    sell(store, &mut receipts, 2);
    until_verified(&chain);
    chain.cut(0).unwrap();
    let before: String = ask(central, "select coalesce(verified_until, 'infinity')::text from sync.peer");
    let until_before: String = ask(central, "select received_until::text from sync.peer");
    sell(store, &mut receipts, 7);
    beats(store, 2);
    skip(store, "tpv_up_s01");
    chain.mend(0).unwrap();
    until_at(central, NOTICED);
    let mut dba = central.connect().unwrap();
    let sound = format!(
        "select whole_hlc = beat_hlc or (verified_until = '{before}' and received_until = '{until_before}'), \
                gap_beat is null from sync.peer"
    );
    until_true("both were compared", SOON, || {
        let row = dba.query_one(&sound, &[]).unwrap();
        assert!(row.get::<_, Option<bool>>(0) == Some(true), "it believes to know what it does not");
        dba.execute("select sync.reconcile()", &[]).unwrap();
        row.get(1)
    })
    .unwrap();
    until_verified(&chain);
    assert_eq!(ask(central, "select count(*)::text from sales.receipt"), "9");
    assert_eq!(ask(central, FOUND), "hash_chain T01");
    // It has asked a moment ago; meanwhile people see why nothing is verified.
    run(central, &["update sync.peer set whole_hlc = 0, heads_requested_at = clock_timestamp()"]);
    until_at(central, "select advice like 'a heartbeat is missing%' from sync.status where direction = 'receives'");
    assert_eq!(ask(central, "select sync.reconcile()::text"), "1");
    run(central, &["update sync.peer set heads_requested_at = null"]);
    until_verified(&chain);
}

#[test]
fn a_background_worker_that_starts_anew_names_all_hash_chains() {
    let chain = Chain::joined(1).unwrap();
    let store = &chain.stores[0];
    sell(store, &mut Receipts::new(83), 1);
    beats(store, 3);
    let last = "select chains from wire.beat order by beat desc limit 1";
    assert_eq!(ask(store, last), "{}", "nothing moves");
    let before = beats(store, 1);
    run(store, &["select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'pg_tpv worker'"]);
    let names = format!(
        "select exists (select from wire.beat where beat > {before} and chains like '%T01%' and more = '{{}}')"
    );
    until_at(store, &names);
    // A heartbeat that is rolled back has told nobody anything.
    let mut dba = store.connect().unwrap();
    dba.batch_execute("begin; select tpv.beat(); rollback; begin; select tpv.beat(); commit").unwrap();
    let own = "select more from wire.beat order by beat desc limit 1";
    assert_eq!(dba.query_one(own, &[]).unwrap().get::<_, String>(0), "{}");
    until_verified(&chain);
}

#[test]
fn a_hole_in_what_central_addresses_to_a_store_is_found_and_filled() {
    let chain = Chain::joined(2).unwrap();
    let (central, to) = (&chain.central, &chain.stores[1]);
    address(central, 100, 2, "day_close", 5, 1);
    until_at(to, &format!("select ({}) = '100 5 5'", addressed(2)));
    until_verified(&chain);
    let heard = "select string_agg(concat_ws(' ', name, writer_id, chain, chain_seq), ', ') from sync.peer_chain";
    until_at(to, &format!("select coalesce(({heard}) = '>2 100 >2 5', false)"));
    chain.cut(1).unwrap();
    address(central, 100, 2, "day_close", 3, 1);
    beats(central, 1);
    skip(central, "tpv_to_s02");
    chain.mend(1).unwrap();
    address(central, 100, 2, "day_close", 1, 1);
    until_at(to, &format!("select ({}) = '100 6 9'", addressed(2)));
    until_at(to, NOTICED);
    until_verified(&chain);
    assert_eq!(ask(to, &addressed(2)), "100 9 9");
    assert_eq!(ask(to, FOUND), "hash_chain >2");
    assert_eq!(ask(to, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    // Nobody else was sent any, or asked to compare them.
    assert_eq!(ask(&chain.stores[0], "select count(*)::text from wire.doc where to_node is not null"), "0");
    assert_eq!(ask(&chain.stores[0], heard), "");
    assert_eq!(ask(&chain.stores[0], FOUND), "");
}

/// Central passes them on, and says how far it has them itself.
#[test]
fn a_hole_in_what_a_store_addresses_to_another_store_is_found_and_filled() {
    let chain = Chain::joined(2).unwrap();
    let (from, to) = (&chain.stores[0], &chain.stores[1]);
    run(to, &[NO_CRON]);
    address(from, 1, 2, "day_close", 6, 1);
    until_at(to, &format!("select ({}) = '1 6 6'", addressed(2)));
    let forget = |seq: &str| {
        format!(
            "begin; set local pg_tpv.maintenance = on; delete from wire.doc where node_id = 1 and chain_seq {seq}; commit"
        )
    };
    run(to, &[&forget("in (3, 4)")]);
    let head = "select concat_ws(' ', writer_id, chain, chain_seq) from sync.peer_chain where name = '1>2'";
    let mut dba = to.connect().unwrap();
    until_true("central says how far it has them", SOON, || {
        run(&chain.central, &["select sync.reconcile()"]);
        dba.query_opt(head, &[]).unwrap().is_some_and(|row| row.get::<_, String>(0) == "1 >2 6")
    })
    .unwrap();
    until_verified(&chain);
    assert_eq!(ask(to, FOUND), "hash_chain 1>2");
    assert_eq!(ask(to, &addressed(2)), "1 6 6");
    assert_eq!(ask(to, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    // Central itself misses the last ones: it asks the store, and then says more.
    run(&chain.central, &[NO_CRON]);
    chain.cut(0).unwrap();
    address(from, 1, 2, "day_close", 4, 1);
    skip(from, "tpv_up_s01");
    chain.mend(0).unwrap();
    address(from, 1, 2, "day_close", 1, 1);
    until_at(to, &format!("select ({}) = '1 7 11'", addressed(2)));
    until_true("all came by two stations", SOON * 2, || {
        run(&chain.central, &["select sync.reconcile()"]);
        run(to, &["select sync.reconcile()"]);
        dba.query_one(&addressed(2), &[]).unwrap().get::<_, String>(0) == "1 11 11"
    })
    .unwrap();
    until_verified(&chain);
}

/// The stream begins when the store joins. What central addressed to it before comes by comparing.
#[test]
fn thousands_of_addressed_documents_are_sent_again_in_parts() {
    let mut chain = Chain::joined(1).unwrap();
    run(&chain.central, &["select sync.add_peer(2, 'S02', 'store')"]);
    address(&chain.central, 100, 2, "day_close", 4000, 1000);
    address(&chain.central, 100, 2, "day_close", 80, 60_000);
    address(&chain.central, 100, 2, "day_close", 500, 10);
    let newcomer = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    store::register(&mut newcomer.connect().unwrap(), STORES[1]).unwrap();
    Plan::Join.run(STORES[1], &newcomer, &chain.central).unwrap();
    chain.stores.push(newcomer);
    let to = &chain.stores[1];
    let mut dba = to.connect().unwrap();
    until_true("all of them are here", SOON * 6, || {
        dba.execute("select sync.reconcile()", &[]).unwrap();
        dba.query_one(&addressed(2), &[]).unwrap().get::<_, String>(0) == "100 4580 4580"
    })
    .unwrap();
    until_verified(&chain);
    // Operations of the join may be late, too.
    assert!(ask(to, FOUND).starts_with("hash_chain >2"));
    assert_eq!(ask(to, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    let parts = "select concat_ws(' ', count(*) >= 46, max(octet_length(body)) < 2000000) from wire.resend \
        where to_node = 2 and kind = 'documents'";
    assert_eq!(ask(&chain.central, parts), "t t");
}

/// A store that was tampered with addresses nothing to another store, in the hash chain that is for
/// it. The other one would wait for these documents for ever.
#[test]
fn a_document_in_the_hash_chain_of_another_addressee_is_refused_and_freezes_nobody() {
    let chain = Chain::joined(2).unwrap();
    let (central, from, to) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    run(
        from,
        &[
            "create function public.elsewhere() returns trigger language plpgsql as $$ begin new.to_node := null; return new; end $$",
            "create trigger _150_elsewhere before insert on wire.doc for each row when (new.chain = '>2') \
             execute function public.elsewhere()",
        ],
    );
    address(from, 1, 2, "day_close", 3, 1);
    until_at(central, "select count(*) = 1 from sync.quarantine where code = 'WRONG_CHAIN'");
    beats(from, 2);
    until_at(central, "select exists (select from sync.peer_chain where name = '>2' and chain_seq = 3)");
    run(central, &["select sync.reconcile()"]);
    let open = "select string_agg(subject, ' ') from sync.drift where resolved_at is null";
    assert_eq!(ask(central, open), ">2", "central says whose documents it lacks");
    sell(to, &mut Receipts::new(3), 2);
    beats(central, 2);
    until_at(to, "select bool_and(sync.reconcile() = 0)");
    assert_eq!(ask(to, open), "", "the other store is told of nothing that it never gets");
    assert_eq!(ask(central, "select count(*)::text from wire.doc where chain = '>2'"), "0");
    assert_eq!(ask(central, "select count(*)::text from sync.quarantine"), "1", "and one of them is kept");
}

/// Its worker may be in a long transaction, and have the row.
#[test]
fn a_peer_whose_row_is_locked_holds_up_neither_others_nor_heartbeats() {
    let chain = Chain::joined(2).unwrap();
    let central = &chain.central;
    run(central, &[NO_CRON]);
    until_verified(&chain);
    let mut long = central.connect().unwrap();
    let mut worker = long.transaction().unwrap();
    worker.batch_execute("update sync.peer set whole_hlc = null where node_id = 2").unwrap();
    sell(&chain.stores[0], &mut Receipts::new(4), 2);
    beats(central, 2);
    let verified = "set lock_timeout = '1s'; select sync.reconcile()";
    let before = ask(central, "select verified_at::text from sync.peer where node_id = 1");
    run(central, &[verified]);
    assert_ne!(ask(central, "select verified_at::text from sync.peer where node_id = 1"), before);
    worker.rollback().unwrap();
}
