//! A store joins, joins again and leaves by one command, and one shows the chain.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tpv_lab::chain::{Plan, compare, conninfo, register_central};
use tpv_lab::cluster::Cluster;
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::store::{self, Receipts};
use tpv_lab::wait::until_true;

use crate::support::{SOON, ask, run, sell};

const RECEIPTS: &str = "select count(*) || ' ' || coalesce(sum(total), 0) from sales.receipt where node_id = 1";
const PEERS: &str = "select count(*)::text from sync.peer";
const CONNINFOS: &str = "select string_agg(subconninfo, ' ') from pg_subscription";

/// Central and a store that have not met. Peers need passwords, and each server's log has every statement.
struct Two {
    central: Cluster,
    store: Cluster,
}

impl Two {
    fn start() -> Self {
        let [central, store] = [(); 2].map(|()| Self::server());
        register_central(&mut central.connect().unwrap()).unwrap();
        store::register(&mut store.connect().unwrap(), STORES[0]).unwrap();
        Self { central, store }
    }

    fn server() -> Cluster {
        let lab = Lab::open().unwrap();
        let cluster = Cluster::for_test_with(&lab, "log_statement = 'all'\nlog_min_duration_statement = 0\n").unwrap();
        let hba = cluster.data().join("pg_hba.conf");
        let lines = fs::read_to_string(&hba).unwrap();
        let strict = lines.lines().map(|line| match line.split_once("+tpv_peer") {
            Some((before, after)) if after.trim() == "trust" => format!("{before}+tpv_peer  scram-sha-256\n"),
            _ => format!("{line}\n"),
        });
        fs::write(&hba, strict.collect::<String>()).unwrap();
        run(&cluster, &["select pg_reload_conf()"]);
        cluster
    }

    fn command(&self, word: &str, more: &[&str]) -> Command {
        let mut command = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap());
        command.args([word, "--central", &self.central.dba_url(), "--store", &self.store.dba_url()]).args(more);
        command
    }

    fn join(&self) -> Command {
        self.command(
            "join",
            &["--store-conninfo", &conninfo(&self.store), "--central-conninfo", &conninfo(&self.central)],
        )
    }

    /// The passwords that the two subscriptions hold.
    fn passwords(&self) -> Vec<String> {
        let text = format!("{} {}", ask(&self.central, CONNINFOS), ask(&self.store, CONNINFOS));
        text.split_whitespace().filter_map(|word| word.strip_prefix("password=")).map(str::to_owned).collect()
    }

    fn logs(&self) -> String {
        [&self.central, &self.store].map(|node| fs::read_to_string(node.log()).unwrap()).join("\n")
    }
}

#[track_caller]
fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", all(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_store_joins_by_one_command_and_nobody_sees_the_passwords() {
    let two = Two::start();
    sell(&two.store, &mut Receipts::new(61), 40);
    run(&two.central, &["insert into party.customer (name) select 'c' || n from generate_series(1, 30) n"]);

    let mut dry = two.join();
    dry.arg("--dry-run");
    let plan = done(dry);
    assert!(
        plan.contains("alter role tpv_peer_s01 password '***'") && plan.ends_with("nothing was run: --dry-run\n"),
        "{plan}"
    );
    assert_eq!((ask(&two.central, PEERS).as_str(), ask(&two.store, PEERS).as_str()), ("0", "0"));

    let output = two.join().output().unwrap();
    let told = all(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("S01 has joined") && told.contains("both directions are running"), "{told}");
    assert_eq!(ask(&two.central, RECEIPTS), ask(&two.store, RECEIPTS));
    assert_eq!(ask(&two.store, "select count(*)::text from party.customer"), "30");

    let passwords = two.passwords();
    assert_eq!(passwords.len(), 2);
    let logs = two.logs();
    for password in &passwords {
        assert!(!logs.contains(password) && !told.contains(password) && !plan.contains(password));
    }
    assert!(!logs.contains("SCRAM-SHA-256$"), "not even what the server keeps of it");
    // The password is what lets it in.
    assert!(two.central.connect_as("tpv_peer_s01", "tpv").is_err());

    let again = done(two.join());
    assert_eq!(again, "nothing to do: S01 has joined, and both directions are running\n");
    assert_eq!(two.passwords(), passwords);
}

#[test]
fn one_command_shows_the_chain_and_another_joins_again_with_new_passwords() {
    let two = Two::start();
    done(two.join());
    let status = |more: &[&str]| {
        let mut command = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap());
        command.args(["status", "--central", &two.central.dba_url()]).args(more);
        command.output().unwrap()
    };
    let shown = status(&["--json"]);
    let chain: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(chain["stores"][0]["store"], "S01");
    assert_eq!(chain["stores"][0]["receives"], "running");
    assert_eq!(chain["stores"][0]["version"], chain["version"]);

    run(&two.central, &["alter subscription tpv_from_s01 disable"]);
    let shown = status(&[]);
    assert_eq!(shown.status.code(), Some(3), "{}", all(&shown));
    assert!(all(&shown).contains("disabled") && all(&shown).contains("1 stores, 1 to look at"), "{}", all(&shown));

    // A plan that is run by hand names no password, and the one that there is stays.
    let before = two.passwords();
    Plan::Rejoin.run(STORES[0], &two.store, &two.central).unwrap();
    assert_eq!(two.passwords(), before);
    compare([&two.central, &two.store]).unwrap();

    // How they reach each other is known.
    let told = done(two.command("rejoin", &[]));
    assert!(told.contains("S01 has joined again"), "{told}");
    let after = two.passwords();
    assert!(after.len() == 2 && before.iter().all(|one| !after.contains(one)));
    sell(&two.store, &mut Receipts::new(62), 3);

    let told = done(two.command("leave", &[]));
    assert!(told.contains("S01 has left"), "{told}");
    assert_eq!((ask(&two.central, PEERS).as_str(), ask(&two.store, PEERS).as_str()), ("0", "0"));
    assert_eq!(ask(&two.central, "select count(*)::text from pg_roles where rolname = 'tpv_peer_s01'"), "0");
    assert!(done(two.join()).contains("S01 has joined"));
    assert_eq!(ask(&two.central, RECEIPTS), ask(&two.store, RECEIPTS));
}

/// Tills sell meanwhile, nothing is sent again, and only the new passwords open the servers.
#[test]
fn passwords_are_renewed_without_a_pause() {
    let two = Two::start();
    let refused =
        two.command("renew", &["--store-conninfo", "host=x", "--central-conninfo", "host=y"]).output().unwrap();
    assert!(!refused.status.success() && all(&refused).contains("S01 has not joined"), "{}", all(&refused));
    done(two.join());
    let before = two.passwords();
    let snapshots = "select count(*)::text from sync.snapshot";
    let had = ask(&two.store, snapshots);

    let told = std::thread::scope(|scope| {
        let till = scope.spawn(|| {
            let mut receipts = Receipts::new(66);
            (0..40).for_each(|_| sell(&two.store, &mut receipts, 5));
        });
        let mut told = String::new();
        while !till.is_finished() {
            told = done(two.command("renew", &[]));
        }
        told
    });
    assert!(told.contains("the line of S01 is renewed") && told.contains("both directions are running"), "{told}");
    let after = two.passwords();
    assert!(after.len() == 2 && before.iter().all(|one| !after.contains(one)));
    let refused = |password: &String| {
        let login = format!("{} user=tpv_peer_s01 password={password}", conninfo(&two.central));
        format!("{:?}", postgres::Client::connect(&login, postgres::NoTls).err())
            .contains("password authentication failed")
    };
    assert!(before.iter().all(refused), "the old ones open nothing");
    assert_eq!(ask(&two.store, snapshots), had, "no snapshot was sent");
    until_true("all receipts are at central", SOON, || ask(&two.central, RECEIPTS) == ask(&two.store, RECEIPTS))
        .unwrap();
    assert!(ask(&two.central, RECEIPTS).starts_with("200 "));
    let logs = two.logs();
    assert!(after.iter().all(|password| !logs.contains(password) && !told.contains(password)));
    assert!(!logs.contains("SCRAM-SHA-256$"));
}

/// Runs a command again and again, each time killed one line later, until it comes to its end. Answers how
/// often it was killed.
#[track_caller]
fn killed_at_each_line(command: impl Fn() -> Command, between: impl Fn(u64)) -> u64 {
    let mut kills = 0;
    loop {
        let mut child = command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut ended = false;
        for _ in 0..kills {
            line.clear();
            ended = out.read_line(&mut line).unwrap() == 0;
            if ended {
                break;
            }
        }
        if ended {
            assert!(child.wait().unwrap().success());
            return kills;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        between(kills);
    }
}

/// Killed after each line that it writes, and then run to its end.
#[test]
fn a_join_that_is_killed_at_each_step_goes_on() {
    let two = Two::start();
    sell(&two.store, &mut Receipts::new(63), 60);
    run(&two.central, &["insert into party.customer (name) select 'c' || n from generate_series(1, 1200) n"]);
    let kills = killed_at_each_line(|| two.join(), |turn| sell(&two.store, &mut Receipts::new(100 + turn), 1));
    // It may be a step further than its line when it is killed: 15 times, or 14.
    assert!(kills >= 13, "{kills}");
    assert!(done(two.join()).starts_with("nothing to do"));
    assert_eq!(ask(&two.store, "select count(*)::text from party.customer"), "1200");
    until_true("all receipts are at central", SOON, || ask(&two.central, RECEIPTS) == ask(&two.store, RECEIPTS))
        .unwrap();
    let open = "select count(*)::text from sync.quarantine where resolved_at is null";
    assert_eq!((ask(&two.central, open).as_str(), ask(&two.store, open).as_str()), ("0", "0"));
}

#[test]
fn a_renewal_that_is_killed_at_each_step_is_done_by_the_next_one() {
    let two = Two::start();
    done(two.join());
    let kills =
        killed_at_each_line(|| two.command("renew", &[]), |turn| sell(&two.store, &mut Receipts::new(200 + turn), 1));
    assert!(kills > 5, "{kills}");
    until_true("all receipts are at central", SOON, || ask(&two.central, RECEIPTS) == ask(&two.store, RECEIPTS))
        .unwrap();
    assert!(ask(&two.central, RECEIPTS).starts_with(&format!("{kills} ")));
}

#[test]
fn what_cannot_join_is_told_before_anything_is_done() {
    let two = Two::start();
    let told = |mut command: Command| {
        let output = command.output().unwrap();
        (output.status.code(), all(&output))
    };
    let (code, said) = told(two.command("join", &[]));
    assert_eq!(code, Some(1));
    assert!(said.contains("--store-conninfo says how the server of CENTRAL reaches the other one"), "{said}");

    let mut swapped = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap());
    swapped.args(["join", "--store", &two.central.dba_url(), "--central", &two.store.dba_url()]);
    let (code, said) = told(swapped);
    assert_eq!(code, Some(1));
    assert!(said.contains("--central is S01, a node of the kind store; it takes a central"), "{said}");

    let (code, said) = told({
        let mut gone = Command::new(Lab::open().unwrap().program("tpv-migrate").unwrap());
        gone.args(["leave", "--central", &two.central.dba_url(), "--gone", "S99"]);
        gone
    });
    assert_eq!(code, Some(1));
    assert!(said.contains("central knows no store of that code"), "{said}");
    assert_eq!(ask(&two.central, PEERS), "0");
}

#[test]
fn a_store_whose_database_was_lost_is_told_to_join_again_and_gets_its_receipts_back() {
    let mut two = Two::start();
    done(two.join());
    sell(&two.store, &mut Receipts::new(64), 25);
    let sold = ask(&two.store, RECEIPTS);
    until_true("all receipts are at central", SOON, || ask(&two.central, RECEIPTS) == sold).unwrap();
    // Another server, with a database that knows nothing.
    two.store.stop_immediate().unwrap();
    two.store = Two::server();
    store::register(&mut two.store.connect().unwrap(), STORES[0]).unwrap();
    let refused = two.join().output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(all(&refused).contains("tpv-migrate rejoin brings back what central has of it"), "{}", all(&refused));
    let conninfos = ["--store-conninfo", &conninfo(&two.store), "--central-conninfo", &conninfo(&two.central)];
    let told = done(two.command("rejoin", &conninfos));
    assert!(told.contains("S01 has joined again"), "{told}");
    until_true("its receipts are back", SOON, || {
        // As pg_cron does each minute.
        run(&two.store, &["select sync.reconcile()", "select sync.replay_waiting()"]);
        ask(&two.store, RECEIPTS) == sold
    })
    .unwrap();
    sell(&two.store, &mut Receipts::new(65), 5);
    until_true("and it sells on", SOON, || {
        ask(&two.central, RECEIPTS).starts_with("30 ") && ask(&two.store, RECEIPTS) == ask(&two.central, RECEIPTS)
    })
    .unwrap();
}
