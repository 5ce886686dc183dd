//! The story that the demo tells, round by round: one store is cut off, both ends go on, the line
//! comes back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, Local};
use uuid::Uuid;

use crate::node::CENTRAL;
use crate::wait::until_true;

use super::clerks::{self, CUSTOMERS, Customer, PRICES, PRODUCT};
use super::queries::Queries;
use super::servers::Servers;

/// What the view is told.
#[derive(Clone, Debug)]
pub enum News {
    /// A new chapter: its number, and what it is about.
    Chapter(usize, String),
    /// Something happened, at a node.
    Event(DateTime<Local>, String, String),
    /// A value on record, of a node. Frames show these anyway.
    Value(DateTime<Local>, String, String),
    /// This store has no line, by its place in `STORES`; or all have theirs.
    Cut(Option<usize>),
    /// The customer, the customer's name, and the product that the round is about.
    About(Uuid, &'static str, Uuid),
}

/// How long things last, for people to see them.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    pub together: Duration,
    /// The line is cut for two and a half times this.
    pub apart: Duration,
    pub read: Duration,
    pub after: Duration,
}

impl Tempo {
    /// The whole story in about 17 seconds.
    pub const ONCE: Self = Self::of([4000, 2300, 2500, 2500]);
    /// A store cut off each minute.
    pub const LIVE: Self = Self::of([12_000, 7000, 10_000, 15_000]);

    const fn of([together, apart, read, after]: [u64; 4]) -> Self {
        Self {
            together: Duration::from_millis(together),
            apart: Duration::from_millis(apart),
            read: Duration::from_millis(read),
            after: Duration::from_millis(after),
        }
    }
}

/// What the story counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Receipts that a store ingested while it had no line, in the order of `STORES`.
    pub offline: [i64; 3],
    /// Values that were on record as written at the same time as another.
    pub siblings: usize,
    /// Conflicts that a person resolved, and that were resolved everywhere.
    pub resolved: usize,
    /// Held receipts that the supervisor of a store without a line released over HTTP.
    pub decisions: usize,
    /// The last customer and the product.
    pub about: Option<(Uuid, &'static str, Uuid)>,
}

/// The story while it is told.
pub struct Story<'a> {
    servers: &'a Servers,
    queries: Queries,
    news: Sender<News>,
    stop: &'a AtomicBool,
    end: Option<Instant>,
    counts: Counts,
}

/// Catching up takes a second or two; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Story<'a> {
    pub fn new(servers: &'a Servers, news: Sender<News>, stop: &'a AtomicBool, end: Option<Instant>) -> Result<Self> {
        Ok(Self { servers, queries: Queries::connect(servers.nodes())?, news, stop, end, counts: Counts::default() })
    }

    /// Tells it once, or round after round until told to stop.
    pub fn tell(mut self, once: bool) -> (Counts, Result<()>) {
        let told = self.rounds(once);
        (self.counts, told)
    }

    fn rounds(&mut self, once: bool) -> Result<()> {
        let product = clerks::add_product(self.queries.central())?;
        for round in 0.. {
            // S02 first, then S03, S01 and so on.
            let store = (round + 1) % self.servers.shops.len();
            let told = self.round(round, store, product, if once { Tempo::ONCE } else { Tempo::LIVE });
            // However it went: whatever is still to arrive needs the line.
            self.servers.shops[store].line.mend();
            self.send(News::Cut(None));
            told?;
            if once || self.over() {
                break;
            }
        }
        Ok(())
    }

    fn round(&mut self, round: usize, store: usize, product: Uuid, tempo: Tempo) -> Result<()> {
        let person = &CUSTOMERS[round % CUSTOMERS.len()];
        let customer = self.together(store, product, person, tempo)?;
        if self.over() {
            return Ok(());
        }
        let before = self.apart(round, store, (customer, product), person, tempo)?;
        let after = self.ingested(store)?;
        let (receipts, dats) = (after.0 - before.0, after.1.saturating_sub(before.1));
        self.counts.offline[store] += receipts;
        self.event(self.code(store), &format!("{receipts} receipts and {dats} .dat files without central"));
        if self.over() {
            return Ok(());
        }
        self.reconnect(store)?;
        self.resolve(store, (customer, product), person, tempo)?;
        self.rest(tempo.after);
        Ok(())
    }

    /// Chapter 1: what is written anywhere is soon everywhere.
    fn together(&mut self, store: usize, product: Uuid, person: &Customer, tempo: Tempo) -> Result<Uuid> {
        let code = self.code(store);
        self.chapter(1, "All connected: sales go up to central, prices and customers everywhere.");
        let customer = clerks::add_customer(self.queries.store(store), person)?;
        self.counts.about = Some((customer, person.name, product));
        self.send(News::About(customer, person.name, product));
        let added = Instant::now();
        self.wait("the customer is known everywhere", Queries::agree)?;
        self.event(code, &format!("new customer {}, known at all nodes {}", person.name, after(added)));
        self.rest(tempo.together);
        Ok(customer)
    }

    /// Chapter 2: both sides of the cut go on, and write the same customer. Answers what the store
    /// had ingested when the line was gone.
    fn apart(
        &mut self,
        round: usize,
        store: usize,
        about: (Uuid, Uuid),
        who: &Customer,
        tempo: Tempo,
    ) -> Result<(i64, usize)> {
        let (code, servers, (customer, product)) = (self.code(store), self.servers, about);
        self.chapter(2, &format!("The line to {code} is cut. It goes on selling; both sides edit {}.", who.name));
        self.send(News::Cut(Some(store)));
        let line = &servers.shops[store].line;
        self.wait("central has lost the store", |queries| {
            // A connection that was just being made comes through the first time.
            line.cut();
            Ok(queries.report()?[store].state != "running")
        })?;
        let before = self.ingested(store)?;
        self.event(CENTRAL.code, &format!("no line to {code}"));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        clerks::edit_customer(self.queries.store(store), customer, who.told_store, "email", "delivery")?;
        self.event(code, &format!("{} now lives at {}", who.name, spoken(who.told_store)));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        clerks::edit_customer(self.queries.central(), customer, who.told_central, "none", "vip")?;
        self.event(CENTRAL.code, &format!("{} now lives at {}", who.name, spoken(who.told_central)));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        let (old, new) = (PRICES[round % PRICES.len()], PRICES[(round + 1) % PRICES.len()]);
        clerks::set_price(self.queries.central(), product, new)?;
        self.event(CENTRAL.code, &format!("{PRODUCT} costs {new}; {code} cannot know and sells at {old}"));
        self.rest(tempo.apart);
        let node = servers.shops[store].node;
        if let Some(released) = clerks::release_held(self.queries.store(store), &servers.doors, node)? {
            self.counts.decisions += 1;
            self.event(code, &released);
        }
        Ok(before)
    }

    /// Chapter 3: what happened meanwhile is exchanged.
    fn reconnect(&mut self, store: usize) -> Result<()> {
        let code = self.code(store);
        let (receipts, _) = self.ingested(store)?;
        self.chapter(3, &format!("The line to {code} is back."));
        self.servers.shops[store].line.mend();
        self.send(News::Cut(None));
        let back = Instant::now();
        self.wait("all nodes agree, and central has what the store ingested meanwhile", |queries| {
            Ok(queries.report()?[store].receipts >= receipts && queries.agree()?)
        })?;
        self.event(CENTRAL.code, &format!("has every receipt of {code}; all nodes alike {}", after(back)));
        Ok(())
    }

    /// Chapter 4: what two wrote at once is on record with both values, and a person decides.
    fn resolve(
        &mut self,
        store: usize,
        (customer, product): (Uuid, Uuid),
        person: &Customer,
        tempo: Tempo,
    ) -> Result<()> {
        if self.over() {
            return Ok(());
        }
        self.chapter(4, "All nodes show the same, and keep what was written at the same time.");
        let siblings = self.queries.siblings(customer)?;
        self.counts.siblings += siblings.len();
        for one in &siblings {
            let value = format!("wrote {} {} ({})", one.column, one.value, one.shown_as());
            self.send(News::Value(Local::now(), one.code.clone(), value));
        }
        // They are alike: that was waited for.
        if let Some(one) = self.queries.shown(customer, product)?.get(store + 1) {
            let (tags, price) = (&one.tags, &one.price);
            self.event(one.code, &format!("has the tags {tags}, and {PRODUCT} at {price}"));
        }
        if self.rest(tempo.read) {
            return Ok(());
        }
        let Some(lost) = siblings.iter().find(|one| one.column == "address" && !one.chosen) else { return Ok(()) };
        self.chapter(5, &format!("A person asks {}: {} is right.", person.name, lost.value));
        let decided = Instant::now();
        if clerks::restore_address(self.queries.central(), customer)? {
            self.wait("the decision is everywhere", |queries| {
                Ok(queries.agree()? && queries.siblings(customer)?.iter().all(|one| one.column != "address"))
            })?;
            self.counts.resolved += 1;
            self.event(CENTRAL.code, &format!("resolved: all nodes show it {}", after(decided)));
        }
        Ok(())
    }

    /// A store's receipts, and its `.dat` files.
    fn ingested(&mut self, store: usize) -> Result<(i64, usize)> {
        let receipts = self.queries.count_at(store, "select count(*) from sales.receipt")?;
        Ok((receipts, self.servers.shops[store].stopwatch.last().0))
    }

    fn code(&self, store: usize) -> &'static str {
        self.servers.shops[store].node.code
    }

    /// Whether it is time to stop.
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Gives people time to look. Whether it is time to stop.
    fn rest(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.over() {
            thread::sleep(Duration::from_millis(20).min(end.saturating_duration_since(Instant::now())));
        }
        self.over()
    }

    fn wait(&mut self, what: &str, mut done: impl FnMut(&mut Queries) -> Result<bool>) -> Result<()> {
        let mut fault = None;
        let (queries, stop) = (&mut self.queries, self.stop);
        until_true(what, PATIENCE, || {
            stop.load(Ordering::Relaxed)
                || done(queries).unwrap_or_else(|error| {
                    fault = Some(error);
                    true
                })
        })?;
        fault.map_or(Ok(()), |error| Err(error).with_context(|| what.to_owned()))
    }

    fn chapter(&self, number: usize, text: &str) {
        self.send(News::Chapter(number, text.to_owned()));
    }

    fn event(&self, node: &str, text: &str) {
        self.send(News::Event(Local::now(), node.to_owned(), text.to_owned()));
    }

    /// It fails only when nobody listens any more, and then the demo is about to end.
    fn send(&self, news: News) {
        let _ = self.news.send(news);
    }
}

/// How long something took.
fn after(begun: Instant) -> String {
    let took = begun.elapsed();
    if took.as_secs() < 1 {
        format!("after {} ms", took.as_millis())
    } else {
        format!("after {:.1} s", took.as_secs_f64())
    }
}

fn spoken([street, postcode, city]: clerks::Address) -> String {
    format!("{street}, {postcode} {city}")
}
