//! The logins of peers: each streams its own slot and does nothing else.

use std::process::{Child, Command, Stdio};

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;

use super::attempts::kept_out;
use crate::support::{run, until_at};

/// A peer's login at a node, what it may stream there, and a slot there of somebody else.
struct Login<'c> {
    at: &'c Cluster,
    role: &'static str,
    slot: &'static str,
    publication: &'static str,
    other_slot: &'static str,
}

const START: &str = "START_REPLICATION SLOT \"SLOT\" LOGICAL 0/0 (proto_version '3', publication_names '\"NAME\"')";

impl Login<'_> {
    /// Streaming a slot by a publication.
    fn start(slot: &str, publication: &str) -> String {
        START.replace("SLOT\"", &format!("{slot}\"")).replace("NAME", publication)
    }

    /// What it needs is carried out.
    fn may_what_it_needs(&self) {
        let asks =
            format!("SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('{}')", self.publication);
        for command in ["IDENTIFY_SYSTEM", "SELECT pg_catalog.set_config('search_path', '', false);", &asks] {
            let (done, said) = said(self.at, self.role, "database", command);
            assert!(done, "{command}: {said}");
        }
        // Its own server streams at the moment: PostgreSQL itself says so.
        until_at(self.at, &format!("select active from pg_replication_slots where slot_name = '{}'", self.slot));
        let (_, said) = said(self.at, self.role, "database", &Self::start(self.slot, self.publication));
        assert!(said.contains("is active for PID"), "{said}");
    }

    fn may_no_other_command(&self) {
        let (slot, other) = (self.slot, self.other_slot);
        let start = Self::start(slot, self.publication);
        for command in [
            "BASE_BACKUP",
            "BASE_BACKUP (LABEL 'LOGICAL')",
            "SHOW data_directory",
            "TIMELINE_HISTORY 1",
            "START_REPLICATION 0/1000000",
            "START_REPLICATION PHYSICAL 0/1000000",
            &format!("START_REPLICATION SLOT {slot} PHYSICAL 0/1000000"),
            &format!("READ_REPLICATION_SLOT {slot}"),
            "CREATE_REPLICATION_SLOT mine PHYSICAL RESERVE_WAL",
            "CREATE_REPLICATION_SLOT mine TEMPORARY LOGICAL test_decoding",
            "CREATE_REPLICATION_SLOT mine LOGICAL pgoutput",
            &format!("DROP_REPLICATION_SLOT {slot}"),
            &format!("DROP_REPLICATION_SLOT {other} WAIT"),
            &Self::start(other, self.publication),
            &Self::start(slot, "of_others"),
            &Self::start(slot, &format!("{}\",\"of_others", self.publication)),
            &start.replace("(proto", "(messages 'true', proto"),
        ] {
            let (done, said) = said(self.at, self.role, "database", command);
            assert!(!done && said.contains("this login may only stream its own slot"), "{command}: {said}");
        }
    }

    fn may_no_sql(&self) {
        let other = self.other_slot;
        for statement in [
            "select 1",
            "begin",
            "table wire.doc",
            "show data_directory",
            "set role tpv_apply",
            "select pg_catalog.set_config('role', 'tpv_apply', false)",
            "SELECT pg_catalog.set_config('search_path', '', false); select 1",
            "select pg_catalog.set_config('search_path', '', false); table pg_roles",
            "SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('of_others')",
            "select pg_terminate_backend(pid) from pg_stat_activity",
            &format!("select pg_drop_replication_slot('{other}')"),
            &format!("select pg_replication_slot_advance('{other}', '7FFFFFFF/0')"),
            "select pg_create_logical_replication_slot('mine', 'test_decoding')",
            "select pg_replication_origin_advance('pg_1', '7FFFFFFF/0')",
            "select pg_advisory_lock(1)",
            "select pg_notify('x', '')",
            "copy pg_roles to stdout",
            "do $$ begin end $$",
            "prepare p as select 1",
            "alter role current_user password 'x'",
            "alter role current_user reset pg_tpv.peer_slot",
        ] {
            let (done, said) = said(self.at, self.role, "database", statement);
            // Names are looked up first, with the rights of the login, which has none.
            let refused = ["this login may give no SQL statement", "permission denied for schema"];
            assert!(!done && refused.iter().any(|why| said.contains(why)), "{statement}: {said}");
        }
    }

    fn gets_in_no_other_way(&self) {
        kept_out(self.at, self.role, "tpv", "this login may only stream what is published to it");
        kept_out(self.at, self.role, "postgres", "pg_hba.conf rejects");
        let (done, said) = said(self.at, self.role, "true", "IDENTIFY_SYSTEM");
        assert!(!done && said.contains("pg_hba.conf rejects replication connection"), "{said}");
        for setting in ["pg_tpv.peer_slot=x", "log_replication_commands=off", "log_min_messages=panic"] {
            let options = format!("database options='-c {setting}'");
            let (done, said) = connects(self.at, self.role, &options);
            assert!(!done && said.contains("permission denied to set parameter"), "{setting}: {said}");
        }
    }
}

fn psql(at: &Cluster, role: &str, kind: &str) -> Command {
    let mut command = Command::new("psql");
    command
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--dbname"])
        .arg(format!("host={} user={role} dbname=tpv replication={kind}", at.sockets().display()));
    command
}

/// What comes of one command over a replication connection as that role.
fn said(at: &Cluster, role: &str, kind: &str, command: &str) -> (bool, String) {
    let output = psql(at, role, kind).args(["--command", command]).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn connects(at: &Cluster, role: &str, kind: &str) -> (bool, String) {
    said(at, role, kind, "IDENTIFY_SYSTEM")
}

/// One that stays connected until its input ends.
fn stays(at: &Cluster, role: &str) -> Child {
    let mut command = psql(at, role, "database");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn the_login_of_a_peer_streams_its_own_slot_and_does_nothing_else() {
    let chain = Chain::joined(2).unwrap();
    let (central, store) = (&chain.central, &chain.stores[0]);
    run(store, &["select pg_create_logical_replication_slot('of_a_dba', 'pgoutput')"]);
    let logins = [
        Login {
            at: central,
            role: "tpv_peer_s01",
            slot: "tpv_to_s01",
            publication: "tpv_to_s01",
            other_slot: "tpv_to_s02",
        },
        Login {
            at: store,
            role: "tpv_peer_central",
            slot: "tpv_up_s01",
            publication: "tpv_up",
            other_slot: "of_a_dba",
        },
    ];
    for login in &logins {
        login.may_what_it_needs();
        login.may_no_other_command();
        login.may_no_sql();
        login.gets_in_no_other_way();
    }
    // Whatever somebody has set for it. What the extension reads of the log is logged all the same.
    for setting in ["log_replication_commands = off", "log_min_messages = panic", "log_statement = 'none'"] {
        run(central, &[&format!("alter role tpv_peer_s01 set {setting}")]);
    }
    logins[0].may_no_other_command();
    logins[0].may_no_sql();
    // One that a superuser made without saying what it may stream.
    run(central, &["create role tpv_peer_s09 login replication in role tpv_peer"]);
    let by_hand = Login { role: "tpv_peer_s09", other_slot: "tpv_to_s01", ..logins[0] };
    by_hand.may_no_other_command();
    by_hand.may_no_sql();
    // And one that became a superuser: it is still the login of a peer.
    run(central, &["alter role tpv_peer_s01 superuser"]);
    logins[0].may_no_other_command();
    logins[0].may_no_sql();
    run(central, &["alter role tpv_peer_s01 nosuperuser"]);
    // A DBA's backups are no business of ours.
    for (kind, command) in
        [("database", "CREATE_REPLICATION_SLOT mine TEMPORARY PHYSICAL"), ("true", "IDENTIFY_SYSTEM")]
    {
        let (done, said) = said(central, "postgres", kind, command);
        assert!(done, "{said}");
    }
    chain.converge().unwrap();
}

/// Walsenders and memory are what all peers share. A list of ones takes 150 times its own size when it
/// is parsed, and that is before it is refused.
#[test]
fn a_peer_gets_a_few_connections_and_some_memory() {
    let chain = Chain::joined(2).unwrap();
    let central = &chain.central;
    let mut many: Vec<Child> = (0..20).map(|_| stays(central, "tpv_peer_s01")).collect();
    // Those that were let in stay; the others have ended.
    let of_s01 = "from pg_stat_activity where usename = 'tpv_peer_s01'";
    until_at(central, &format!("select count(*) = 8 {of_s01}"));
    let (done, said) = connects(central, "tpv_peer_s01", "database");
    assert!(!done && said.contains("this login has too many connections"), "{said}");
    let (done, said) = connects(central, "tpv_peer_s02", "database");
    assert!(done, "{said}");
    let ones = central.folder.join("ones.sql");
    std::fs::write(&ones, format!("select {}1", "1,".repeat(8_000_000))).unwrap();
    let mut command = psql(central, "tpv_peer_s02", "database");
    let output = command.arg("--file").arg(&ones).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("out of memory"), "{said}");
    chain.converge().unwrap();
    for mut one in many.drain(..) {
        drop(one.stdin.take());
        one.wait().unwrap();
    }
}
