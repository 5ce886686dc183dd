//! Receives the news of the story, queries the nodes, and shows both.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::Utc;

use super::display::Display;
use super::queries::Queries;
use super::screen::{self, EVENTS, Moment, Store};
use super::servers::Servers;
use super::story::News;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(400);
/// Between two rows, where no frames are drawn.
const ROW: Duration = Duration::from_secs(3);

/// What is shown, and where.
pub struct View<'w, 'd> {
    servers: &'w Servers,
    queries: Queries,
    display: Display<'d>,
    began: Instant,
    drawn: Instant,
    moment: Moment,
}

impl<'w, 'd> View<'w, 'd> {
    pub fn open(servers: &'w Servers, display: Display<'d>) -> Result<Self> {
        let now = Instant::now();
        Ok(Self {
            servers,
            queries: Queries::connect(servers.nodes())?,
            display,
            began: now,
            drawn: now,
            moment: Moment::default(),
        })
    }

    /// Shows what happens until the story ends.
    pub fn follow(&mut self, news: &Receiver<News>) -> Result<()> {
        loop {
            let between = if self.display.live() { FRAME } else { ROW };
            let pause = (self.drawn + between).saturating_duration_since(Instant::now());
            match news.recv_timeout(pause) {
                Ok(one) => self.receive(one)?,
                Err(RecvTimeoutError::Timeout) => self.draw()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.display.live() { self.draw() } else { Ok(()) }
    }

    fn receive(&mut self, news: News) -> Result<()> {
        let line = match news {
            News::Cut(store) => {
                self.moment.cut = store;
                return Ok(());
            }
            News::About(customer, name, product) => {
                self.moment.about = Some((customer, name, product));
                return Ok(());
            }
            News::Chapter(number, text) => {
                self.moment.chapter = (number, text);
                format!("\n{}", screen::chapter(&self.moment.chapter))
            }
            News::Value(at, code, text) => screen::event(at, &code, &text),
            News::Event(at, code, text) => {
                let line = screen::event(at, &code, &text);
                self.moment.events.push_back(line.clone());
                keep_last(&mut self.moment.events, EVENTS);
                line
            }
        };
        if self.display.live() { Ok(()) } else { self.display.say(&line) }
    }

    fn draw(&mut self) -> Result<()> {
        self.refresh()?;
        self.drawn = Instant::now();
        if self.display.live() {
            return self.display.draw(&screen::frame(&self.moment, Utc::now()));
        }
        screen::rows(&self.moment, Utc::now()).iter().try_for_each(|row| self.display.say(row))
    }

    fn refresh(&mut self) -> Result<()> {
        self.moment.elapsed = self.began.elapsed();
        self.moment.stores.clear();
        for (index, report) in self.queries.report()?.into_iter().enumerate() {
            let receipts = self.queries.count_at(index, "select count(*) from sales.receipt")?;
            let stopwatch = &self.servers.shops[index].stopwatch;
            let store = Store { receipts, dats: stopwatch.last().0, latencies: stopwatch.latencies(), report };
            self.moment.stores.push(store);
        }
        if let Some((customer, _, product)) = self.moment.about {
            self.moment.shown = self.queries.shown(customer, product)?;
            self.moment.siblings = self.queries.siblings(customer)?;
        }
        Ok(())
    }
}

fn keep_last(events: &mut VecDeque<String>, most: usize) {
    events.drain(..events.len().saturating_sub(most));
}
