//! What tests share: how a store's files are counted, and the words in which tests speak of a
//! chain.

use std::time::Duration;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::store::{Input, Receipts, Rig};
use tpv_lab::wait::until_true;

/// A machine under load gets this long for what takes milliseconds.
pub const SOON: Duration = Duration::from_secs(20);

/// Fails with every single loss.
#[track_caller]
pub fn nothing_is_lost(rig: &Rig, inputs: &[Input]) {
    let audit = rig.audit(inputs).unwrap();
    assert!(audit.lost.is_empty(), "{:#?}\n{:#?}", audit.lost, audit);
    assert_eq!(audit.receipts, inputs.len(), "{audit:#?}");
}

/// How the watcher hands in one file: terminal, bytes.
pub const INGEST: &str = "select from sales.ingest_files($1, array[$2::bytea], null)";

/// Hands in receipts of terminal T01.
#[track_caller]
pub fn sell(at: &Cluster, receipts: &mut Receipts, count: usize) {
    let mut till = at.connect().unwrap();
    for _ in 0..count {
        let receipt = receipts.good("T01");
        till.execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
    }
}

/// Runs statements at a node, each committed on its own.
#[track_caller]
pub fn run(at: &Cluster, statements: &[&str]) {
    let mut dba = at.connect().unwrap();
    for statement in statements {
        dba.batch_execute(statement).unwrap();
    }
}

/// How a node refuses a statement.
#[track_caller]
pub fn refused(at: &Cluster, statement: &str) -> String {
    match at.connect().unwrap().batch_execute(statement) {
        Ok(()) => "00000".to_owned(),
        Err(error) => error.code().unwrap().code().to_owned(),
    }
}

/// What a node answers to a query of one text value.
#[track_caller]
pub fn ask(at: &Cluster, query: &str) -> String {
    let answer: Option<String> = at.connect().unwrap().query_one(query, &[]).unwrap().get(0);
    answer.unwrap_or_default()
}

/// What every node answers to a query of one text value; they must all say the same.
#[track_caller]
pub fn all_say(chain: &Chain, query: &str) -> String {
    let answers = chain.everywhere(query).unwrap();
    assert!(answers.iter().all(|one| *one == answers[0]), "{query}: {answers:#?}");
    answers[0].clone()
}

/// Waits until a query of one yes or no answers yes. What is not known yet (null) is no yes.
#[track_caller]
pub fn until_at(at: &Cluster, query: &str) {
    let mut dba = at.connect().unwrap();
    until_true(query, SOON, || dba.query_one(query, &[]).unwrap().get::<_, Option<bool>>(0) == Some(true)).unwrap();
}

/// Compares all nodes with their peers until there is nothing left to compare, as pg_cron does each
/// minute.
#[track_caller]
pub fn until_verified(chain: &Chain) {
    let verified =
        "select sync.reconcile() = 0 and bool_and(verified_until is not null and gap_beat is null) from sync.peer";
    let drift = "select concat_ws('; ', (select string_agg(d::text, '; ') from sync.drift d where resolved_at is null), \
        (select string_agg(format('peer %s: beat %s, gap beat %s, verified until %s, own at %s', node_id, beat, gap_beat, \
                                  verified_until, own_at), '; ') from sync.peer))";
    for node in chain.nodes() {
        let mut dba = node.connect().unwrap();
        let mut open = String::new();
        let done = until_true("all is verified", SOON * 3, || {
            open = dba.query_one(drift, &[]).unwrap().get(0);
            dba.query_one(verified, &[]).unwrap().get::<_, Option<bool>>(0) == Some(true)
        });
        done.unwrap_or_else(|late| panic!("{late}: {open}"));
    }
}

/// Every node's operations are numbered without a gap at every node, and nothing waits.
#[track_caller]
pub fn journals_are_whole(chain: &Chain) {
    journals_have_no_gap(chain);
    assert_eq!(all_say(chain, "select string_agg(q::text, ', ') from sync.quarantine q"), "");
}

/// Every node's operations are numbered without a gap at every node.
#[track_caller]
pub fn journals_have_no_gap(chain: &Chain) {
    let gaps = "select string_agg(o.node_id || ': ' || o.seq, ', ') \
        from (select node_id, max(seq) as seq from wire.op group by 1) o join sync.contiguous() k using (node_id) \
        where o.seq > k.seq";
    assert_eq!(all_say(chain, gaps), "");
}

/// A digest of all customers.
pub const CUSTOMERS: &str =
    "select count(*) || ' ' || md5(string_agg(c::text, ',' order by customer_id)) from party.customer c";

/// A digest of the heads of all entities.
pub const HEADS: &str = "select count(*) || ' ' || md5(string_agg(table_name || key || heads, ',' order by table_name, key)) from sync.head";

/// The customer whom nodes write at the same time.
pub const ANA: &str = "00000000-0000-7000-8000-0000000000aa";

/// A chain of two stores that knows one customer.
pub fn with_ana() -> Chain {
    let chain = Chain::joined(2).unwrap();
    let ana = format!(
        "insert into party.customer (customer_id, name, street, postcode, city, country, tags, consent) \
         values ('{ANA}', 'Ana', 'Calle 1', '28001', 'Madrid', 'ES', '[\"old\"]', 'all')"
    );
    run(&chain.stores[0], &[&ana]);
    chain.converge().unwrap();
    chain
}

/// The statement that changes her.
pub fn update_ana(what: &str) -> String {
    format!("update party.customer set {what} where customer_id = '{ANA}'")
}

/// The query of one of her values.
pub fn of_ana(what: &str) -> String {
    format!("select ({what})::text from party.customer where customer_id = '{ANA}'")
}

/// The query of whether she is so.
pub fn ana_is(what: &str) -> String {
    format!("select exists (select from party.customer where customer_id = '{ANA}' and {what})")
}

/// Appends documents that a node addresses to another one, as the next version's kinds will.
#[track_caller]
pub fn address(at: &Cluster, writer: i32, to: i32, kind: &str, count: usize, body_bytes: usize) {
    let append = format!(
        "do $$ declare head sync.hash_chain; id uuid; body text := format('{{\"x\":\"%s\"}}', repeat('x', {body_bytes})); begin \
           insert into sync.hash_chain (node_id, chain) values ({writer}, '>{to}') on conflict do nothing; \
           select * into head from sync.hash_chain where node_id = {writer} and chain = '>{to}' for update; \
           for n in 1..{count} loop \
             id := gen_random_uuid(); head.head_seq := head.head_seq + 1; head.head_hlc := tpv.hlc_now(); \
             insert into wire.doc values ({writer}, id, current_date, '{kind}', {to}, head.head_hlc, 1, head.chain, \
               head.head_seq, head.head_hash, body, sha256(convert_to(body, 'UTF8'))); \
             head.head_hash := tpv.document_link({writer}, head.chain, head.head_seq, id, '{kind}', current_date, \
               head.head_hash, sha256(convert_to(body, 'UTF8'))); \
           end loop; \
           update sync.hash_chain h set head_seq = head.head_seq, head_hash = head.head_hash, head_hlc = head.head_hlc \
            where h.node_id = {writer} and h.chain = head.chain; \
         end $$"
    );
    run(at, &["set role tpv_owner", &append]);
}
