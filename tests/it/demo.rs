//! The demo, run as somebody would who tries it: the story to its end, and Ctrl-C in the middle.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tpv_lab::machine::Lab;
use tpv_lab::machine::Process;
use tpv_lab::wait::until;

/// One demo at a time in one checkout: that is how it is, for people too.
static TURN: Mutex<()> = Mutex::new(());

/// The story takes about 17 seconds and the tally some more; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(120);

fn demo(arguments: &[&str]) -> Child {
    let mut command = Command::new(Lab::open().unwrap().program("tpv-lab").unwrap());
    command.arg("demo").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn count(summary: &Value, key: &str) -> u64 {
    summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {summary}"))
}

#[test]
fn the_demo_tells_its_story_and_loses_nothing() {
    let _turn = TURN.lock();
    let Output { status, stdout, stderr } = demo(&["--once", "--json"]).wait_with_output().unwrap();
    let (out, words) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{words}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let summary: Value = serde_json::from_str(&out).unwrap();

    assert_eq!((count(&summary, "stores"), count(&summary, "lost")), (3, 0), "{summary}");
    assert_eq!(summary["converged"], true, "{summary}");
    assert_eq!((count(&summary, "in_quarantine"), count(&summary, "waiting")), (0, 0), "{summary}");
    let of = |key| count(&summary, key);
    assert_eq!(of("receipts"), of("accepted") + of("duplicate") + of("held") + of("quarantined"), "{summary}");
    assert_eq!(of("central_receipts"), of("accepted") + of("held"), "{summary}");
    assert!(of("dat_files") >= of("accepted"), "{summary}");
    // About 40 a second for the better part of 17 seconds, 14 of them for a few seconds in the
    // store without a line.
    assert!(of("receipts") > 200 && of("offline_receipts") > 20, "{summary}");
    // Two nodes wrote the address and the consent of one customer; the address was resolved.
    assert_eq!((of("siblings"), of("settled")), (4, 1), "{summary}");
    assert!(of("operations") > 0 && summary["p50_ms"].is_f64() && summary["p99_ms"].is_f64(), "{summary}");
    for store in ["S01", "S02", "S03"] {
        let until = summary["complete_until"][store].as_str().unwrap_or_default();
        assert!(chrono::DateTime::parse_from_rfc3339(until).is_ok(), "{store}: {summary}");
    }
    for text in ["The line to S02 is cut.", "line cut)", "The line to S02 is back.", "resolved:", "Central's report"] {
        assert!(words.contains(text), "{text}: {words}");
    }
}

#[test]
fn ctrl_c_while_a_store_is_cut_off_ends_with_a_tally_and_leaves_nothing_running() {
    let _turn = TURN.lock();
    let mut demo = demo(&[]);
    let itself = Process::of_child(&demo).unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.find(|line| line.contains("no line to S02")).unwrap();
    let started = descendants(itself);
    // Four servers with their processes, three watchers, the guard.
    assert!(started.len() > 7, "{started:?}");
    itself.signal(Signal::SIGINT);
    let rest: Vec<String> = lines.collect();
    let status = until("the demo ends", PATIENCE, || demo.try_wait().unwrap()).unwrap();
    assert!(status.success(), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("All nodes agree        yes")), "{rest:#?}");
    for process in started {
        process.wait_gone(Duration::from_secs(10)).unwrap();
    }
}

/// All that came of it.
fn descendants(process: Process) -> Vec<Process> {
    let children = process.children();
    let further: Vec<_> = children.iter().flat_map(|child| descendants(*child)).collect();
    children.into_iter().chain(further).collect()
}
