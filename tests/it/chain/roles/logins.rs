//! The logins of programs: of subscriptions, of pg_cron, and the owner of the tables,
//! which is none.

use postgres::Client;
use tpv_lab::cluster::Cluster;

use super::attempts::{
    OF_A_SUPERUSER, OF_THE_OWNER, attempt, kept_out, may, may_not, relations, with_something_to_steal, writes,
};
use crate::support::{ANA, run, until_at};

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

/// The owner of the tables tries to become a superuser by way of whoever writes a heartbeat.
const TRAP: &str = r#"
    create table public.caught (who text, made boolean);
    grant insert on public.caught to public;
    grant usage, create on schema public to tpv_owner;
    set role tpv_owner;
    create function public.trap() returns trigger language plpgsql as $$
    declare made boolean := true;
    begin
      begin
        alter role tpv_owner superuser;
      exception when insufficient_privilege then made := false;
      end;
      insert into public.caught values (current_user, made);
      return null;
    end $$;
    create trigger _900_trap after insert on wire.beat for each row execute function public.trap();
    alter table wire.beat enable always trigger _900_trap;
    reset role"#;

#[test]
fn the_background_worker_is_no_superuser_and_sees_since_when_others_work() {
    let chain = with_something_to_steal();
    let central = &chain.central;
    let mut working = central.connect().unwrap();
    working.batch_execute("create table public.work (n integer); begin; insert into public.work values (1)").unwrap();
    let since = "select xact_start from pg_stat_activity where pid = pg_backend_pid()";
    let since: std::time::SystemTime = working.query_one(since, &[]).unwrap().get(0);
    run(central, &[TRAP]);
    until_at(central, "select count(*) >= 2 and bool_and(who = 'tpv_worker') and not bool_or(made) from public.caught");
    until_at(central, "select not rolsuper from pg_roles where rolname = 'tpv_owner'");
    // Nothing is said to be complete that may still commit.
    let last = "select low_water from wire.beat where node_id = 100 order by beat desc limit 1";
    let low_water: std::time::SystemTime = central.connect().unwrap().query_one(last, &[]).unwrap().get(0);
    assert!(low_water <= since, "{low_water:?} {since:?}");
    working.batch_execute("rollback").unwrap();
    kept_out(central, "tpv_worker", "tpv", "pg_hba.conf rejects");
    let mut worker = central.connect().unwrap();
    worker.batch_execute("set session authorization tpv_worker").unwrap();
    may_not(&mut worker, OF_A_SUPERUSER);
    may_not(&mut worker, OF_THE_OWNER);
    may_not(
        &mut worker,
        &[
            "select * from wire.op",
            "select * from wire.resend",
            "update sync.request set node_id = 1",
            "select sync.replay_waiting()",
        ],
    );
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
