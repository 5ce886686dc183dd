//! What a store costs central, and how long a price takes to be everywhere, as the chain grows.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use postgres::Client;
use serde_json::{Value, json};

use crate::chain::{self, Plan};
use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::measure::rounded;
use crate::node::Node;
use crate::wait::until_true;

const SIZES: [usize; 3] = [10, 30, 100];
const CHANGES: usize = 9;
const IDLE: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(300);

/// The first number of a store, clear of central's.
const FIRST_ID: i32 = 1000;

/// A walsender, an apply worker and a slot for each store, and some to spare.
const BIG: &str = "
max_wal_senders = 120
max_replication_slots = 120
max_logical_replication_workers = 120
max_worker_processes = 150
max_connections = 200
";

/// As small as a server of ours goes.
const SMALL: &str = "
shared_buffers = 1MB
wal_buffers = 64kB
max_connections = 12
max_wal_senders = 2
max_replication_slots = 3
max_logical_replication_workers = 2
max_worker_processes = 8
autovacuum_max_workers = 1
";

struct Store {
    cluster: Cluster,
    dba: Client,
}

/// What one size of the chain showed.
struct Figures {
    stores: usize,
    everywhere: Vec<Duration>,
    idle: Duration,
    per_change: f64,
    central_kb: u64,
    store_kb: u64,
}

/// One chain that grows: what was measured at ten stores is measured again at thirty and at a
/// hundred.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let lab = Lab::open()?;
    let central = Cluster::start_with(&lab, "fanout-central", BIG)?;
    let mut dba = central.connect()?;
    chain::register_central(&mut dba)?;
    dba.batch_execute(
        "insert into catalog.product (sku, description) values ('1', 'Pan'); \
         insert into catalog.price (product_id, price, valid_from) select product_id, 1, '2026-01-01' from catalog.product",
    )?;
    let alone = memory_kb(&central)?;
    let mut stores = Vec::new();
    let mut figures = Vec::new();
    heading(words)?;
    for size in SIZES {
        grow(&lab, &central, &mut stores, size)?;
        let of = measure(&central, &mut dba, &mut stores, alone)?;
        line(words, &of)?;
        figures.push(of);
    }
    Ok(Value::Array(figures.iter().map(as_json).collect()))
}

/// Starts and joins stores until there are this many; says so, since it takes a second or two for
/// each.
fn grow(lab: &Lab, central: &Cluster, stores: &mut Vec<Store>, size: usize) -> Result<()> {
    let mut progress = std::io::stderr();
    while stores.len() < size {
        let number = stores.len() + 1;
        let code: &'static str = Box::leak(format!("F{number:03}").into_boxed_str());
        let node = Node { code, id: FIRST_ID + i32::try_from(number)? };
        let cluster = Cluster::start_with(lab, &format!("fanout-{code}"), SMALL)?;
        let mut dba = cluster.connect()?;
        let mut work = dba.transaction()?;
        work.batch_execute("set local role tpv_owner")?;
        work.execute(
            "select org.register_store(node_id => $1, node_code => $2, name => $2, timezone => 'Europe/Madrid', \
               cutoff_hour => 4::smallint, currency => 'EUR')",
            &[&node.id, &node.code],
        )?;
        work.commit()?;
        Plan::Join.run(node, &cluster, central).with_context(|| format!("joining store {number}"))?;
        until_true("the store has its snapshot", PATIENCE, || {
            let done = "select exists (select from sync.snapshot where completed_at is not null)";
            dba.query_one(done, &[]).is_ok_and(|row| row.get(0))
        })?;
        stores.push(Store { cluster, dba });
        write!(progress, "\r{number} of {size} stores have joined ")?;
    }
    writeln!(progress)?;
    Ok(())
}

fn measure(central: &Cluster, dba: &mut Client, stores: &mut [Store], alone: u64) -> Result<Figures> {
    wait_until_compared(dba, stores.len())?;
    let idle = {
        let (begin, before) = (Instant::now(), busy(central)?);
        std::thread::sleep(IDLE);
        (busy(central)? - before).div_f64(begin.elapsed().as_secs_f64() * stores.len() as f64)
    };
    let (begin, before) = (Instant::now(), busy(central)?);
    let mut everywhere = Vec::new();
    for change in 0..CHANGES {
        let price = format!("{}.{change:02}", stores.len() + 1);
        everywhere.push(change_price(dba, stores, &price)?);
    }
    // What central would have used anyway is no cost of the changes.
    let beside = idle.mul_f64(begin.elapsed().as_secs_f64() * stores.len() as f64);
    let used = (busy(central)? - before).saturating_sub(beside);
    everywhere.sort();
    let mut store_kb = 0;
    for store in stores.iter() {
        store_kb += memory_kb(&store.cluster)?;
    }
    Ok(Figures {
        stores: stores.len(),
        everywhere,
        idle,
        per_change: used.as_secs_f64() * 1000.0 / (CHANGES * stores.len()) as f64,
        central_kb: memory_kb(central)?.saturating_sub(alone) / stores.len() as u64,
        store_kb: store_kb / stores.len() as u64,
    })
}

/// Waits until central has compared itself with every store, so that nothing of the joining is
/// measured.
fn wait_until_compared(dba: &mut Client, stores: usize) -> Result<()> {
    let stores = i64::try_from(stores)?;
    until_true("central has compared itself with all stores", PATIENCE, || {
        let done =
            "select sync.reconcile() = 0 and (select count(*) from sync.peer where verified_until is not null) = $1";
        dba.query_one(done, &[&stores]).is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
    })
}

fn change_price(dba: &mut Client, stores: &mut [Store], price: &str) -> Result<Duration> {
    let begin = Instant::now();
    dba.execute("update catalog.price set price = $1::text::numeric", &[&price])?;
    let shown = "select exists (select from catalog.price where price = $1::text::numeric)";
    let mut waiting: Vec<&mut Client> = stores.iter_mut().map(|store| &mut store.dba).collect();
    while !waiting.is_empty() {
        if begin.elapsed() > PATIENCE {
            bail!("{} stores did not get a price within {} s", waiting.len(), PATIENCE.as_secs());
        }
        let mut late = Vec::new();
        for client in waiting {
            if !client.query_one(shown, &[&price])?.get::<_, bool>(0) {
                late.push(client);
            }
        }
        waiting = late;
    }
    Ok(begin.elapsed())
}

/// Processor time of a server and its processes.
fn busy(cluster: &Cluster) -> Result<Duration> {
    let server = cluster.process().context("the server is gone")?;
    Ok(server.children().iter().map(|process| process.busy()).sum::<Duration>() + server.busy())
}

/// Memory of a server, each shared page counted once.
fn memory_kb(cluster: &Cluster) -> Result<u64> {
    let server = cluster.process().context("the server is gone")?;
    Ok(server.children().iter().map(|process| process.share_kb()).sum::<u64>() + server.share_kb())
}

fn heading(words: &mut dyn Write) -> Result<()> {
    writeln!(words, "a price change at central, {CHANGES} at each size; all servers on one machine")?;
    writeln!(words, "  stores   everywhere after        at central, each store              each store")?;
    writeln!(words, "           median      longest     idle CPU    CPU/change   memory     memory")?;
    Ok(())
}

fn line(words: &mut dyn Write, of: &Figures) -> Result<()> {
    let last = of.everywhere.len() - 1;
    writeln!(
        words,
        "  {:>6}   {:>6.0} ms   {:>6.0} ms   {:>5.2} ms/s  {:>6.2} ms   {:>5.1} MB   {:>5.1} MB",
        of.stores,
        ms(of.everywhere[last / 2]),
        ms(of.everywhere[last]),
        ms(of.idle),
        of.per_change,
        of.central_kb as f64 / 1024.0,
        of.store_kb as f64 / 1024.0
    )?;
    Ok(())
}

fn as_json(of: &Figures) -> Value {
    let last = of.everywhere.len() - 1;
    json!({
        "stores": of.stores,
        "everywhere_median_ms": rounded(ms(of.everywhere[last / 2])),
        "everywhere_longest_ms": rounded(ms(of.everywhere[last])),
        "central_idle_cpu_ms_per_s_and_store": rounded(ms(of.idle)),
        "central_cpu_ms_per_change_and_store": rounded(of.per_change),
        "central_memory_kb_per_store": of.central_kb,
        "store_memory_kb": of.store_kb,
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
