//! What each role may not do, tried over connections as that role, on the nodes of a chain.
//!
//! `tests/sql` holds the lists of what each may; here is who gets in, and what happens to them there.

use std::process::Command;

use postgres::Client;
use tpv_tests::chain::Chain;
use tpv_tests::cluster::Cluster;
use tpv_tests::receipts::Receipts;

use crate::chain::{ANA, INGEST, refused, run, until_at, with_ana};

/// A chain of one store, with a customer, a product and a receipt.
fn with_something_to_steal() -> Chain {
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
fn person(at: &Cluster, role: &str) -> Client {
    run(at, &[&format!("create role a_person_{role} login in role {role}")]);
    at.connect_as(&format!("a_person_{role}"), "tpv").unwrap()
}

/// The role is not let in, and the server says why.
#[track_caller]
fn kept_out(at: &Cluster, role: &str, database: &str, why: &str) {
    let error = at.connect_as(role, database).err().unwrap();
    assert!(format!("{error:#}").contains(why), "{error:#}");
}

/// What comes of a statement: `ok`, or the SQLSTATE with the message. Nothing of it stays.
fn attempt(session: &mut Client, statement: &str) -> String {
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
fn may_not(session: &mut Client, statements: &[&str]) {
    let who: String = session.query_one("select current_user::text", &[]).unwrap().get(0);
    for statement in statements {
        let said = attempt(session, statement);
        let wanted =
            ["permission denied", "must be", "rows of", "a row of another node", "documents are never changed"];
        let denied = said.strip_prefix("42501 ").is_some_and(|why| {
            wanted.iter().any(|begins| why.starts_with(begins)) || why.ends_with("is decided by central")
        });
        assert!(denied, "{who} and `{statement}`: {said}");
    }
}

/// All tables and views of ours, and of others.
fn relations(at: &Cluster) -> Vec<String> {
    let sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
               where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1";
    at.connect().unwrap().query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Of all relations those that a session can do something to.
fn may(session: &mut Client, relations: &[String], statement: impl Fn(&str) -> String) -> Vec<String> {
    // Nobody can write into a view that is not one table's.
    let denied = ["42501 permission denied for", "55000 cannot ", "42809 "];
    let denied = |said: &str| denied.iter().any(|begins| said.starts_with(begins));
    relations.iter().filter(|relation| !denied(&attempt(session, &statement(relation)))).cloned().collect()
}

/// Inserting, updating, deleting, emptying; none of it needs a column's name.
fn writes(session: &mut Client, relations: &[String]) -> Vec<String> {
    let mut can = may(session, relations, |relation| format!("insert into {relation} default values"));
    can.extend(may(session, relations, |relation| format!("delete from {relation} where false")));
    can.extend(may(session, relations, |relation| format!("truncate {relation}")));
    can.sort();
    can.dedup();
    can
}

/// Of a role that replicates. From PostgreSQL 16 on the role itself may, like every other one, and no right takes that away.
const A_PASSWORD: &str = "alter role tpv_replicator password 'x'";

/// What nobody but a superuser may.
const OF_A_SUPERUSER: &[&str] = &[
    "set session_replication_role = replica",
    "select pg_read_file('postgresql.conf')",
    "copy (select 1) to '/tmp/tpv-roles'",
    "copy (select 1) to program 'true'",
    "select * from pg_authid",
    "select subconninfo from pg_subscription",
    "create role x superuser",
    "alter role tpv_apply superuser",
    A_PASSWORD,
    "create subscription s connection 'dbname=tpv' publication p with (connect = false)",
    "create language plpython3u handler plpgsql_call_handler",
    "drop extension pg_tpv",
];

/// And nobody but the owner of the tables, or a superuser.
const OF_THE_OWNER: &[&str] = &[
    "create table public.x ()",
    "create schema x",
    "create role x",
    "set pg_tpv.maintenance = on",
    "set role tpv_owner",
    "select tpv.capture_change('catalog.product', null, '{}')",
    "select org.register_terminal('T99', '01')",
    "select sync.track('party.customer')",
    "select sync.meet(7, 'S07', 'store')",
    "select sync.part_from(1)",
    "select sales.rebuild_projections()",
    "alter table wire.op disable trigger _100_take_in",
    "drop table wire.op",
    "create publication p for table wire.op",
];

#[test]
fn the_login_of_a_peer_reads_the_wire_and_nothing_else_and_writes_nothing() {
    let chain = with_something_to_steal();
    for (node, publication) in [(&chain.central, "tpv_to_s01"), (&chain.stores[0], "tpv_up")] {
        let relations = relations(node);
        let mut peer = node.connect_as("tpv_replicator", "tpv").unwrap();
        let reads = may(&mut peer, &relations, |relation| format!("select * from {relation}"));
        let (wire, others): (Vec<_>, Vec<_>) = reads.into_iter().partition(|relation| relation.starts_with("wire."));
        assert_eq!(others, [""; 0]);
        assert!(["wire.doc", "wire.op", "wire.beat"].iter().all(|it| wire.contains(&(*it).to_owned())), "{wire:?}");
        assert_eq!(writes(&mut peer, &relations), [""; 0]);
        let version = "select current_setting('server_version_num')::int";
        let its_own = peer.query_one(version, &[]).unwrap().get::<_, i32>(0) >= 160_000;
        let of_a_superuser = OF_A_SUPERUSER.iter().copied().filter(|&it| !(its_own && it == A_PASSWORD));
        may_not(&mut peer, &of_a_superuser.collect::<Vec<_>>());
        may_not(&mut peer, OF_THE_OWNER);
        may_not(
            &mut peer,
            &[
                &format!("drop publication {publication}"),
                "create temporary table x ()",
                "select sales.void(gen_random_uuid(), 'x')",
                "select sync.replay_waiting()",
                "select tpv.hlc_now()",
                "update wire.op set patch = '{}'",
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
            ],
        );
        kept_out(node, "tpv_replicator", "postgres", "pg_hba.conf rejects");
    }
}

/// One replication command over a connection as that role.
fn replication(at: &Cluster, role: &str, kind: &str, command: &str) -> (bool, String) {
    let sockets = at.sockets().display();
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--dbname"])
        .arg(format!("host={sockets} user={role} dbname=tpv replication={kind}"))
        .args(["--command", command])
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `replication` in pg_hba.conf stops only connections that name no database, and the server carries BASE_BACKUP out over
/// the others, too: a store's passfile would have been worth a copy of central, with the hash of each password.
#[test]
fn the_login_of_a_peer_can_not_copy_the_server_with_a_database_named_or_not() {
    let chain = with_something_to_steal();
    let central = &chain.central;
    let (done, said) = replication(central, "tpv_replicator", "true", "IDENTIFY_SYSTEM");
    assert!(!done && said.contains("pg_hba.conf rejects replication connection"), "{said}");
    let (done, said) = replication(central, "tpv_replicator", "database", "IDENTIFY_SYSTEM");
    assert!(done, "a subscription's connection is let in: {said}");
    for command in [
        "BASE_BACKUP",
        "BASE_BACKUP (LABEL 'LOGICAL')",
        "START_REPLICATION 0/1000000",
        "START_REPLICATION PHYSICAL 0/1000000",
        "START_REPLICATION SLOT tpv_to_s01 PHYSICAL 0/1000000",
        "CREATE_REPLICATION_SLOT mine PHYSICAL RESERVE_WAL",
    ] {
        let (done, said) = replication(central, "tpv_replicator", "database", command);
        assert!(!done && said.contains("only logical replication is for this login"), "{command}: {said}");
    }
    // Settings that it would have to change for that are not its own.
    let mut peer = central.connect_as("tpv_replicator", "tpv").unwrap();
    may_not(&mut peer, &["set log_replication_commands = off", "set log_min_messages = panic"]);
    run(central, &["alter role tpv_replicator set log_replication_commands = off"]);
    run(central, &["alter role tpv_replicator set log_min_messages = panic"]);
    let (done, said) = replication(central, "tpv_replicator", "database", "BASE_BACKUP");
    assert!(!done && said.contains("only logical replication is for this login"), "{said}");
    // A DBA's backups are no business of ours.
    let (done, said) = replication(central, "postgres", "database", "CREATE_REPLICATION_SLOT mine TEMPORARY PHYSICAL");
    assert!(done, "{said}");
    let (done, said) = replication(central, "postgres", "true", "IDENTIFY_SYSTEM");
    assert!(done, "{said}");
}

/// Nobody logs in as it, so that a superuser becomes it.
fn as_apply(at: &Cluster) -> Client {
    let mut session = at.connect().unwrap();
    session.batch_execute("set session authorization tpv_apply").unwrap();
    session
}

#[test]
fn the_owner_of_the_subscriptions_is_no_superuser_and_can_do_what_taking_in_needs() {
    let chain = with_something_to_steal();
    for node in chain.nodes() {
        until_at(
            node,
            "select not rolsuper and not rolcreaterole and not rolcreatedb and not rolreplication from pg_roles where rolname = 'tpv_apply'",
        );
        until_at(node, "select bool_and(subowner = 'tpv_apply'::regrole) from pg_subscription");
        kept_out(node, "tpv_apply", "tpv", "pg_hba.conf rejects");
        let mut apply = as_apply(node);
        may_not(&mut apply, OF_A_SUPERUSER);
        may_not(&mut apply, OF_THE_OWNER);
        // In no session is a row of another node taken: only the subscription brings them.
        let operation = format!(
            "insert into wire.op values (2, 900000, 1, 'party.customer', '{ANA}', '{{\"name\":\"Mallory\"}}', '{{}}')"
        );
        let document = "insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
            values (2, gen_random_uuid(), current_date, 'day_close', 1, 1, '', 1, '', '{}', sha256('{}'))";
        may_not(
            &mut apply,
            &[
                &operation,
                document,
                "update wire.op set patch = '{}'",
                "delete from wire.doc",
                "truncate wire.op",
                "delete from party.customer",
                "update sync.entity set writer = 'any'",
                "insert into sync.peer (node_id, subscription_name) values (2, 'x')",
                "update sync.this_node set node_id = 2",
                "insert into org.node (node_id, node_code, kind) values (9, 'S09', 'store')",
                "select * from sec.audit",
                "select * from sales.raw",
                "select * from dat.file",
                "select sales.void(gen_random_uuid(), 'x')",
                "select tpv.hlc_step_back()",
            ],
        );
        let relations = relations(node);
        let removes = may(&mut apply, &relations, |relation| format!("delete from {relation} where false"));
        assert_eq!(
            removes,
            ["sync.awaited", "sync.head", "sync.load", "sync.load_thing", "sync.quarantine", "sync.sibling"]
        );
        assert_eq!(may(&mut apply, &relations, |relation| format!("truncate {relation}")), [""; 0]);
    }
    // What central decides is not decided by any session in a store.
    let price = "insert into catalog.product (sku, description) values ('2', 'Pan')";
    may_not(&mut as_apply(&chain.stores[0]), &[price, "update catalog.product set description = 'x'"]);
}

#[test]
fn an_operator_decides_about_conflicts_and_receipts_and_not_in_place_of_central() {
    let chain = with_something_to_steal();
    let (central, store) = (&chain.central, &chain.stores[0]);
    for node in [central, store] {
        let mut operator = person(node, "tpv_operator");
        let relations = relations(node);
        assert_eq!(writes(&mut operator, &relations), ["party.customer"]);
        may_not(&mut operator, OF_A_SUPERUSER);
        may_not(&mut operator, OF_THE_OWNER);
        may_not(
            &mut operator,
            &[
                "update catalog.product set description = 'x'",
                "update catalog.price set price = 0",
                "update sync.policy set rule = '\"first_write\"'",
                "update sync.peer set subscription_name = 'x'",
                "delete from party.customer",
                "update sales.receipt set total = 0",
                "insert into wire.beat select * from wire.beat limit 1",
                "select tpv.restore_loser('party.customer', 'x', 'name', 1, 1)",
                "select tpv.replay(1)",
            ],
        );
        assert_eq!(attempt(&mut operator, "update party.customer set name = 'Ana R'"), "ok");
        assert_eq!(attempt(&mut operator, "insert into party.customer (name) values ('Eva')"), "ok");
        assert_eq!(attempt(&mut operator, "select sync.replay_waiting()"), "ok");
    }
    // In a store that has joined not even with what operators have, and not even the owner.
    let mut operator = store.connect_as("a_person_tpv_operator", "tpv").unwrap();
    let head = "select format('select sync.restore_loser(%L, %L, %L, %s, %s)', 'catalog.product', key, 'description', \
                 (heads::json -> 'description' -> 0 ->> 0), (heads::json -> 'description' -> 0 ->> 1)) \
                from sync.head where entity = 'catalog.product'";
    let restore: String = store.connect().unwrap().query_one(head, &[]).unwrap().get(0);
    may_not(
        &mut operator,
        &[&restore, "select dat.save_profile('{\"fields\": [{\"name\": \"barcode\", \"length\": 13}]}')"],
    );
    for write in [
        "update catalog.product set description = 'x'",
        "update org.terminal set active = false",
        "delete from catalog.product",
    ] {
        assert_eq!(refused(store, &format!("set role tpv_owner; {write}")), "42501", "{write}");
    }
    // At central the same is a question of whether there is anything to decide.
    let mut decides = central.connect_as("a_person_tpv_operator", "tpv").unwrap();
    assert_eq!(
        attempt(&mut decides, &restore),
        "22023 it is the only value: there is no conflict about that column any more"
    );
}

#[test]
fn an_analyst_sees_no_customer_not_even_in_the_journal_or_in_what_was_refused() {
    let chain = with_ana();
    for node in chain.nodes() {
        let mut analyst = person(node, "tpv_analyst");
        let relations = relations(node);
        assert_eq!(writes(&mut analyst, &relations), [""; 0]);
        may_not(&mut analyst, OF_A_SUPERUSER);
        may_not(&mut analyst, OF_THE_OWNER);
        may_not(
            &mut analyst,
            &[
                "select * from party.customer",
                "select count(*) from party.customer",
                "select patch from wire.op",
                "select key from wire.op",
                "select * from wire.op",
                "select * from sync.head",
                "select value from sync.sibling",
                "select refused from sync.quarantine",
                "select detail from sync.quarantine",
                "select * from sec.audit",
                "select * from sales.raw",
                "select sync.replay_waiting()",
            ],
        );
        // What they are there for, they may.
        for query in [
            "select node_id, count(*) from wire.op group by 1",
            "select code, count(*) from sync.quarantine where resolved_at is null group by 1",
            "select * from sync.status",
            "select * from sales.receipt",
            "select * from catalog.price",
        ] {
            assert_eq!(attempt(&mut analyst, query), "ok", "{query}");
        }
    }
}

#[test]
fn the_login_of_pg_cron_calls_its_jobs_and_reads_and_writes_nothing() {
    let chain = with_something_to_steal();
    let relations = relations(&chain.central);
    let mut cron = chain.central.connect_as("tpv_cron", "tpv").unwrap();
    let ours: Vec<String> = relations.into_iter().filter(|relation| !relation.starts_with("cron.")).collect();
    assert_eq!(may(&mut cron, &ours, |relation| format!("select * from {relation}")), [""; 0]);
    assert_eq!(writes(&mut cron, &ours), [""; 0]);
    may_not(&mut cron, OF_A_SUPERUSER);
    may_not(&mut cron, OF_THE_OWNER);
    may_not(&mut cron, &["select sync.replay(1)", "select sync.dismiss(1, 'x')", "select tpv.beat()"]);
    for job in ["select sync.replay_waiting()", "select sync.prune_beats()", "select wire.maintain_partitions()"] {
        assert_eq!(attempt(&mut cron, job), "ok", "{job}");
    }
    // Others' jobs are not its own.
    let others = "select count(*)::text from cron.job where username <> 'tpv_cron'";
    run(&chain.central, &["select cron.schedule('a backup', '0 4 * * *', 'select 1')"]);
    assert_eq!(cron.query_one(others, &[]).unwrap().get::<_, String>(0), "0");
}

#[test]
fn the_owner_of_the_tables_logs_in_nowhere_and_is_no_superuser() {
    let chain = with_something_to_steal();
    kept_out(&chain.central, "tpv_owner", "tpv", "not permitted to log in");
    let mut owner = chain.central.connect().unwrap();
    owner.batch_execute("set session authorization tpv_owner").unwrap();
    may_not(&mut owner, OF_A_SUPERUSER);
    // It could switch the guard off, and that is what an audit looks for; by itself it does not.
    may_not(
        &mut owner,
        &[
            "update wire.op set patch = '{}'",
            "delete from wire.doc",
            "truncate wire.doc",
            "delete from catalog.product",
        ],
    );
}

#[test]
fn everybody_else_may_not_even_connect_and_finds_nothing_if_somebody_lets_them() {
    let chain = with_something_to_steal();
    let node = &chain.stores[0];
    run(node, &["create role stranger login"]);
    kept_out(node, "stranger", "tpv", "permission denied for database");
    run(node, &["grant connect on database tpv to stranger"]);
    let ours: Vec<String> = relations(node).into_iter().filter(|relation| !relation.starts_with("cron.")).collect();
    let mut stranger = node.connect_as("stranger", "tpv").unwrap();
    assert_eq!(may(&mut stranger, &ours, |relation| format!("select * from {relation}")), [""; 0]);
    assert_eq!(writes(&mut stranger, &ours), [""; 0]);
    may_not(&mut stranger, OF_A_SUPERUSER);
    may_not(&mut stranger, OF_THE_OWNER);
    // Also where somebody gives it the schemas: no function of ours is everybody's.
    let open = "select format('grant usage on schema %I to stranger', nspname) from pg_namespace \
                where nspname in ('tpv', 'sync', 'wire', 'sales', 'org', 'dat', 'catalog', 'party', 'sec', 'tpv_migration')";
    let grants: Vec<String> = node.connect().unwrap().query(open, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(grants.len(), 10);
    run(node, &grants.iter().map(String::as_str).collect::<Vec<_>>());
    let calls = "select coalesce(string_agg(p.oid::regprocedure::text, ', '), '') from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
                 where n.nspname not in ('pg_catalog', 'information_schema', 'cron', 'public') and has_function_privilege(p.oid, 'execute')";
    assert_eq!(stranger.query_one(calls, &[]).unwrap().get::<_, String>(0), "");
    assert_eq!(may(&mut stranger, &ours, |relation| format!("select * from {relation}")), [""; 0]);
}
