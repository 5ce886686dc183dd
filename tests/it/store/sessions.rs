//! Requests of people that come at the same moment, as tabs of one browser send them.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use postgres::Client;
use postgres::error::SqlState;
use tpv_lab::store::Rig;
use tpv_lab::wait::until_true;
use uuid::Uuid;

const EMPLOYEE: &str = "
    with made as (insert into party.employee (code, name) values ('ana', 'Ana') returning employee_id)
    insert into sec.role_grant (employee_id, role, valid_from)
    select employee_id, 'cashier', current_date - 1 from made returning employee_id";

/// Her session, whose first refresh token has the number 1.
fn log_in(rig: &Rig) -> (Uuid, Uuid) {
    let employee: Uuid = rig.cluster.connect().unwrap().query_one(EMPLOYEE, &[]).unwrap().get(0);
    let open = "select session_id from sec.open_session($1, null, null, null)";
    let session = rig.cluster.connect_as("tpv_gateway_auth", "tpv").unwrap().query_one(open, &[&employee]).unwrap();
    (employee, session.get(0))
}

#[test]
fn refreshes_of_one_token_at_once_all_get_the_same_next_one() {
    let rig = Rig::idle().unwrap();
    let (_, session) = log_in(&rig);
    const TABS: usize = 6;
    for counter in 1..=10_i32 {
        let barrier = Barrier::new(TABS);
        let refresh = || {
            let mut tab = rig.cluster.connect_as("tpv_gateway_auth", "tpv").unwrap();
            barrier.wait();
            let refresh = "select outcome, counter from sec.refresh_session($1, $2, false)";
            let row = tab.query_one(refresh, &[&session, &counter]).unwrap();
            (row.get::<_, String>(0), row.get::<_, Option<i32>>(1))
        };
        let mut outcomes: Vec<_> = thread::scope(|scope| {
            let tabs: Vec<_> = (0..TABS).map(|_| scope.spawn(refresh)).collect();
            tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
        });
        outcomes.sort();
        assert!(outcomes.iter().all(|(_, next)| *next == Some(counter + 1)), "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|(outcome, _)| outcome == "rotated").count(), 1, "{outcomes:?}");
    }
}

/// A transaction of hers.
fn enter(client: &mut Client, employee: Uuid, session: Uuid) {
    client.batch_execute("begin; set local role tpv_cashier").unwrap();
    client.execute("select sec.enter($1, $2, 'cashier', 2)", &[&session, &employee]).unwrap();
}

#[test]
fn a_request_under_a_key_that_is_under_way_waits_a_moment_and_is_refused() {
    const ONCE: &str =
        r#"select own.once('key', sha256('body'), 'create_customer', '{"name": "Rosa"}') ->> 'replayed'"#;
    let rig = Rig::idle().unwrap();
    let (employee, session) = log_in(&rig);
    let mut first = rig.cluster.connect_as("tpv_gateway_user", "tpv").unwrap();
    let mut second = rig.cluster.connect_as("tpv_gateway_user", "tpv").unwrap();
    enter(&mut first, employee, session);
    let replayed = |client: &mut Client| client.query_one(ONCE, &[]).map(|row| row.get::<_, String>(0));
    assert_eq!(replayed(&mut first).unwrap(), "false");

    enter(&mut second, employee, session);
    let refused = replayed(&mut second).unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::LOCK_NOT_AVAILABLE), "{refused}");
    second.batch_execute("rollback").unwrap();

    // One that waits when the first is done gets its answer.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            enter(&mut second, employee, session);
            let answer = replayed(&mut second).unwrap();
            second.batch_execute("commit").unwrap();
            answer
        });
        let mut dba = rig.cluster.connect().unwrap();
        let waits = "select from pg_stat_activity where usename = 'tpv_gateway_user' and wait_event_type = 'Lock'";
        until_true("the second waits", Duration::from_secs(10), || !dba.query(waits, &[]).unwrap().is_empty()).unwrap();
        first.batch_execute("commit").unwrap();
        assert_eq!(waiting.join().unwrap(), "true");
    });
    let customers: i64 =
        rig.cluster.connect().unwrap().query_one("select count(*) from party.customer", &[]).unwrap().get(0);
    assert_eq!(customers, 1, "it was done once");
}
