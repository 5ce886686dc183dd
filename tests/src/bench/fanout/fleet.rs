//! Central and as many stores as one wants.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use postgres::{Client, Statement};

use crate::chain::{self, Node};
use crate::cluster::Cluster;
use crate::lab::Lab;
use crate::until::until_true;

/// A machine of two cores that starts a hundred servers is slow in between.
const PATIENCE: Duration = Duration::from_secs(300);

/// For a hundred stores: a walsender, a slot and an apply worker for each, and some to spare.
const CENTRAL: &str = "
fsync = off
max_wal_senders = 120
max_replication_slots = 120
max_logical_replication_workers = 120
max_worker_processes = 140
shared_buffers = 128MB
";

/// As little as a server runs with that sends, receives and has the extension's worker and pg_cron.
const STORE: &str = "
fsync = off
shared_buffers = 1MB
wal_buffers = 64kB
max_connections = 10
max_wal_senders = 2
max_replication_slots = 2
max_logical_replication_workers = 2
max_worker_processes = 8
max_parallel_workers = 0
autovacuum_max_workers = 1
";

/// The servers.
pub struct Fleet {
    /// Central.
    pub central: Cluster,
    /// The stores that have joined.
    pub stores: Vec<Cluster>,
    lab: Lab,
}

impl Fleet {
    /// Central, with a price to change.
    pub fn start() -> Result<Self> {
        let lab = Lab::open()?;
        let central = Cluster::for_test_with(&lab, CENTRAL)?;
        let mut dba = central.connect()?;
        chain::register_central(&mut dba)?;
        dba.batch_execute(
            "insert into catalog.product (sku, description) values ('1', 'PAN'); \
             insert into catalog.price (product_id, price, valid_from) select product_id, 1, now() from catalog.product",
        )?;
        Ok(Self { central, stores: Vec::new(), lab })
    }

    /// Starts and joins stores until there are so many, and waits until all have the price.
    pub fn grow(&mut self, size: usize, words: &mut dyn Write) -> Result<()> {
        let began = Instant::now();
        while self.stores.len() < size {
            let number = i32::try_from(self.stores.len())? + 1;
            // Above the number that central has.
            let node = Node { code: format!("F{number:03}").leak(), id: 1000 + number };
            let store = Cluster::for_test_with(&self.lab, STORE)?;
            store.connect()?.batch_execute(&format!(
                "select org.register_store(node_id => {}, node_code => '{}', name => '{}', timezone => 'Europe/Madrid', \
                 cutoff_hour => 4, currency => 'EUR')",
                node.id, node.code, node.code
            ))?;
            chain::join(node, &store, &self.central)?;
            self.stores.push(store);
            if number % 10 == 0 {
                writeln!(words, "  {number} stores joined after {:.0} s", began.elapsed().as_secs_f64())?;
                words.flush()?;
            }
        }
        self.watched(|watched| watched.settle())
    }

    /// Turns the beats of every node on or off.
    pub fn beats(&self, on: bool) -> Result<()> {
        for node in std::iter::once(&self.central).chain(&self.stores) {
            let mut dba = node.connect()?;
            dba.batch_execute(if on {
                "alter system reset pg_tpv.beat_interval"
            } else {
                "alter system set pg_tpv.beat_interval = 0"
            })?;
            dba.batch_execute("select pg_reload_conf()")?;
        }
        Ok(())
    }

    /// Does something with a connection to every node; they are closed before anybody looks at memory.
    pub fn watched(&self, work: impl FnOnce(&mut Watched) -> Result<()>) -> Result<()> {
        let stores = self.stores.iter().map(|store| {
            let mut dba = store.connect()?;
            let price = dba.prepare("select exists (select from catalog.price where price = $1::text::numeric)")?;
            Ok((dba, price))
        });
        let mut watched = Watched { central: self.central.connect()?, stores: stores.collect::<Result<_>>()? };
        work(&mut watched)
    }
}

/// A connection to every node.
pub struct Watched {
    central: Client,
    stores: Vec<(Client, Statement)>,
}

impl Watched {
    /// Changes the price at central, and answers how long it took until the last store had it.
    pub fn change_price(&mut self, change: usize) -> Result<Duration> {
        let price = format!("{}.{:02}", 2 + self.stores.len(), change);
        let began = Instant::now();
        self.central.execute("update catalog.price set price = $1::text::numeric", &[&price])?;
        // One after the other: who is asked last has had it long since, and is asked once.
        self.wait_for(&price)?;
        Ok(began.elapsed())
    }

    /// Waits until every store has the price that central has.
    pub fn settle(&mut self) -> Result<()> {
        let price: String = self.central.query_one("select price::text from catalog.price", &[])?.get(0);
        self.wait_for(&price)
    }

    fn wait_for(&mut self, price: &str) -> Result<()> {
        for (dba, has) in &mut self.stores {
            until_true("the price is everywhere", PATIENCE, || {
                dba.query_one(&*has, &[&price]).is_ok_and(|row| row.get(0))
            })?;
        }
        Ok(())
    }
}
