use proptest::prelude::*;

use super::*;
use crate::hash_chain::sha256;

const HOUR_MS: u64 = 3_600_000;

fn head(seq: i64) -> Head {
    Head { seq, hash: sha256(&seq.to_be_bytes()), hlc: Some(seq) }
}

fn heads(all: &[(&str, i64)]) -> Heads {
    Heads(all.iter().map(|(name, seq)| ((*name).to_owned(), head(*seq))).collect())
}

fn told(all: &[(&str, i64)]) -> Told {
    Told { hlc: 70, all_at_ms: 1000, heads: heads(all) }
}

#[test]
fn a_heartbeat_names_what_moved_since_the_last() {
    let before = told(&[("", 3), ("T01", 5), ("T02", 8)]);
    let now = heads(&[("", 3), ("T01", 6), ("T02", 8), ("T03", 1)]);
    let carried = carry(&now, Some(&before), false, 2000, HOUR_MS);
    assert_eq!(carried, Carried { since: Some(70), heads: heads(&[("T01", 6), ("T03", 1)]) });
    assert_eq!(carried.more(None), r#"{"since":70}"#);
    let after = carried.told(75, now.clone(), Some(&before), 2000);
    assert_eq!(after, Told { hlc: 75, all_at_ms: 1000, heads: now.clone() });
    assert_eq!(carry(&now, Some(&after), false, 3000, HOUR_MS).heads, heads(&[]));
}

#[test]
fn a_heartbeat_names_all_after_a_start_when_asked_and_after_an_hour() {
    let now = heads(&[("T01", 5), ("T02", 8)]);
    let all = Carried { since: None, heads: now.clone() };
    assert_eq!(all.more(None), "{}");
    let before = told(&[("T01", 5), ("T02", 8)]);
    assert_eq!(carry(&now, None, false, 2000, HOUR_MS), all);
    assert_eq!(carry(&now, Some(&before), true, 2000, HOUR_MS), all);
    assert_eq!(carry(&now, Some(&before), false, 1000 + HOUR_MS, HOUR_MS), all);
    assert_ne!(carry(&now, Some(&before), false, 999 + HOUR_MS, HOUR_MS), all);
    assert_eq!(carry(&now, Some(&before), false, 999, HOUR_MS), all, "its clock was set back");
    assert_eq!(all.told(90, now.clone(), Some(&before), 2000).all_at_ms, 2000);
    // One that is gone is not among those that moved.
    assert_eq!(carry(&now, Some(&told(&[("T01", 5), ("T02", 8), ("T03", 1)])), false, 2000, HOUR_MS), all);
}

#[test]
fn heads_are_written_and_read() {
    let own = heads(&[("", 3), ("T01", 5)]);
    assert_eq!(Heads::from_json(&own.to_json()), Some(own));
    let passed = Heads([("1>2".to_owned(), Head { hlc: None, ..head(4) })].into());
    assert_eq!(Heads::from_json(&passed.to_json()), Some(passed));
    let hash = "0".repeat(64);
    let read = |text: String| Heads::from_json(&text).map(|heads| heads.0.len());
    assert_eq!(read(format!(r#"{{"T01": [1, "{hash}", 7, {{"newer": true}}]}}"#)), Some(1));
    for bad in [
        String::new(),
        "[]".to_owned(),
        "{".to_owned(),
        r#"{"T01": 1}"#.to_owned(),
        r#"{"T01": []}"#.to_owned(),
        format!(r#"{{"T01": ["1", "{hash}"]}}"#),
        format!(r#"{{"T01": [-1, "{hash}"]}}"#),
        format!(r#"{{"T01": [1, "{}"]}}"#, &hash[1..]),
        format!(r#"{{"T01": [1, "{}g"]}}"#, &hash[1..]),
        format!(r#"{{"T01": [1, "{}é"]}}"#, &hash[2..]),
        format!(r#"{{"T\u0000": [1, "{hash}"]}}"#),
        format!(r#"{{"{}": [1, "{hash}"]}}"#, "T".repeat(101)),
    ] {
        assert_eq!(read(bad.clone()), None, "{bad}");
    }
}

#[test]
fn central_passes_on_what_stores_address_to_each_other() {
    assert_eq!(passed_on(1, ">2", 100).as_deref(), Some("1>2"));
    assert_eq!(passed_on(1, ">2~2", 100).as_deref(), Some("1>2~2"));
    for (writer, name) in [(1, ">100"), (1, "T01"), (1, ""), (1, ">1"), (100, ">2"), (1, "newer>")] {
        assert_eq!(passed_on(writer, name, 100), None, "{writer} {name}");
    }
}

#[test]
fn an_older_heartbeat_names_all_and_unknown_keys_are_a_newer_ones() {
    let since = |more| Report::read("{}", "{}", more).since;
    assert_eq!(since("{}"), Since::All);
    assert_eq!(since(r#"{"since": 70}"#), Since::Stamp(70));
    assert_eq!(since(r#"{"lives": {"T04": 2}, "since": 70, "ignored": [[["x"]]]}"#), Since::Stamp(70));
    assert_eq!(since(r#"{"lives": {}}"#), Since::All);
}

#[test]
fn what_cannot_be_read_is_on_record_and_the_rest_counts() {
    let report = Report::read(r#"{"1": 7}"#, r#"{}"#, "[1");
    assert_eq!(report.operations, Some([(1, 7)].into()));
    assert_eq!((report.since, &report.faults[..]), (Since::Unknown, &["more"][..]));
    assert_eq!(report.whole(Some(70), 75), Some(70));
    for more in ["", "[]", "null", "7", r#"{"since": "70"}"#, r#"{"since": null}"#, r#"{"since": 1.5}"#] {
        assert_eq!(Report::read("{}", "{}", more).faults, ["more"], "{more}");
    }
    for ops in ["[1", "{\"x\": 1}", "{\"1\": null}", "{\"1\": 1.5}", "7"] {
        let report = Report::read(ops, "{}", "{}");
        assert_eq!((&report.operations, &report.faults[..]), (&None, &["ops"][..]), "{ops}");
        assert_eq!(report.whole(None, 75), None, "not everything is known of it");
    }
    assert_eq!(Report::read("{", "{", "{").faults, ["ops", "chains", "more"]);
}

/// What happens between a sender and a receiver.
#[derive(Clone, Debug)]
enum Step {
    /// A chain gets a document.
    Moves(u8),
    /// One of two processes of the sender writes a heartbeat; some do not commit, some are lost.
    Beats { process: bool, commits: bool, arrives: bool },
    /// A process of the sender starts anew.
    Restarts(bool),
    /// Time passes.
    Passes(u64),
    /// The receiver asks for all if it misses some.
    Asks,
    /// The sender is restored from a backup: it forgets documents and heartbeats.
    IsRestored,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8).prop_map(Step::Moves),
        6 => (any::<bool>(), prop::bool::weighted(0.9), prop::bool::weighted(0.8))
            .prop_map(|(process, commits, arrives)| Step::Beats { process, commits, arrives }),
        1 => any::<bool>().prop_map(Step::Restarts),
        1 => (0..2 * HOUR_MS).prop_map(Step::Passes),
        1 => Just(Step::Asks),
        1 => Just(Step::IsRestored),
    ]
}

#[derive(Default)]
struct Sender {
    heads: Heads,
    processes: [Option<Told>; 2],
    /// The stamp of the last heartbeat that was committed.
    written: Option<i64>,
    hlc: i64,
    now_ms: u64,
    asked: bool,
}

impl Sender {
    /// The heartbeat of a process, as it arrives.
    fn beat(&mut self, process: usize, commits: bool) -> Option<(i64, Report)> {
        let told = self.processes[process].as_ref().filter(|told| self.written == Some(told.hlc));
        let carried = carry(&self.heads, told, self.asked, self.now_ms, HOUR_MS);
        self.hlc += 1;
        let told = carried.told(self.hlc, self.heads.clone(), told, self.now_ms);
        self.processes[process] = Some(told);
        if !commits {
            return None;
        }
        self.asked = false;
        self.written = Some(self.hlc);
        Some((self.hlc, Report::read("{}", &carried.heads.to_json(), &carried.more(None))))
    }
}

proptest! {
    /// Whatever is lost or undone: when the receiver believes that it knows all heads, it does. And
    /// when nothing is lost any more, it knows them at the heartbeat after it asked.
    #[test]
    fn who_believes_to_know_all_heads_knows_them(steps in prop::collection::vec(step(), 0..60)) {
        let (mut sender, mut heads) = (Sender::default(), Heads::default());
        let (mut whole, mut last) = (None, None);
        let mut arrive = |sender: &Sender, (hlc, report): (i64, Report), whole: &mut Option<i64>| {
            *whole = report.whole(*whole, hlc);
            if report.since == Since::All {
                heads.0.clear();
            }
            heads.0.extend(report.heads.0);
            if *whole == Some(hlc) && heads != sender.heads {
                return Err(TestCaseError::fail(format!("{heads:?} {:?}", sender.heads)));
            }
            Ok(hlc)
        };
        for step in steps {
            match step {
                Step::Moves(chain) => {
                    let name = format!("T{chain}");
                    let seq = sender.heads.0.get(&name).map_or(0, |head| head.seq) + 1;
                    sender.heads.0.insert(name, head(seq));
                }
                Step::Beats { process, commits, arrives } => {
                    let beat = sender.beat(usize::from(process), commits);
                    if let Some(beat) = beat.filter(|_| arrives) {
                        last = Some(arrive(&sender, beat, &mut whole)?);
                    }
                }
                Step::Restarts(process) => sender.processes[usize::from(process)] = None,
                Step::Passes(ms) => sender.now_ms += ms,
                Step::Asks => sender.asked |= whole != last,
                Step::IsRestored => {
                    sender.heads.0.retain(|name, head| {
                        *head = self::head(head.seq / 2);
                        name != "T3"
                    });
                    (sender.processes, sender.written) = ([None, None], None);
                }
            }
        }
        sender.asked = true;
        for process in [0, 1] {
            let beat = sender.beat(process, true).unwrap();
            let hlc = arrive(&sender, beat, &mut whole)?;
            prop_assert_eq!(whole, Some(hlc));
        }
    }

    #[test]
    fn nothing_that_a_peer_writes_stops_its_reader(ops in ".{0,20}", chains in ".{0,20}", more in "[\\[\\]{}\":,0-9a-z]{0,20}") {
        let report = Report::read(&ops, &chains, &more);
        prop_assert!(report.faults.len() <= 3);
    }
}
