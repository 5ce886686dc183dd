//! The demo: central and three stores at work, one of them cut off for a while, seen live and reckoned up at the end.
//!
//! `world` is what runs, `story` is what happens, `scene` shows it, `tally` says whether anything was lost.

mod clerks;
mod display;
mod queries;
mod scene;
mod screen;
mod story;
mod summary;
mod tally;
mod world;

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
use scene::Scene;
use story::{Story, Tale};
use tally::Reckoning;
use world::World;

/// What to show, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The story once; else again and again, until Ctrl-C.
    pub once: bool,
    /// End after this time, wherever the story is.
    pub time: Option<Duration>,
    /// The reckoning as one JSON object on the last line of stdout; words go to stderr.
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
    let mut world = World::start(&lab, &mut *words, stop)?;
    if live {
        writeln!(words)?;
    }
    let (tale, trouble) = play(&world, options, stop, Display::new(&mut *words, live))?;
    writeln!(words, "\nThe terminals have stopped. Comparing every file, receipt and row …")?;
    words.flush()?;
    let reckoning = Reckoning::take(&world, tale, trouble)?;
    summary::write(&reckoning, &mut *words)?;
    for shop in &mut world.shops {
        shop.rig.watcher()?.stop().context("stopping a watcher")?;
    }
    drop(world);
    if options.json {
        writeln!(std::io::stdout(), "{}", reckoning.json())?;
    }
    Ok(reckoning.good())
}

/// Terminals sell, the story is told, and all of it is shown, until the story is over and the terminals have stopped.
/// What went wrong with the story is no reason to leave without a reckoning.
fn play(
    world: &World,
    options: Options,
    stop: &AtomicBool,
    display: Display<'_>,
) -> Result<(Tale, Option<anyhow::Error>)> {
    let (tell, news) = mpsc::channel();
    let closing = AtomicBool::new(false);
    let end = options.time.map(|time| Instant::now() + time);
    let story = Story::new(world, tell, stop, end)?;
    let mut scene = Scene::open(world, display)?;
    thread::scope(|scope| {
        let _told = stop_at_the_latest(&closing);
        let terminals: Vec<_> = world
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
        let shown = scene.follow(&news);
        if shown.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let told = teller.join();
        closing.store(true, Ordering::Relaxed);
        for terminal in terminals {
            terminal.join().unwrap_or_else(|_| bail!("a terminal panicked"))?;
        }
        shown?;
        let (tale, told) = told.unwrap_or_else(|_| (Tale::default(), Err(anyhow::anyhow!("the story panicked"))));
        Ok((tale, told.err()))
    })
}
