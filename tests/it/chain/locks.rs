//! Locks: operations that arrive wait for other arrivals, for sessions, and for sessions that
//! somebody forgot.

use postgres::error::SqlState;
use tpv_lab::wait::until_true;

use crate::support::{ANA, SOON, all_say, ask, journals_are_whole, of_ana, run, until_at, update_ana, with_ana};

/// The stores' transactions meet at central, in apply workers of their own.
#[test]
fn stores_that_wrote_the_same_rows_in_opposite_orders_are_merged_without_a_deadlock() {
    let chain = with_ana();
    run(&chain.central, &["insert into party.customer (name) select 'c' || n from generate_series(1, 20) n"]);
    chain.converge().unwrap();
    (0..2).for_each(|store| chain.cut(store).unwrap());
    for (at, order) in chain.stores.iter().zip(["customer_id", "customer_id desc"]) {
        let all = format!(
            "do $$ declare id uuid; begin \
               for id in select customer_id from party.customer order by {order} loop \
                 update party.customer set name = clock_timestamp()::text where customer_id = id; \
               end loop; end $$"
        );
        (0..60).for_each(|_| run(at, &[&all]));
    }
    (0..2).for_each(|store| chain.mend(store).unwrap());
    chain.converge().unwrap();
    let deadlocks = "select deadlocks::text from pg_stat_database where datname = 'tpv'";
    assert_eq!(chain.everywhere(deadlocks).unwrap(), ["0", "0", "0"]);
    journals_are_whole(&chain);
}

/// It has waited for less long than what arrives when both are stuck, and it is the one that is
/// told all the same.
#[test]
fn a_session_that_deadlocks_with_what_arrives_gives_way() {
    let chain = with_ana();
    let bob = "00000000-0000-7000-8000-0000000000b0";
    run(&chain.central, &[&format!("insert into party.customer (customer_id, name) values ('{bob}', 'Bob')")]);
    chain.converge().unwrap();
    let workers = "select string_agg(pid::text, ',' order by pid) from pg_stat_activity where backend_type like 'logical replication%worker'";
    let worker = ask(&chain.central, workers);
    let mut dba = chain.central.connect().unwrap();
    let mut session = dba.transaction().unwrap();
    session.batch_execute(&update_ana("phone = 'session'")).unwrap();
    // Bob, and then Ana, in one transaction.
    let both = format!(
        "update party.customer set phone = 'arrives' where customer_id = '{bob}'; {}",
        update_ana("phone = 'arrives'")
    );
    run(&chain.stores[0], &[&format!("begin; {both}; commit")]);
    until_at(
        &chain.central,
        "select exists (select from pg_stat_activity where backend_type like 'logical%' and wait_event_type = 'Lock')",
    );
    let told = session
        .batch_execute(&format!("update party.customer set phone = 'session' where customer_id = '{bob}'"))
        .unwrap_err();
    assert_eq!(told.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED));
    drop(session);
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "arrives");
    assert_eq!(ask(&chain.central, workers), worker, "no worker was started anew");
}

/// A session that somebody forgot keeps a customer locked at central: who writes that customer
/// waits, nobody else.
#[test]
fn a_locked_row_holds_up_the_store_that_wrote_it_and_no_other() {
    let chain = with_ana();
    let mut forgotten = chain.central.connect().unwrap();
    let mut forgotten = forgotten.transaction().unwrap();
    forgotten.execute("select from party.customer where customer_id::text = $1 for update", &[&ANA]).unwrap();
    let session: String = forgotten.query_one("select pg_backend_pid()::text", &[]).unwrap().get(0);
    run(&chain.stores[0], &[&update_ana("phone = 'waits'")]);
    until_at(
        &chain.central,
        "select exists (select from pg_stat_activity where backend_type like 'logical%' and wait_event_type = 'Lock')",
    );
    run(&chain.stores[1], &["insert into party.customer (name) values ('passes')"]);
    until_at(&chain.central, "select exists (select from party.customer where name = 'passes')");
    let named = format!("{session}: waiting for a lock: session {session} keeps a row");
    let advice = "select string_agg(concat_ws(': ', $1::text, state, advice), ' ') from sync.status where state <> 'running' and direction = 'receives'";
    until_true("a DBA sees who holds it up", SOON, || {
        let shown: Option<String> = chain.central.connect().unwrap().query_one(advice, &[&session]).unwrap().get(0);
        shown.is_some_and(|shown| shown.starts_with(&named))
    })
    .unwrap();
    forgotten.rollback().unwrap();
    chain.converge().unwrap();
    assert_eq!(all_say(&chain, &of_ana("phone")), "waits");
}
