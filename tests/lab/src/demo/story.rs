//! The story that the demo tells, round by round: one store is cut off, life goes on at both ends, the line returns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, Local};
use uuid::Uuid;

use crate::node::CENTRAL;
use crate::wait::until_true;

use super::clerks::{self, PEOPLE, PRICES, PRODUCT, Person};
use super::queries::Eyes;
use super::world::World;

/// What whoever draws hears.
#[derive(Clone, Debug)]
pub enum News {
    /// A new chapter: its number, and what it is about.
    Chapter(usize, String),
    /// Something happened, at a node.
    Event(DateTime<Local>, String, String),
    /// A value on record, of a node. Pictures show these anyway.
    Value(DateTime<Local>, String, String),
    /// This store has no line, by its place in `STORES`; or all have theirs.
    Cut(Option<usize>),
    /// Whom and what it is about: the customer, the customer's name, the product.
    About(Uuid, &'static str, Uuid),
}

/// How long things last, for people to see them.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    pub together: Duration,
    /// Two and a half times of it the line is cut.
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

/// What is left to say at the end.
#[derive(Clone, Debug, Default)]
pub struct Tale {
    /// Receipts that a store took in while it had no line, in the order of `STORES`.
    pub offline: [i64; 3],
    /// Values that were on record as written at the same time as another.
    pub siblings: usize,
    /// Conflicts that a person settled, and that were settled everywhere.
    pub settled: usize,
    /// The last customer and the product.
    pub about: Option<(Uuid, &'static str, Uuid)>,
}

/// Who tells it.
pub struct Story<'a> {
    world: &'a World,
    eyes: Eyes,
    news: Sender<News>,
    stop: &'a AtomicBool,
    end: Option<Instant>,
    tale: Tale,
}

/// Catching up takes a second or two; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Story<'a> {
    pub fn new(world: &'a World, news: Sender<News>, stop: &'a AtomicBool, end: Option<Instant>) -> Result<Self> {
        Ok(Self { world, eyes: Eyes::connect(world.nodes())?, news, stop, end, tale: Tale::default() })
    }

    /// Tells it once, or round after round until told to stop.
    pub fn tell(mut self, once: bool) -> (Tale, Result<()>) {
        let told = self.rounds(once);
        (self.tale, told)
    }

    fn rounds(&mut self, once: bool) -> Result<()> {
        let product = clerks::list(self.eyes.central())?;
        for round in 0.. {
            // S02 first, then S03, S01 and so on.
            let store = (round + 1) % self.world.shops.len();
            let told = self.round(round, store, product, if once { Tempo::ONCE } else { Tempo::LIVE });
            // However it went: whatever is still to arrive needs the line.
            self.world.shops[store].line.mend();
            self.tell_of(News::Cut(None));
            told?;
            if once || self.over() {
                break;
            }
        }
        Ok(())
    }

    fn round(&mut self, round: usize, store: usize, product: Uuid, tempo: Tempo) -> Result<()> {
        let person = &PEOPLE[round % PEOPLE.len()];
        let customer = self.together(store, product, person, tempo)?;
        if self.over() {
            return Ok(());
        }
        let before = self.apart(round, store, (customer, product), person, tempo)?;
        let after = self.taken_in(store)?;
        let (receipts, dats) = (after.0 - before.0, after.1.saturating_sub(before.1));
        self.tale.offline[store] += receipts;
        self.event(self.code(store), &format!("{receipts} receipts and {dats} .dat files without central"));
        if self.over() {
            return Ok(());
        }
        self.reunite(store)?;
        self.settle(store, (customer, product), person, tempo)?;
        self.rest(tempo.after);
        Ok(())
    }

    /// Chapter 1: what is written anywhere is soon everywhere.
    fn together(&mut self, store: usize, product: Uuid, person: &Person, tempo: Tempo) -> Result<Uuid> {
        let code = self.code(store);
        self.chapter(1, "All connected: sales go up to central, prices and customers everywhere.");
        let customer = clerks::meet(self.eyes.store(store), person)?;
        self.tale.about = Some((customer, person.name, product));
        self.tell_of(News::About(customer, person.name, product));
        let met = Instant::now();
        self.wait("the customer is known everywhere", Eyes::agree)?;
        self.event(code, &format!("new customer {}, known at all nodes {}", person.name, after(met)));
        self.rest(tempo.together);
        Ok(customer)
    }

    /// Chapter 2: both sides of the cut go on, and write the same customer. Answers what the store had taken in when
    /// the line was gone.
    fn apart(
        &mut self,
        round: usize,
        store: usize,
        about: (Uuid, Uuid),
        who: &Person,
        tempo: Tempo,
    ) -> Result<(i64, usize)> {
        let (code, world, (customer, product)) = (self.code(store), self.world, about);
        self.chapter(2, &format!("The line to {code} is cut. It goes on selling; both sides edit {}.", who.name));
        self.tell_of(News::Cut(Some(store)));
        let line = &world.shops[store].line;
        self.wait("central has lost the store", |eyes| {
            // A connection that was just being made comes through the first time.
            line.cut();
            Ok(eyes.report()?[store].state != "running")
        })?;
        let before = self.taken_in(store)?;
        self.event(CENTRAL.code, &format!("no line to {code}"));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        clerks::edit(self.eyes.store(store), customer, who.told_store, "email", "delivery")?;
        self.event(code, &format!("{} now lives at {}", who.name, spoken(who.told_store)));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        clerks::edit(self.eyes.central(), customer, who.told_central, "none", "vip")?;
        self.event(CENTRAL.code, &format!("{} now lives at {}", who.name, spoken(who.told_central)));
        if self.rest(tempo.apart / 2) {
            return Ok(before);
        }
        let (old, new) = (PRICES[round % PRICES.len()], PRICES[(round + 1) % PRICES.len()]);
        clerks::price(self.eyes.central(), product, new)?;
        self.event(CENTRAL.code, &format!("{PRODUCT} costs {new}; {code} can not know and sells at {old}"));
        self.rest(tempo.apart);
        if let Some(released) = clerks::release(self.eyes.store(store))? {
            self.event(code, &released);
        }
        Ok(before)
    }

    /// Chapter 3: what happened meanwhile is exchanged.
    fn reunite(&mut self, store: usize) -> Result<()> {
        let code = self.code(store);
        let (receipts, _) = self.taken_in(store)?;
        self.chapter(3, &format!("The line to {code} is back."));
        self.world.shops[store].line.mend();
        self.tell_of(News::Cut(None));
        let mended = Instant::now();
        self.wait("all nodes agree, and central has what the store took in meanwhile", |eyes| {
            Ok(eyes.report()?[store].receipts >= receipts && eyes.agree()?)
        })?;
        self.event(CENTRAL.code, &format!("has every receipt of {code}; all nodes alike {}", after(mended)));
        Ok(())
    }

    /// Chapter 4: what two wrote at once is on record with both values, and a person decides.
    fn settle(&mut self, store: usize, (customer, product): (Uuid, Uuid), person: &Person, tempo: Tempo) -> Result<()> {
        if self.over() {
            return Ok(());
        }
        self.chapter(4, "All nodes show the same, and keep what was written at the same time.");
        let siblings = self.eyes.siblings(customer)?;
        self.tale.siblings += siblings.len();
        for one in &siblings {
            let value = format!("wrote {} {} ({})", one.column, one.value, one.standing());
            self.tell_of(News::Value(Local::now(), one.code.clone(), value));
        }
        // They are alike: that was waited for.
        if let Some(one) = self.eyes.shown(customer, product)?.get(store + 1) {
            let (tags, price) = (&one.tags, &one.price);
            self.event(one.code, &format!("has the tags {tags}, and {PRODUCT} at {price}"));
        }
        if self.rest(tempo.read) {
            return Ok(());
        }
        let Some(lost) = siblings.iter().find(|one| one.column == "address" && !one.chosen) else { return Ok(()) };
        self.chapter(5, &format!("A person asks {}: {} is right.", person.name, lost.value));
        let decided = Instant::now();
        if clerks::restore_address(self.eyes.central(), customer)? {
            self.wait("the decision is everywhere", |eyes| {
                Ok(eyes.agree()? && eyes.siblings(customer)?.iter().all(|one| one.column != "address"))
            })?;
            self.tale.settled += 1;
            self.event(CENTRAL.code, &format!("settled: all nodes show it {}", after(decided)));
        }
        Ok(())
    }

    /// A store's receipts, and its `.dat` files.
    fn taken_in(&mut self, store: usize) -> Result<(i64, usize)> {
        let receipts = self.eyes.count_at(store, "select count(*) from sales.receipt")?;
        Ok((receipts, self.world.shops[store].stopwatch.last().0))
    }

    fn code(&self, store: usize) -> &'static str {
        self.world.shops[store].node.code
    }

    /// Whether it is time to stop.
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Lets people look. Whether it is time to stop.
    fn rest(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.over() {
            thread::sleep(Duration::from_millis(20).min(end.saturating_duration_since(Instant::now())));
        }
        self.over()
    }

    fn wait(&mut self, what: &str, mut done: impl FnMut(&mut Eyes) -> Result<bool>) -> Result<()> {
        let mut fault = None;
        let (eyes, stop) = (&mut self.eyes, self.stop);
        until_true(what, PATIENCE, || {
            stop.load(Ordering::Relaxed)
                || done(eyes).unwrap_or_else(|error| {
                    fault = Some(error);
                    true
                })
        })?;
        fault.map_or(Ok(()), |error| Err(error).with_context(|| what.to_owned()))
    }

    fn chapter(&self, number: usize, text: &str) {
        self.tell_of(News::Chapter(number, text.to_owned()));
    }

    fn event(&self, node: &str, text: &str) {
        self.tell_of(News::Event(Local::now(), node.to_owned(), text.to_owned()));
    }

    /// Nobody may be listening any more; the end of it all is near then.
    fn tell_of(&self, news: News) {
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
