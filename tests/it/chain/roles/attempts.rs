//! Somebody tries, over a connection as a role.

use postgres::Client;
use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::store::Receipts;

use crate::support::{ANA, INGEST, run, until_at};

/// A chain of one store, with a customer, a product and a receipt.
pub fn with_something_to_steal() -> Chain {
    let chain = Chain::joined(1).unwrap();
    let ana = format!("insert into party.customer (customer_id, name, phone) values ('{ANA}', 'Ana', '600')");
    run(&chain.stores[0], &[&ana]);
    run(&chain.central, &["insert into catalog.product (sku, description) values ('1', 'Pan')"]);
    let receipt = Receipts::new(35).good("T01");
    chain.stores[0].connect().unwrap().execute(INGEST, &[&receipt.terminal, &receipt.bytes]).unwrap();
    chain.converge().unwrap();
    until_at(&chain.central, "select count(*) = 1 from sales.receipt");
    chain
}

/// A person who was granted a role.
pub fn person(at: &Cluster, role: &str) -> Client {
    run(at, &[&format!("create role a_person_{role} login in role {role}")]);
    at.connect_as(&format!("a_person_{role}"), "tpv").unwrap()
}

/// The role is not let in, and the server says why.
#[track_caller]
pub fn kept_out(at: &Cluster, role: &str, database: &str, why: &str) {
    let error = at.connect_as(role, database).err().unwrap();
    assert!(format!("{error:#}").contains(why), "{error:#}");
}

/// What comes of a statement: `ok`, or the SQLSTATE with the message. Nothing of it stays.
pub fn attempt(session: &mut Client, statement: &str) -> String {
    let mut work = session.transaction().unwrap();
    // What waits for the end of the transaction comes now.
    match work.batch_execute(&format!("{statement}; set constraints all immediate")) {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            let error = error.as_db_error().unwrap();
            format!("{} {}", error.code().code(), error.message())
        }
    }
}

/// Every statement is refused for want of a right, and for no other reason.
#[track_caller]
pub fn may_not(session: &mut Client, statements: &[&str]) {
    let who: String = session.query_one("select current_user::text", &[]).unwrap().get(0);
    for statement in statements {
        let said = attempt(session, statement);
        let wanted = [
            "permission denied",
            "must be",
            "rows of",
            "a row of another node",
            "documents are never changed",
            "operations are never changed",
        ];
        let denied = said.strip_prefix("42501 ").is_some_and(|why| {
            wanted.iter().any(|begins| why.starts_with(begins)) || why.ends_with("is decided by central")
        });
        assert!(denied, "{who} and `{statement}`: {said}");
    }
}

/// All tables and views of ours, and of others.
pub fn relations(at: &Cluster) -> Vec<String> {
    let sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
               where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1";
    at.connect().unwrap().query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Of all relations those that a session can do something to.
pub fn may(session: &mut Client, relations: &[String], statement: impl Fn(&str) -> String) -> Vec<String> {
    // Nobody can write into a view that is not one table's.
    let denied = ["42501 permission denied for", "55000 cannot ", "42809 "];
    let denied = |said: &str| denied.iter().any(|begins| said.starts_with(begins));
    relations.iter().filter(|relation| !denied(&attempt(session, &statement(relation)))).cloned().collect()
}

/// Inserting, updating, deleting, emptying; none of it needs a column's name.
pub fn writes(session: &mut Client, relations: &[String]) -> Vec<String> {
    let mut can = may(session, relations, |relation| format!("insert into {relation} default values"));
    can.extend(may(session, relations, |relation| format!("delete from {relation} where false")));
    can.extend(may(session, relations, |relation| format!("truncate {relation}")));
    can.sort();
    can.dedup();
    can
}

/// What nobody but a superuser may.
pub const OF_A_SUPERUSER: &[&str] = &[
    "set session_replication_role = replica",
    "select pg_read_file('postgresql.conf')",
    "copy (select 1) to '/tmp/tpv-roles'",
    "copy (select 1) to program 'true'",
    "select * from pg_authid",
    "select subconninfo from pg_subscription",
    "create role x superuser",
    "alter role tpv_apply superuser",
    "alter role postgres password 'x'",
    "create subscription s connection 'dbname=tpv' publication p with (connect = false)",
    "create language plpython3u handler plpgsql_call_handler",
    "drop extension pg_tpv",
];

/// And nobody but the owner of the tables, or a superuser.
pub const OF_THE_OWNER: &[&str] = &[
    "create table public.x ()",
    "create schema x",
    "create role x",
    "set pg_tpv.maintenance = on",
    "set role tpv_owner",
    "select tpv.capture_change('catalog.product', null, '{}')",
    "select org.register_terminal('T99', '01')",
    "select sync.track('party.customer')",
    "select sync.add_peer(7, 'S07', 'store')",
    "select sync.remove_peer(1)",
    "select sales.rebuild_projections()",
    "alter table wire.op disable trigger _100_receive",
    "drop table wire.op",
    "create publication p for table wire.op",
];
