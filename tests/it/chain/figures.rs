//! The figures of a chain's life are those that its generator knows, at each store and at central, to the cent:
//! with late files, repeats, voids and releases, a line that is cut, days that are rebuilt meanwhile, folds and
//! servers that are killed.

use std::collections::BTreeMap;

use chrono::{Days, Utc};
use postgres::Client;
use tpv_lab::chain::{Chain, Plan as Join, register_central};
use tpv_lab::cluster::Cluster;
use tpv_lab::dice::Dice;
use tpv_lab::life::play::{Player, furnish, register_store};
use tpv_lab::life::truth::{Truth, differences, report};
use tpv_lab::life::{Event, Life, Plan};
use tpv_lab::machine::Lab;
use tpv_lab::node::STORES;
use tpv_lab::wait::until_true;

use crate::support::{SOON, ask, run, until_at, until_verified};

/// The stores of a life, joined.
fn joined(life: &Life) -> Chain {
    let lab = Lab::open().unwrap();
    let central = Cluster::for_test(&lab).unwrap();
    register_central(&mut central.connect().unwrap()).unwrap();
    let mut chain = Chain { central, stores: Vec::new() };
    for (place, node) in STORES.into_iter().take(life.stores.len()).enumerate() {
        let store = Cluster::for_test(&lab).unwrap();
        register_store(&mut store.connect().unwrap(), life, place).unwrap();
        Join::Join.run(node, &store, &chain.central).unwrap();
        chain.stores.push(store);
    }
    chain.converge().unwrap();
    furnish(&mut chain.central.connect().unwrap(), life, 0..life.stores.len()).unwrap();
    chain.converge().unwrap();
    until_verified(&chain);
    chain
}

fn sessions(chain: &Chain) -> BTreeMap<usize, Client> {
    chain.stores.iter().map(|store| store.connect().unwrap()).enumerate().collect()
}

/// Waits until a node has summed up all that is there now, and compares it with the truth.
#[track_caller]
fn says_the_truth(at: &Cluster, truth: &Truth<'_>, is_asked_for: impl Fn(usize) -> bool, seed: u64) {
    let mut dba = at.connect().unwrap();
    let summed_up = "select not exists (select from sync.touched) and not exists (select from rollup.due)";
    until_true("all is summed up", SOON * 6, || dba.query_one(summed_up, &[]).unwrap().get(0)).unwrap();
    let found = differences(&mut dba, &truth.figures_of(is_asked_for), false, 20).unwrap();
    assert!(found.is_empty(), "TPV_SEED={seed}: {}", report(&found, 20));
}

/// Central never has more of a store than the store itself, whatever is on its way.
#[track_caller]
fn central_has_no_more(chain: &Chain) {
    let receipts = "select coalesce(sum(receipts), 0)::bigint from rollup.bucket where node_id = $1";
    for (nth, store) in chain.stores.iter().enumerate() {
        let node = i32::try_from(nth + 1).unwrap();
        let at_central: i64 = chain.central.connect().unwrap().query_one(receipts, &[&node]).unwrap().get(0);
        let at_store: i64 =
            store.connect().unwrap().query_one("select count(*) from sales.receipt", &[]).unwrap().get(0);
        assert!(at_central <= at_store, "{at_central} of {at_store} receipts");
    }
}

const KILL_FOLD: &str = "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'pg_tpv fold'";

/// Every day of every node, while receipts arrive.
const REBUILD: &str = "do $$ declare node integer; day date; begin \
    for node, day in select s.node_id, s.business_date from sales.slices() s loop \
      perform sales.rebuild_projections(node, day, day); end loop; end $$";

#[test]
fn every_node_says_the_true_figures_of_a_chains_life() {
    let drawn = || u64::from(std::process::id()) * 7919 % 1_000_000;
    let seed = std::env::var("TPV_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(drawn);
    // A terminal may hand in what it printed within the last week.
    let first_day = Utc::now().date_naive().checked_sub_days(Days::new(6)).unwrap();
    let life = Life::new(seed, &Plan::small(first_day));
    let mut chain = joined(&life);
    let events: Vec<Event> = life.events();
    let mut truth = Truth::new(&life);
    let mut player = Player::new(&life, 16);
    let mut dice = Dice::for_actor(seed, 13);
    let parts = 9;
    let mut is_cut = false;
    for (nth, part) in events.chunks(events.len().div_ceil(parts)).enumerate() {
        let mut stores = sessions(&chain);
        for some in part.chunks(60) {
            player.play(&mut stores, some).unwrap();
            some.iter().for_each(|event| truth.take(event));
            if dice.percent(30) {
                let at = if dice.percent(50) { &chain.central } else { &chain.stores[0] };
                run(at, &[KILL_FOLD]);
            }
            central_has_no_more(&chain);
        }
        match nth % 4 {
            0 => chain.cut(1).unwrap(),
            2 => {
                chain.mend(1).unwrap();
                // While it catches up.
                run(&chain.central, &[REBUILD, "select rollup.rebuild()"]);
            }
            3 => {
                chain.central.kill().unwrap();
                chain.central.start().unwrap();
            }
            _ => {}
        }
        is_cut = if nth % 4 == 0 { true } else { is_cut && nth % 4 != 2 };
        for (place, store) in chain.stores.iter().enumerate() {
            says_the_truth(store, &truth, |of| of == place, seed);
        }
    }
    if is_cut {
        chain.mend(1).unwrap();
    }
    chain.converge().unwrap();
    for (place, store) in chain.stores.iter().enumerate() {
        let last = ask(store, "select max(recorded_at)::text from sales.receipt");
        until_at(
            &chain.central,
            &format!("select complete_until > '{last}' from rollup.until where node_id = {}", place + 1),
        );
    }
    says_the_truth(&chain.central, &truth, |_| true, seed);
    for (place, store) in chain.stores.iter().enumerate() {
        says_the_truth(store, &truth, |of| of == place, seed);
    }
    assert!(truth.booked().count() > 500, "TPV_SEED={seed}");
}
