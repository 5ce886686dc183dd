//! A shop at work, with the rules' own times, for as long as somebody likes to wait: people sell,
//! mistype, move house and release receipts, and nothing is wrong. So no alarm may fire.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use postgres::Client as Sql;
use serde_json::json;
use uuid::Uuid;

use super::PATIENCE;
use super::prometheus::Pace;
use super::shop::Shop;
use crate::demo::clerks;
use crate::node::{CENTRAL, Node, STORES};
use crate::store::{Oddity, terminal};
use crate::wait::until_true;

/// A busy Saturday of a store.
const A_SECOND: Duration = Duration::from_secs(1);

/// What people do beside selling, and every how many seconds.
const CUSTOMER_MOVES: u64 = 45;
const SOMEBODY_LOGS_IN: u64 = 60;
const FILE_COMES_TWICE: u64 = 120;
const PRICE_CHANGES: u64 = 150;
const RECEIPT_IS_HELD: u64 = 240;
const SOMEBODY_MISTYPES: u64 = 400;
/// An operator needs so long to look at what is held.
const OPERATOR_LOOKS: u64 = 30;

/// Fails with the names of the alarms that fired while nothing was wrong.
pub fn run(programs: &Path, seconds: u64, words: &mut dyn Write) -> Result<()> {
    let mut trade = Trade::open(programs)?;
    writeln!(words, "alarms: a shop trades for {seconds} s")?;
    words.flush()?;
    let began = Instant::now();
    for second in 1..=seconds {
        trade.second(second).with_context(|| format!("in second {second}"))?;
        if second % 60 == 0 || second == seconds {
            let firing = trade.shop.firing()?;
            writeln!(words, "alarms: after {second} s {}; firing: {}", trade.told(), list(&firing))?;
            words.flush()?;
        }
        // What took longer than its second is caught up with.
        thread::sleep((began + A_SECOND * u32::try_from(second)?).saturating_duration_since(Instant::now()));
    }
    trade.close()?;
    let last = began.elapsed() + PATIENCE;
    let (pending, fired) = (trade.shop.prometheus.ever("pending", last)?, trade.shop.prometheus.ever("firing", last)?);
    writeln!(
        words,
        "alarms: {} s of trade, {}; pending for a while: {}; fired: {}",
        began.elapsed().as_secs(),
        trade.told(),
        list(&pending),
        list(&fired)
    )?;
    ensure!(fired.is_empty(), "nothing was wrong, and yet there fired: {}", list(&fired));
    Ok(())
}

struct Trade {
    at_store: Sql,
    at_central: Sql,
    customer: Uuid,
    product: Uuid,
    sold: usize,
    /// Receipts that are held first, and then released.
    held: usize,
    taken: usize,
    edits: usize,
    logins: usize,
    shop: Shop,
}

impl Trade {
    fn open(programs: &Path) -> Result<Self> {
        let mut shop = Shop::open(programs, Pace::AsInAShop)?;
        shop.sell(1)?;
        let (mut at_store, mut at_central) = (shop.rig.cluster.connect()?, shop.central.connect()?);
        let customer = clerks::add_customer(&mut at_store, &clerks::CUSTOMERS[0])?;
        let product = clerks::add_product(&mut at_central)?;
        until_true("central has the customer", PATIENCE, || {
            let there = "select exists (select from party.customer where customer_id = $1)";
            at_central.query_one(there, &[&customer]).is_ok_and(|row| row.get(0))
        })?;
        Ok(Self { at_store, at_central, customer, product, sold: 1, held: 0, taken: 0, edits: 0, logins: 0, shop })
    }

    fn told(&self) -> String {
        format!(
            "{} receipts sold and {} held for a while, {} .dat taken, {} edits, {} logins",
            self.sold, self.held, self.taken, self.edits, self.logins
        )
    }

    fn second(&mut self, second: u64) -> Result<()> {
        let every = |period: u64, after: u64| second % period == after;
        self.sell(second)?;
        self.take()?;
        if every(CUSTOMER_MOVES, 5) {
            self.move_customer()?;
        }
        if every(PRICE_CHANGES, 10) {
            self.edits += 1;
            let price = clerks::PRICES[self.edits % clerks::PRICES.len()];
            clerks::set_price(&mut self.at_central, self.product, price)?;
        }
        if every(SOMEBODY_LOGS_IN, 15) {
            let who = if second % 120 < 60 { (CENTRAL, "manager") } else { (STORES[0], "cashier") };
            self.log_in(who.0, who.1)?;
        }
        if every(SOMEBODY_MISTYPES, 20) {
            self.mistype()?;
        }
        if every(FILE_COMES_TWICE, 25) {
            let again = self.shop.receipts.odd(Oddity::Repeat, &terminal(0));
            self.shop.rig.spool.drop_file(&again)?;
        }
        if every(RECEIPT_IS_HELD, 30) {
            self.held += 1;
            let odd = self.shop.receipts.odd(Oddity::TotalOff, &terminal(1));
            self.shop.rig.spool.drop_file(&odd)?;
        }
        if every(RECEIPT_IS_HELD, 30 + OPERATOR_LOOKS) && self.held > 0 {
            let released = clerks::release_held(&mut self.at_store, &self.shop.doors, STORES[0])?;
            released.context("no receipt is held")?;
        }
        Ok(())
    }

    /// The terminals take turns.
    fn sell(&mut self, second: u64) -> Result<()> {
        self.sold += 1;
        let receipt = self.shop.receipts.good(&terminal(usize::try_from(second)?));
        self.shop.rig.spool.drop_file(&receipt).map(drop)
    }

    /// The checkout takes what it sees.
    fn take(&mut self) -> Result<()> {
        for dat in self.shop.rig.spool.dats().into_values() {
            fs::remove_file(dat)?;
            self.taken += 1;
        }
        Ok(())
    }

    /// Two clerks write down different addresses at nearly the same time.
    fn move_customer(&mut self) -> Result<()> {
        self.edits += 2;
        let customer = clerks::CUSTOMERS[self.edits / 2 % clerks::CUSTOMERS.len()];
        clerks::edit_customer(&mut self.at_store, self.customer, customer.told_store, "all", "club")?;
        clerks::edit_customer(&mut self.at_central, self.customer, customer.told_central, "all", "club")
    }

    fn log_in(&mut self, node: Node, key: &str) -> Result<()> {
        self.logins += 1;
        let somebody = self.shop.doors.staff.of(node, key)?.log_in(self.shop.doors.of(node)?.address)?;
        let me = somebody.get("/v1/me")?;
        ensure!(me.status == 200, "{key} of {} asks who she is: {me:?}", node.code);
        Ok(())
    }

    /// Somebody presses a wrong key, and then none.
    fn mistype(&mut self) -> Result<()> {
        let auditor = &self.shop.doors.staff.of(CENTRAL, "auditor")?.login;
        let wrong = json!({ "code": auditor, "password": "not hers" });
        let answer = self.shop.doors.of(CENTRAL)?.client().post("/v1/auth/login", &wrong)?;
        ensure!(answer.status == 401, "a wrong password: {answer:?}");
        self.log_in(CENTRAL, "auditor")
    }

    /// Waits for the last .dat, and for the scrape that would tell of it.
    fn close(&mut self) -> Result<()> {
        while clerks::release_held(&mut self.at_store, &self.shop.doors, STORES[0])?.is_some() {}
        let all = self.sold + self.held;
        let done = until_true("each receipt has its .dat", PATIENCE, || self.take().is_ok() && self.taken >= all);
        if done.is_err() || self.taken != all {
            bail!("{all} receipts, and {} .dat", self.taken);
        }
        Ok(())
    }
}

fn list(alarms: &BTreeSet<String>) -> String {
    match alarms.is_empty() {
        true => "none".to_owned(),
        false => alarms.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}
