//! Servers that are put back on old disks, one after the other, in an order that dice choose: from a
//! cold copy, from a base backup, with another timeline; while the others work or stand still; with
//! people and tills that go on before anybody notices. In the end all nodes are equal, or it is on
//! record what was set aside, and no receipt is missing.

use std::io::Write;
use std::process::Command;

use tpv_lab::chain::{Chain, Plan, bring_back};
use tpv_lab::cluster::Cluster;
use tpv_lab::dice::Dice;
use tpv_lab::node::STORES;
use tpv_lab::store::{Input, Receipts};
use tpv_lab::wait::until_true;

use crate::support::{CUSTOMERS, HEADS, INGEST, SOON, all_say, ask, run, until_at, until_verified};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copy {
    /// Of a server that stands still.
    Cold,
    /// Of one that runs, without its slots, as `pg_basebackup` makes it.
    Base,
    /// The same, recovered as from an archive: with another timeline.
    Recovered,
}

/// What was done, and where.
struct World {
    chain: Chain,
    receipts: Receipts,
    dice: Dice,
    /// Every file that a terminal of a store has handed in.
    sold: Vec<(usize, Input)>,
    /// The names of customers that were answered for, and at which node.
    named: Vec<String>,
}

impl World {
    fn node(&mut self, index: usize) -> &mut Cluster {
        if index == 0 { &mut self.chain.central } else { &mut self.chain.stores[index - 1] }
    }

    /// Somebody works at a node.
    fn work(&mut self, index: usize, step: &str) {
        for _ in 0..self.dice.between(1, 4) {
            if index > 0 {
                // Now and then a terminal sends again what it had sent.
                let again = self.dice.percent(25);
                let before =
                    self.sold.iter().filter(|(at, _)| *at == index).map(|(_, input)| input.clone()).collect::<Vec<_>>();
                let input = match before.is_empty() || !again {
                    true => self.receipts.good("T01"),
                    false => self.dice.pick(&before).clone(),
                };
                let mut till = self.node(index).connect().unwrap();
                till.execute(INGEST, &[&input.terminal, &input.bytes]).unwrap();
                self.sold.push((index, input));
            }
            let name = format!("{step} {}", self.named.len());
            let at = self.node(index);
            run(at, &[&format!("insert into party.customer (name) values ('{name}')")]);
            let other = "update party.customer set phone = '{}', email = null where customer_id = \
                (select customer_id from party.customer where not deleted order by md5(name || '{}') limit 1)";
            run(at, &[&other.replace("{}", &name)]);
            self.named.push(name);
        }
    }
}

/// Past the test program, which keeps what a test prints until it fails.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "old disks: {what}");
}

#[track_caller]
fn shell(script: &str, data: &str) {
    assert!(Command::new("sh").args(["-ec", script, data]).status().unwrap().success(), "{script}");
}

fn back_up(at: &mut Cluster, copy: Copy) {
    let data = at.data().display().to_string();
    if copy == Copy::Cold {
        at.stop().unwrap();
        shell("rm -rf \"$0.copy\"; cp -a \"$0\" \"$0.copy\"", &data);
        return at.start().unwrap();
    }
    let mut dba = at.connect().unwrap();
    dba.execute("select pg_backup_start('a test', true)", &[]).unwrap();
    shell("rm -rf \"$0.copy\"; cp -a \"$0\" \"$0.copy\" || true; rm -rf \"$0.copy\"/pg_wal", &data);
    let label: String = dba.query_one("select labelfile from pg_backup_stop()", &[]).unwrap().get(0);
    shell("cp -a \"$0\"/pg_wal \"$0.copy\"/pg_wal; rm -rf \"$0.copy\"/postmaster.pid \"$0.copy\"/pg_replslot/*", &data);
    std::fs::write(format!("{data}.copy/backup_label"), label).unwrap();
    if copy == Copy::Recovered {
        std::fs::write(format!("{data}.copy/recovery.signal"), "").unwrap();
        shell("echo \"restore_command = 'false'\" >> \"$0.copy\"/postgresql.auto.conf", &data);
    }
    shell("chown --reference=\"$0\" \"$0.copy\"/backup_label \"$0.copy\"/recovery.signal 2>/dev/null || true", &data);
}

fn restore(at: &mut Cluster) {
    at.stop().unwrap();
    let data = at.data().display().to_string();
    shell("rm -rf \"$0\"; cp -a \"$0.copy\" \"$0\"", &data);
    at.start().unwrap();
}

/// Waits until no server waits for what it forgot.
#[track_caller]
fn until_whole(chain: &Chain) {
    let heard =
        "select not exists (select from sync.peer p where coalesce(p.own_at < pg_postmaster_start_time(), true))";
    chain.nodes().for_each(|node| until_at(node, heard));
    let open = "select concat_ws(' ', (select json_agg(r) from sync.restored r where r.ended_at is null), \
        (select json_agg(c) from sync.own_chain c), (select json_agg(s) from sync.own_said s), \
        (select string_agg(key, ' ') from sync.head where lost_at is not null))";
    for node in chain.nodes() {
        let mut last = String::new();
        let done = until_true("it has got back what it forgot", SOON * 6, || {
            last = ask(node, open);
            last.is_empty()
        });
        done.unwrap_or_else(|late| panic!("{late}: {last}"));
    }
}

fn check(world: &World) {
    let chain = &world.chain;
    until_whole(chain);
    until_verified(chain);
    chain.converge().unwrap();
    for query in [CUSTOMERS, HEADS] {
        all_say(chain, query);
    }
    for node in chain.nodes() {
        let broken = "select string_agg(c::text, ', ') from wire.verify_chains() c where not intact";
        assert_eq!(ask(node, broken), "");
        let refused = "select string_agg(q::text, ', ') from sync.quarantine q where code <> 'NUMBER_REUSED' and resolved_at is null";
        assert_eq!(ask(node, refused), "");
    }
    for (index, store) in STORES.iter().enumerate().take(2) {
        let documents = format!(
            "select string_agg(concat_ws(' ', chain, chain_seq, doc_id, business_date, hlc, left(encode(prev_hash, 'hex'), 8), \
             left(encode(content_hash, 'hex'), 8)), chr(10) order by chain, chain_seq, doc_id) \
             from wire.doc where node_id = {}",
            store.id
        );
        // Central tells a store when a document was recorded first, which was handed in again.
        let told = until_true("a store has its documents as central has them", SOON, || {
            ask(&chain.stores[index], &documents) == ask(&chain.central, &documents)
        });
        let differ = || (ask(&chain.stores[index], &documents), ask(&chain.central, &documents));
        told.unwrap_or_else(|late| panic!("{}: {late}: {:#?}", store.code, differ()));
        let mut files: Vec<&[u8]> =
            world.sold.iter().filter(|(at, _)| *at == index + 1).map(|(_, input)| &input.bytes[..]).collect();
        files.sort_unstable();
        files.dedup();
        let receipts = format!("select count(*)::text from sales.receipt where node_id = {}", store.id);
        for node in [&chain.stores[index], &chain.central] {
            assert_eq!(ask(node, &receipts), files.len().to_string(), "{}", store.code);
        }
    }
}

/// One server loses its disk.
fn lose_a_disk(world: &mut World, round: usize) {
    let victim = usize::try_from(world.dice.below(3)).unwrap();
    let copy = *world.dice.pick(&[Copy::Cold, Copy::Base, Copy::Recovered]);
    let (all_received, alone) = (world.dice.percent(70), world.dice.percent(60));
    say(&format!("round {round}: node {victim}, {copy:?}, all received: {all_received}, alone: {alone}"));
    back_up(world.node(victim), copy);
    (0..3).for_each(|node| world.work(node, &format!("round {round} before")));
    if all_received {
        world.chain.converge().unwrap();
        until_verified(&world.chain);
    }
    let answered = world.named.len();
    let others: Vec<usize> = (0..3).filter(|node| alone && *node != victim).collect();
    others.iter().for_each(|node| world.node(*node).stop().unwrap());
    restore(world.node(victim));
    if alone && copy == Copy::Cold {
        // Nothing tells it.
        world.work(victim, &format!("round {round} blind"));
    }
    others.iter().for_each(|node| world.node(*node).start().unwrap());
    (0..3).filter(|node| *node != victim).for_each(|node| world.work(node, &format!("round {round} meanwhile")));
    if victim == 0 {
        let stores: Vec<_> = STORES.into_iter().zip(&world.chain.stores).collect();
        bring_back(&world.chain.central, &stores).unwrap();
    } else {
        Plan::Rejoin.run(STORES[victim - 1], &world.chain.stores[victim - 1], &world.chain.central).unwrap();
    }
    until_whole(&world.chain);
    // What nobody had received is handed in again, from the archive of the watcher.
    for (index, input) in world.sold.clone() {
        let mut till = world.node(index).connect().unwrap();
        till.execute(INGEST, &[&input.terminal, &input.bytes]).unwrap();
    }
    check(world);
    for name in &world.named[..answered] {
        let stands = all_say(&world.chain, &format!("select count(*)::text from party.customer where name = '{name}'"));
        assert!(stands == "1" || !all_received, "{name} was received by all, and is gone");
    }
    for name in &world.named[answered..] {
        let kept = world.chain.nodes().any(|node| {
            let noted = format!("select count(*)::text from sync.quarantine where code = 'NUMBER_REUSED' and refused ->> 'patch' like '%{name}\"%'");
            ask(node, &noted) != "0"
        });
        let stands = all_say(&world.chain, &format!("select count(*)::text from party.customer where name = '{name}'"));
        assert!(stands == "1" || kept, "{name} is neither there nor on record");
    }
    let stands = ask(&world.chain.central, "select coalesce(string_agg(name, ','), '') from party.customer");
    let stands: Vec<&str> = stands.split(',').collect();
    world.named.retain(|name| stands.contains(&&name[..]));
}

#[test]
fn servers_on_old_disks_end_equal_to_the_others_or_say_what_was_set_aside() {
    let seed = std::env::var("TPV_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129);
    say(&format!("TPV_SEED={seed}"));
    let chain = Chain::joined(2).unwrap();
    let mut world =
        World { chain, receipts: Receipts::new(65), dice: Dice::new(seed), sold: Vec::new(), named: Vec::new() };
    (0..3).for_each(|node| world.work(node, "first"));
    world.chain.converge().unwrap();
    until_verified(&world.chain);
    for round in 1..=4 {
        lose_a_disk(&mut world, round);
    }
}
