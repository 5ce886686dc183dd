//! The low-water mark of a heartbeat: nothing that was recorded before it can still commit.
//!
//! A session takes its stamp first and commits later, perhaps much later, so that a mark that is
//! merely *now* lies. What was committed in which order is read from the WAL itself, which is also
//! the order in which a peer sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::dice::Dice;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store;
use tpv_lab::store::Receipts;
use tpv_lab::wait::stop_at_the_latest;
use tpv_lab::wait::until_true;

use crate::support::SOON;

/// Sessions that write.
const SESSIONS: u64 = 8;

/// For how long they write: long enough for some thousand heartbeats.
const FOR: Duration = Duration::from_secs(4);

/// A store that keeps every change in a slot until the test reads it, and that lets transactions be
/// prepared.
fn store_with_memory() -> Cluster {
    let mut server = Cluster::for_test(&Lab::open().unwrap()).unwrap();
    server.connect().unwrap().batch_execute("alter system set max_prepared_transactions = 20").unwrap();
    server.stop().unwrap();
    server.start().unwrap();
    let mut dba = server.connect().unwrap();
    store::register(&mut dba, STORES[0]).unwrap();
    // After a start the clock is some seconds ahead, and stamps of the future are below no mark.
    dba.execute("select tpv.hlc_step_back()", &[]).unwrap();
    dba.batch_execute("create table public.scratch (n integer)").unwrap();
    dba.execute("select pg_create_logical_replication_slot('memory', 'test_decoding')", &[]).unwrap();
    server
}

/// Heartbeats that lied: transactions in the order of their commits, the mark of each heartbeat,
/// and the oldest stamp of each later one.
const LIES: &str = r"
    with change as (
      select ordinality as n, xid::text as xid, data
        from pg_logical_slot_peek_changes('memory', null, null, 'skip-empty-xacts', '1') with ordinality
    ), work as (
      select xid, min(n) as n,
             max(substring(data from '^table wire\.beat: .* low_water\[timestamp with time zone\]:''([^'']+)''')::timestamptz) as low_water,
             min(case when data ~ '^table wire\.(op|doc)' then substring(data from ' hlc\[bigint\]:(\d+)')::bigint end) as hlc
        from change group by xid
    ), promised as (
      select *, max(low_water) over (order by n rows between unbounded preceding and 1 preceding) as promise from work
    )
    select count(low_water), count(hlc),
           coalesce(string_agg(format('xid %s: %s was recorded at %s and came after a beat that promised %s', xid, hlc, tpv.hlc_time(hlc), promise), e'\n')
                    filter (where tpv.hlc_time(hlc) < promise), '')
      from promised";

/// How many heartbeats and how many transactions with records there were, and each lie.
fn count_lies(server: &Cluster) -> (i64, i64, String) {
    let row = server.connect().unwrap().query_one(LIES, &[]).unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// A session that writes, in every way in which one can be slow.
struct Session {
    dba: Client,
    dice: Dice,
    receipts: Receipts,
    terminal: String,
    number: u64,
}

impl Session {
    fn new(server: &Cluster, number: u64) -> Self {
        let dba = server.connect().unwrap();
        let terminal = store::terminal(usize::try_from(number).unwrap());
        Self { dba, dice: Dice::for_actor(41, number), receipts: Receipts::new(100 + number), terminal, number }
    }

    fn sql(&mut self, statement: &str) {
        self.dba.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    /// Stamped at once, inside the transaction.
    fn document(&mut self) {
        let receipt = self.receipts.good(&self.terminal);
        self.dba
            .execute("select from sales.ingest_files($1, array[$2::bytea], null)", &[&receipt.terminal, &receipt.bytes])
            .unwrap();
    }

    /// Stamped at the end of the transaction, or at once if constraints are immediate.
    fn operation(&mut self) {
        self.sql("insert into party.customer (name) values ('x')");
    }

    fn pause(&mut self) {
        let ms = *self.dice.pick(&[0, 0, 1, 5, 20, 120]);
        self.sql(&format!("select pg_sleep({ms} / 1000.0)"));
    }

    fn record(&mut self) {
        if self.dice.percent(60) { self.document() } else { self.operation() }
    }

    fn turn(&mut self, prepares: bool) {
        match self.dice.below(if prepares { 10 } else { 9 }) {
            0 => self.document(),
            1 => self.operation(),
            how => {
                self.sql("begin");
                self.body(how);
                self.pause();
                match (how, self.dice.percent(25)) {
                    (9, undo) => self.prepare(undo),
                    (_, true) => self.sql("rollback"),
                    (_, false) => self.sql("commit"),
                }
            }
        }
    }

    fn body(&mut self, how: u64) {
        match how {
            // The id long before the first stamp.
            2 => {
                self.sql("insert into public.scratch values (1)");
                self.pause();
                self.document();
            }
            // The transaction long before its id.
            3 => {
                self.sql("select 1");
                self.pause();
                self.document();
            }
            // The stamp of an operation long before the commit.
            4 => {
                self.operation();
                self.sql("set constraints all immediate");
            }
            // Both, and the second stamp long after the first.
            5 => {
                self.document();
                self.pause();
                self.operation();
            }
            // The id of a savepoint, which is not the one of its transaction.
            6 => {
                self.sql("savepoint a");
                self.document();
                self.pause();
                self.sql("release savepoint a");
            }
            7 => {
                self.sql("savepoint a");
                self.record();
                self.sql("rollback to savepoint a");
                self.pause();
                self.document();
            }
            _ => self.record(),
        }
    }

    fn prepare(&mut self, undo: bool) {
        let name = format!("'{}-{}'", self.number, self.dice.throw());
        self.sql(&format!("prepare transaction {name}"));
        self.pause();
        self.sql(&format!("{} prepared {name}", if undo { "rollback" } else { "commit" }));
    }
}

/// Sessions write, and the server sends heartbeats, until told to stop.
fn write_and_beat(server: &Cluster, prepares: bool, meanwhile: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&stop);
        for number in 0..SESSIONS {
            let stop = &stop;
            scope.spawn(move || {
                let mut session = Session::new(server, number);
                while !stop.load(Ordering::Relaxed) {
                    session.turn(prepares);
                }
            });
        }
        scope.spawn(|| {
            let mut dba = server.connect().unwrap();
            while !stop.load(Ordering::Relaxed) {
                dba.execute("select tpv.beat()", &[]).unwrap();
            }
        });
        meanwhile();
    });
}

#[test]
fn nothing_that_was_recorded_before_the_mark_of_a_heartbeat_commits_after_it() {
    let server = store_with_memory();
    write_and_beat(&server, true, || thread::sleep(FOR));
    let (beats, records, lies) = count_lies(&server);
    assert!(beats > 200 && records > 200, "{beats} beats, {records} transactions: too few to find anything");
    assert_eq!(lies, "", "of {beats} beats, {records} transactions");
}

/// Its session is gone, and with it the moment it began; what it recorded is older than the moment
/// it was prepared.
#[test]
fn a_prepared_transaction_holds_the_mark_until_it_is_decided() {
    let server = store_with_memory();
    let mut session = Session::new(&server, 0);
    let mut beater = server.connect().unwrap();
    let mut beat = || beater.execute("select tpv.beat()", &[]).unwrap();
    beat();
    session.sql("begin");
    session.document();
    session.sql("select pg_sleep(0.02); prepare transaction 'waits'");
    beat();
    session.sql("select pg_sleep(0.02)");
    beat();
    session.sql("commit prepared 'waits'");
    assert_eq!(count_lies(&server).2, "");
    // And not for longer.
    beat();
    let moves = "select max(b.low_water) > max(tpv.hlc_time(d.hlc)) from wire.beat b, wire.doc d";
    assert!(server.connect().unwrap().query_one(moves, &[]).unwrap().get::<_, bool>(0));
}

#[test]
fn a_session_that_does_not_report_its_activity_holds_the_mark_too() {
    let server = store_with_memory();
    let mut session = Session::new(&server, 0);
    let mut beater = server.connect().unwrap();
    let mut beat = || beater.execute("select tpv.beat()", &[]).unwrap();
    session.sql("set track_activities = off");
    session.sql("begin");
    session.document();
    beat();
    session.sql("commit");
    assert_eq!(count_lies(&server).2, "");
}

#[test]
fn what_a_heartbeat_promises_is_visible_at_central_once_it_has_arrived() {
    let chain = Chain::joined(1).unwrap();
    let store = &chain.stores[0];
    store.connect().unwrap().batch_execute("create table public.scratch (n integer)").unwrap();
    let mut central = chain.central.connect().unwrap();
    until_true("central has compared", SOON, || {
        store.connect().unwrap().execute("select tpv.beat()", &[]).unwrap();
        central.execute("select sync.reconcile()", &[]).unwrap();
        central.query_one("select received_until is not null and gap_beat is null from sync.peer", &[]).unwrap().get(0)
    })
    .unwrap();
    // One statement has one snapshot: the mark, and what is here of what it covers.
    let seen = "select p.received_until::text, \
          (select count(*) from wire.op o where o.node_id = 1 and tpv.hlc_time(o.hlc) < p.received_until), \
          (select count(*) from wire.doc d where d.node_id = 1 and tpv.hlc_time(d.hlc) < p.received_until) \
        from sync.peer p where p.node_id = 1 and p.received_until is not null";
    let mut sights: Vec<(String, i64, i64)> = Vec::new();
    write_and_beat(store, false, || {
        let started = Instant::now();
        while started.elapsed() < FOR {
            for row in central.query(seen, &[]).unwrap() {
                sights.push((row.get(0), row.get(1), row.get(2)));
            }
        }
    });
    sights.dedup();
    assert!(sights.len() > 20, "{} sights: too few to find anything", sights.len());
    // In one transaction, so that nothing is recorded in between; the store is quiet now.
    let truth = "select \
          (select count(*) from wire.op o where o.node_id = 1 and tpv.hlc_time(o.hlc) < $1::text::timestamptz), \
          (select count(*) from wire.doc d where tpv.hlc_time(d.hlc) < $1::text::timestamptz)";
    let mut dba = store.connect().unwrap();
    for (mark, operations, documents) in &sights {
        let row = dba.query_one(truth, &[mark]).unwrap();
        let told: (i64, i64) = (row.get(0), row.get(1));
        assert_eq!((*operations, *documents), told, "a beat promised central all before {mark}");
    }
    // The mark also moves: it ends after everything.
    dba.execute("select tpv.beat()", &[]).unwrap();
    let last: String =
        dba.query_one("select max(tpv.hlc_time(hlc))::text from wire.op where node_id = 1", &[]).unwrap().get(0);
    let passed = "select exists (select from sync.peer where received_until > $1::text::timestamptz)";
    until_true("the mark passes the last operation", SOON, || {
        dba.execute("select tpv.beat()", &[]).unwrap();
        central.query_one(passed, &[&last]).unwrap().get(0)
    })
    .unwrap();
}
