//! `tpv-lab`: what `./tpv` runs for `up`, `down`, `demo`, `bench` and `test openapi` and
//! `test alarms`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tpv_lab::{alarms, bench, demo, openapi, up};

/// Throw-away stores for people: a demo, a store to look into, benches.
#[derive(Debug, Parser)]
#[command(name = "tpv-lab", version)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start central and stores S01, S02, S03 and leave them running; writes .tpv/env
    Up,
    /// Stop what `up` started
    Down,
    /// Central and three stores at work, live; one is cut off each minute, until Ctrl-C
    Demo {
        /// Tell the story once, in less than half a minute, and end
        #[arg(long)]
        once: bool,
        /// End after so many seconds
        #[arg(long, value_name = "N", conflicts_with = "once")]
        seconds: Option<u64>,
        /// The summary as one JSON object on the last line of stdout; words go to stderr
        #[arg(long)]
        json: bool,
    },
    /// Ask the gateways of a chain all that their documents allow, and much that they do not
    Openapi {
        /// The program schemathesis
        #[arg(long, value_name = "FILE")]
        program: PathBuf,
        /// The same requests as another time
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Cause each fault that Prometheus has an alarm for
    Alarms {
        /// The folder of the programs prometheus and prometheus-postgres-exporter
        #[arg(long, value_name = "FOLDER")]
        programs: PathBuf,
        /// Cause none, but trade for so many seconds with the rules' own times: none may fire
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
        trade: Option<u64>,
    },
    /// Measure
    Bench {
        /// Which bench; an unknown name lists them
        #[arg(default_value = "ingest")]
        name: String,
        /// The result as one JSON object on stdout; tables go to stderr
        #[arg(long)]
        json: bool,
        /// Less of it: apply takes a minute or two, rest ten stores, bi 300,000 lines; the numbers are
        /// rough
        #[arg(long)]
        quick: bool,
        /// How many lines of receipts bi is to have
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        lines: Option<u64>,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tpv-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<bool> {
    match task {
        Task::Up => say(&up::up()?),
        Task::Down => say(&up::down()?),
        Task::Openapi { program, seed } => openapi::run(&program, seed, &mut std::io::stdout()),
        Task::Alarms { programs, trade: None } => alarms::run(&programs, &mut std::io::stdout()),
        Task::Alarms { programs, trade: Some(seconds) } => {
            alarms::trade(&programs, seconds, &mut std::io::stdout()).map(|()| true)
        }
        Task::Bench { name, json, quick, lines } => bench::run(&name, json, quick, lines).map(|()| true),
        Task::Demo { once, seconds, json } => {
            let stop = Arc::new(AtomicBool::new(false));
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                // The second signal ends the program at once; the guard then stops what it started.
                signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
                signal_hook::flag::register(signal, Arc::clone(&stop))?;
            }
            demo::run(demo::Options { once, time: seconds.map(Duration::from_secs), json }, &stop)
        }
    }
}

fn say(text: &str) -> Result<bool> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(true)
}
