//! The logins of programs: of peers, of subscriptions, of pg_cron, and the owner of the tables,
//! which is none.

use std::process::Command;

use postgres::Client;
use tpv_lab::cluster::Cluster;

use super::attempts::{
    A_PASSWORD, OF_A_SUPERUSER, OF_THE_OWNER, attempt, kept_out, may, may_not, relations, with_something_to_steal,
    writes,
};
use crate::support::{ANA, run, until_at};

#[test]
fn the_login_of_a_peer_reads_and_writes_nothing() {
    let chain = with_something_to_steal();
    for (node, publication) in [(&chain.central, "tpv_to_s01"), (&chain.stores[0], "tpv_up")] {
        let relations = relations(node);
        let mut peer = node.connect_as("tpv_replicator", "tpv").unwrap();
        // It streams all the same: the chain has just converged.
        assert_eq!(may(&mut peer, &relations, |relation| format!("select * from {relation}")), [""; 0]);
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

/// The word `replication` in pg_hba.conf stops only connections that name no database, and the
/// server carries BASE_BACKUP out over the others, too: a store's passfile would have been worth a
/// copy of central, with the hash of each password.
#[test]
fn the_login_of_a_peer_cannot_copy_the_server_with_a_database_named_or_not() {
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
        assert!(!done && said.contains("this login may only use logical replication"), "{command}: {said}");
    }
    // Settings that it would have to change for that are not its own.
    let mut peer = central.connect_as("tpv_replicator", "tpv").unwrap();
    may_not(&mut peer, &["set log_replication_commands = off", "set log_min_messages = panic"]);
    run(central, &["alter role tpv_replicator set log_replication_commands = off"]);
    run(central, &["alter role tpv_replicator set log_min_messages = panic"]);
    let (done, said) = replication(central, "tpv_replicator", "database", "BASE_BACKUP");
    assert!(!done && said.contains("this login may only use logical replication"), "{said}");
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
fn the_owner_of_the_subscriptions_is_no_superuser_and_can_do_what_receiving_needs() {
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
                "update sync.tracked_table set writer = 'any'",
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
            [
                "sales.early_event",
                "sync.awaited",
                "sync.head",
                "sync.peer_vector",
                "sync.quarantine",
                "sync.sibling",
                "sync.snapshot",
                "sync.snapshot_row"
            ]
        );
        assert_eq!(may(&mut apply, &relations, |relation| format!("truncate {relation}")), [""; 0]);
    }
    // What central decides is not decided by any session in a store.
    let price = "insert into catalog.product (sku, description) values ('2', 'Pan')";
    may_not(&mut as_apply(&chain.stores[0]), &[price, "update catalog.product set description = 'x'"]);
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
    let jobs = [
        "select sync.replay_waiting()",
        "select sync.prune_beats()",
        "select sync.prune_operations()",
        "select sync.prune_records()",
        "select sync.prune_runs()",
        "select wire.maintain_partitions()",
    ];
    for job in jobs {
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
