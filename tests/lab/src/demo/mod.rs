//! The demo: central and three stores at work, one of them cut off for a while, shown live and
//! counted at the end.
//!
//! `servers` has what runs, `story` says what happens, `view` shows it, `tally` says whether
//! anything was lost.

pub(crate) mod clerks;
mod display;
mod queries;
mod screen;
mod servers;
mod story;
mod summary;
mod tally;
mod view;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::machine::Lab;
use crate::wait::stop_at_the_latest;

use display::{Display, can_draw};
use servers::Servers;
use story::{Counts, Story};
use tally::Tally;
use view::View;

/// What to show, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The story once; else again and again, until Ctrl-C.
    pub once: bool,
    /// End after this time, wherever the story is.
    pub time: Option<Duration>,
    /// The tally as one JSON object on the last line of stdout; words go to stderr.
    pub json: bool,
}

/// Runs it; `false` when something was lost, or the nodes do not agree.
pub fn run(options: Options, stop: &Arc<AtomicBool>) -> Result<bool> {
    let mut words: Box<dyn Write> =
        if options.json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let live = if options.json { can_draw(&std::io::stderr()) } else { can_draw(&std::io::stdout()) };
    let lab = Lab::open()?;
    let lock = File::create(lab.folder("demo")?.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!("a demo of this checkout is already running");
    }
    let mut servers = Servers::start(&lab, &mut *words, stop)?;
    if live {
        writeln!(words)?;
    }
    let (counts, trouble) = play(&servers, options, stop, Display::new(&mut *words, live))?;
    writeln!(words, "\nThe terminals have stopped. Comparing every file, receipt and row …")?;
    words.flush()?;
    let tally = Tally::of(&servers, counts, trouble)?;
    summary::write(&tally, &mut *words)?;
    for shop in &mut servers.shops {
        shop.rig.watcher()?.stop().context("stopping a watcher")?;
    }
    drop(servers);
    if options.json {
        writeln!(std::io::stdout(), "{}", tally.json())?;
    }
    Ok(tally.good())
}

/// Terminals sell, the story is told, and all of it is shown, until the story is over and the
/// terminals have stopped. A story that went wrong is no reason to leave without a tally.
fn play(
    servers: &Servers,
    options: Options,
    stop: &AtomicBool,
    display: Display<'_>,
) -> Result<(Counts, Option<anyhow::Error>)> {
    let (tell, news) = mpsc::channel();
    let closing = AtomicBool::new(false);
    let end = options.time.map(|time| Instant::now() + time);
    let story = Story::new(servers, tell, stop, end)?;
    let mut view = View::open(servers, display)?;
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&closing);
        let terminals: Vec<_> = servers
            .shops
            .iter()
            .map(|shop| {
                scope.spawn(|| {
                    let sold = shop.sell(&closing);
                    if sold.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    sold
                })
            })
            .collect();
        let teller = scope.spawn(|| story.tell(options.once));
        let shown = view.follow(&news);
        if shown.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let told = teller.join();
        closing.store(true, Ordering::Relaxed);
        for terminal in terminals {
            terminal.join().unwrap_or_else(|_| bail!("a terminal panicked"))?;
        }
        shown?;
        let (counts, told) = told.unwrap_or_else(|_| (Counts::default(), Err(anyhow::anyhow!("the story panicked"))));
        Ok((counts, told.err()))
    })
}
