//! What never came, or came under a number that was used before, is found.

use postgres::Client;
use tpv_lab::chain::Chain;
use tpv_lab::store::Receipts;
use tpv_lab::wait::{until, until_true};

use crate::support::{SOON, ask, journals_have_no_gap, run, sell, until_at, until_verified};

/// The slot was moved on by hand: no error anywhere, and rows that never came.
#[test]
fn rows_that_were_skipped_are_found_asked_for_and_sent_again() {
    let chain = Chain::joined(2).unwrap();
    let mut receipts = Receipts::new(54);
    sell(&chain.stores[0], &mut receipts, 10);
    chain.converge().unwrap();
    until_verified(&chain);
    let until_before = ask(&chain.central, "select received_until::text from sync.peer where node_id = 1");

    chain.cut(0).unwrap();
    run(&chain.stores[0], &["insert into party.customer (name) values ('skipped up')"]);
    run(&chain.central, &["insert into party.customer (name) values ('skipped down')"]);
    sell(&chain.stores[0], &mut receipts, 7);
    for node in [&chain.central, &chain.stores[0]] {
        let mut dba = node.connect().unwrap();
        let count = |dba: &mut Client| dba.query_one("select max(beat) from wire.beat", &[]).unwrap().get::<_, i64>(0);
        let before = count(&mut dba);
        until_true("a beat falls into the gap", SOON, || count(&mut dba) > before).unwrap();
    }
    for (at, slot) in [(&chain.central, "tpv_to_s01"), (&chain.stores[0], "tpv_up_s01")] {
        let skip = format!(
            "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) is not null from pg_replication_slots \
                            where slot_name = '{slot}' and active_pid is null"
        );
        let mut dba = at.connect().unwrap();
        until("the slot is moved", SOON, || dba.query_opt(&skip, &[]).ok().flatten()).unwrap();
    }
    chain.mend(0).unwrap();
    sell(&chain.stores[0], &mut receipts, 5);
    run(&chain.stores[0], &["insert into party.customer (name) values ('came')"]);
    let mut central = chain.central.connect().unwrap();
    until_true("the gap is noticed", SOON, || {
        central.query_one("select gap_beat is not null from sync.peer where node_id = 1", &[]).unwrap().get(0)
    })
    .unwrap();
    let stands = "select (received_until < clock_timestamp() - interval '0.1 s' and received_until >= $1::text::timestamptz)::text \
                  from sync.peer where node_id = 1";
    assert_eq!(central.query_one(stands, &[&until_before]).unwrap().get::<_, String>(0), "true");
    assert_eq!(ask(&chain.central, "select (count(*) < 22)::text from sales.receipt where node_id = 1"), "true");

    until_verified(&chain);
    chain.converge().unwrap();
    assert_eq!(ask(&chain.central, "select count(*)::text from sales.receipt where node_id = 1"), "22");
    assert_eq!(ask(&chain.central, "select bool_and(intact)::text from wire.verify_chains()"), "true");
    let found = "select string_agg(what || ' ' || subject, ', ' order by what, subject) from sync.drift where resolved_at is not null";
    assert_eq!(ask(&chain.central, found), "hash_chain T01, operations 1");
    assert_eq!(ask(&chain.stores[0], found), "operations 100");
    assert_eq!(ask(&chain.stores[1], found), "");
}

/// A store that was restored from a backup counts on from where that ended.
#[test]
fn an_operation_under_a_number_that_was_used_before_is_kept_aside_and_reported() {
    let chain = Chain::joined(1).unwrap();
    run(&chain.stores[0], &["insert into party.customer (name) values ('before')"]);
    chain.converge().unwrap();
    let forget = "begin; set local pg_tpv.maintenance = on; set local role tpv_owner; \
        delete from sync.head where key in (select o.key from wire.op o order by o.node_id <> 1, o.seq desc limit 1); \
        delete from wire.op where node_id = 1 and seq = (select last_seq from sync.op_counter); \
        update sync.op_counter set last_seq = last_seq - 1; commit";
    run(&chain.stores[0], &[forget, "insert into party.customer (name) values ('after')"]);
    let kept =
        "select count(*) = 1 from sync.quarantine where code = 'NUMBER_REUSED' and refused ->> 'patch' like '%after%'";
    let mut central = chain.central.connect().unwrap();
    until_true("it is kept", SOON, || central.query_one(kept, &[]).unwrap().get(0)).unwrap();
    // And the stream goes on.
    run(&chain.stores[0], &["insert into party.customer (name) values ('later')"]);
    let came = "select exists (select from party.customer where name = 'later')";
    until_true("it goes on", SOON, || central.query_one(came, &[]).unwrap().get(0)).unwrap();
}

/// What was accepted was dropped when it came after all, also after a rejoin.
#[test]
fn a_difference_that_was_accepted_is_silent_and_what_comes_of_it_later_is_taken() {
    let chain = Chain::joined(1).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    run(
        store,
        &["insert into party.customer (name) values ('lost')", "insert into party.customer (name) values ('next')"],
    );
    chain.converge().unwrap();
    until_verified(&chain);
    // Central loses one of the store's operations, and the store has it no longer either.
    let lose = |also: &str| {
        format!(
            "begin; set local pg_tpv.maintenance = on; select cron.alter_job(jobid, active := false) from cron.job; \
             create table kept as select * from wire.op where node_id = 1 and patch like '%\"lost\"%'; \
             delete from wire.op o using kept k where o.node_id = 1 and o.seq = k.seq; {also} commit"
        )
    };
    run(store, &[&lose("")]);
    run(
        central,
        &[&lose(
            "delete from sync.head h using kept k where h.key = k.key; \
             update sync.horizon h set seq = k.seq - 1 from kept k where h.node_id = 1;",
        )],
    );
    assert_eq!(ask(central, "select (sync.reconcile() > 0)::text"), "true");
    let accept = "select sync.accept_drift(drift_id, 'a test') from sync.drift where what = 'operations' and resolved_at is null";
    run(central, &[accept]);
    let silent = "select sync.reconcile() = 0 and (select bool_and(advice = 'nothing to do') from sync.status)";
    until_at(central, silent);
    // Numbers that follow are compared as ever.
    run(store, &["insert into party.customer (name) values ('more')"]);
    until_at(central, "select exists (select from party.customer where name = 'more')");
    until_at(central, silent);
    let forgotten = "select (k.seq < (select max(seq) from wire.op where node_id = 1))::text from sync.contiguous() k where k.node_id = 1";
    assert_eq!(ask(central, forgotten), "true", "it is still known to be missing");
    let kept = "select sync.send(100, 'operations', json_build_object('operations', json_agg(json_build_array( \
        node_id, seq, hlc, table_name, key, patch, base)))::text) from kept";
    run(store, &[kept]);
    until_at(central, "select exists (select from sync.head h join kept k on k.key = h.key)");
    until_at(central, silent);
    assert_eq!(ask(central, "select count(*)::text from sync.accepted_drift where why = 'a test'"), "1");
    run(store, &["insert into wire.op select * from kept"]);
    journals_have_no_gap(&chain);
}
