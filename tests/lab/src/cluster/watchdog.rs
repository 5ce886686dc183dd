//! A test that hangs is a test that failed, and says where it hangs.
//!
//! Each server of a test is registered here while it runs. When one is there for longer than any
//! test takes, the program prints what its sessions are doing, and ends; the guard then stops
//! whatever is left.

use std::io::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// The longest tests take two minutes on a quick machine.
const LIMIT: Duration = Duration::from_secs(900);

/// A server that hangs does not answer questions either.
const ANSWER: Duration = Duration::from_secs(10);

const ACTIVITY: &str = "select concat_ws(' | ', pid, backend_type, application_name, state, wait_event_type, wait_event, \
      'blocked by ' || nullif(pg_blocking_pids(pid)::text, '{}'), now() - xact_start, left(query, 200)) \
    from pg_stat_activity where pid <> pg_backend_pid() and (state is null or state <> 'idle') order by backend_start";

#[derive(Debug)]
struct Entry {
    number: u64,
    test: String,
    url: String,
    until: Instant,
}

static WATCHED: Mutex<(u64, Vec<Entry>)> = Mutex::new((0, Vec::new()));

/// A server of a test; it is watched until this is dropped.
#[derive(Debug)]
pub struct Watched(u64);

impl Watched {
    /// Watches a server for the test whose thread this is; none elsewhere, since a bench takes as
    /// long as it takes.
    pub fn server(url: String) -> Option<Self> {
        let test = thread::current().name().filter(|name| *name != "main")?.to_owned();
        Some(Self::server_of(test, url))
    }

    /// Watches a server for a test of that name.
    pub fn server_of(test: String, url: String) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| drop(thread::spawn(watch)));
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        watched.0 += 1;
        let number = watched.0;
        watched.1.push(Entry { number, test, url, until: Instant::now() + limit() });
        Self(number)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        watched.1.retain(|entry| entry.number != self.0);
    }
}

/// A nemesis of hours needs more.
fn limit() -> Duration {
    let more = std::env::var("TPV_NEMESIS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    LIMIT + Duration::from_secs(more.unwrap_or(0)) * 3
}

fn watch() {
    loop {
        thread::sleep(Duration::from_secs(5));
        let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(late) = watched.1.iter().find(|entry| entry.until < Instant::now()) else { continue };
        let after = limit().as_secs();
        say(&format!("\ntest {} hangs: its servers have been running for {after} s. What they do:", late.test));
        for entry in watched.1.iter().filter(|entry| entry.test == late.test) {
            let url = entry.url.clone();
            let asked = thread::spawn(move || say_activity(&url));
            let asked_at = Instant::now();
            while !asked.is_finished() && asked_at.elapsed() < ANSWER {
                thread::sleep(Duration::from_millis(20));
            }
            if !asked.is_finished() {
                say(&format!("{} does not answer", entry.url));
            }
        }
        std::process::exit(101);
    }
}

fn say_activity(url: &str) {
    say(url);
    match Client::connect(url, NoTls).and_then(|mut dba| dba.query(ACTIVITY, &[])) {
        Ok(rows) => rows.iter().for_each(|row| say(&format!("  {}", row.get::<_, String>(0)))),
        Err(error) => say(&format!("  {error}")),
    }
}

/// Past the capture of the tests' output, which the end of the program would lose.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
