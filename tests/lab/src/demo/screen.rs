//! One moment of the demo, as lines: a frame on a terminal, and the rows that stand for it
//! elsewhere.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use uuid::Uuid;

use crate::measure::Latencies;
use crate::node::CENTRAL;

use super::clerks::PRODUCT;
use super::display::{HEIGHT, Line, Style};
use super::queries::{Report, Shown, Sibling};

/// What there is to see.
#[derive(Debug, Default)]
pub struct Moment {
    pub elapsed: Duration,
    pub chapter: (usize, String),
    /// The store without a line, by its place.
    pub cut: Option<usize>,
    pub stores: Vec<Store>,
    /// The customer, the customer's name, the product.
    pub about: Option<(Uuid, &'static str, Uuid)>,
    pub shown: Vec<Shown>,
    pub siblings: Vec<Sibling>,
    /// The newest last.
    pub events: VecDeque<String>,
}

/// One store, as it is and as central sees it.
#[derive(Debug, Default)]
pub struct Store {
    pub receipts: i64,
    pub dats: usize,
    pub latencies: Latencies,
    pub report: Report,
}

/// How many events a frame has room for.
pub const EVENTS: usize = 4;
/// How many values of conflicts.
const SIBLINGS: usize = 4;

/// The whole frame, always of the same height.
pub fn frame(moment: &Moment, now: DateTime<Utc>) -> Vec<Line> {
    let seconds = moment.elapsed.as_secs();
    let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
    let mut lines = vec![
        Line::of(Style::Dim, format!("{:<73}{clock:>6}", "central and 3 stores, 60 terminals; Ctrl-C ends it")),
        Line::of(Style::Bold, chapter(&moment.chapter)),
        Line::default(),
        Line::of(Style::Dim, "     receipts   .dat  p50 ms  p99 ms at central  complete until"),
    ];
    for (index, store) in moment.stores.iter().enumerate() {
        lines.push(store_line(store, moment.cut == Some(index), now));
    }
    let name = moment.about.map_or("", |(_, name, _)| name);
    lines.push(Line::default());
    lines.push(Line::of(Style::Dim, format!("{name:<11}{:<31}{:<9}{:<20}{PRODUCT:>8}", "address", "consent", "tags")));
    let usual = moment.shown.first().cloned().unwrap_or_default();
    for one in &moment.shown {
        let text =
            format!("{:<11}{:<31}{:<9}{:<20}{:>8}", called(one.code), one.address, one.consent, one.tags, one.price);
        let alike = (&one.address, &one.consent, &one.tags, &one.price)
            == (&usual.address, &usual.consent, &usual.tags, &usual.price);
        lines.push(Line::of(if alike { Style::Plain } else { Style::Yellow }, text));
    }
    lines.push(Line::default());
    for index in 0..SIBLINGS {
        lines.push(moment.siblings.get(index).map_or_else(Line::default, |one| sibling_line(index, one)));
    }
    lines.push(Line::default());
    for index in 0..EVENTS {
        lines.push(moment.events.get(index).map_or_else(Line::default, |event| Line::of(Style::Dim, event)));
    }
    lines.truncate(HEIGHT);
    lines
}

/// The same in two lines.
pub fn rows(moment: &Moment, now: DateTime<Utc>) -> [String; 2] {
    let at = now.with_timezone(&Local);
    let sold: Vec<_> = moment.stores.iter().map(|store| format!("{} {}", store.report.code, store.receipts)).collect();
    let central: i64 = moment.stores.iter().map(|store| store.report.receipts).sum();
    let until = |(index, store): (usize, &Store)| {
        let cut = moment.cut == Some(index);
        let until = if cut { complete_until(&store.report, cut, now) } else { clock(store.report.until) };
        format!("{} {until}", store.report.code)
    };
    let until: Vec<_> = moment.stores.iter().enumerate().map(until).collect();
    [
        event(at, "", &format!("receipts {}, at central {central}", sold.join(", "))),
        event(at, "", &format!("complete until {}", until.join(", "))),
    ]
}

/// `2  The line to S02 is cut.`
pub fn chapter((number, text): &(usize, String)) -> String {
    format!("{number}  {text}")
}

/// When, where, what.
pub fn event(at: DateTime<Local>, code: &str, text: &str) -> String {
    format!("   {}  {:<8} {text}", at.format("%H:%M:%S"), called(code))
}

/// `14:03:22 (12 s ago; line cut)`
pub fn complete_until(report: &Report, cut: bool, now: DateTime<Utc>) -> String {
    let Some(until) = report.until else { return "not known yet".to_owned() };
    let seconds = (now - until).num_seconds().max(0);
    let ago = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
    let line = match report.state.as_str() {
        _ if cut => "; line cut".to_owned(),
        "running" => String::new(),
        other => format!("; {other}"),
    };
    format!("{} ({ago} ago{line})", clock(Some(until)))
}

/// The time of day in the zone of this machine.
pub fn clock(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.with_timezone(&Local).format("%H:%M:%S").to_string())
}

/// The name of a node for people: `central`, or the code of a store.
pub fn called(code: &str) -> String {
    if code == CENTRAL.code { code.to_lowercase() } else { code.to_owned() }
}

fn store_line(store: &Store, cut: bool, now: DateTime<Utc>) -> Line {
    let text = format!(
        "{:<3}{:>10}{:>7}{:>8.1}{:>8.1}{:>11}  {}",
        store.report.code,
        store.receipts,
        store.dats,
        store.latencies.percentile_ms(0.5),
        store.latencies.percentile_ms(0.99),
        store.report.receipts,
        complete_until(&store.report, cut, now)
    );
    Line::of(if cut { Style::Yellow } else { Style::Plain }, text)
}

fn sibling_line(index: usize, one: &Sibling) -> Line {
    let label = if index == 0 { "on record" } else { "" };
    let text = format!("{label:<11}{:<9}{:<9}{:<30}{}", one.column, called(&one.code), one.value, one.shown_as());
    Line::of(Style::Yellow, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000 + seconds, 0).unwrap()
    }

    fn report(until: i64) -> Report {
        Report { code: "S02".into(), until: Some(at(until)), state: "running".into(), ..Report::default() }
    }

    #[test]
    fn complete_until_says_how_long_ago_and_why() {
        let text = |cut| complete_until(&report(0), cut, at(12));
        assert!(text(true).ends_with(" (12 s ago; line cut)"), "{}", text(true));
        assert!(text(false).ends_with(" (12 s ago)"), "{}", text(false));
        assert_eq!(complete_until(&Report::default(), false, at(0)), "not known yet");
    }

    #[test]
    fn a_full_frame_fits_a_classic_terminal() {
        let sibling = Sibling {
            column: "address".into(),
            code: "S02".into(),
            value: "x".repeat(29),
            chosen: true,
            rule: "least".into(),
        };
        let moment = Moment {
            cut: Some(1),
            stores: (0..3).map(|_| Store { receipts: 99_999, report: report(-99), ..Store::default() }).collect(),
            shown: vec![Shown { code: "CENTRAL", address: "x".repeat(31), ..Shown::default() }; 4],
            siblings: vec![sibling; 4],
            events: (0..9).map(|n| n.to_string()).collect(),
            ..Moment::default()
        };
        let lines = frame(&moment, at(0));
        assert_eq!(lines.len(), HEIGHT);
        for line in lines {
            assert!(line.text.chars().count() <= super::super::display::WIDTH, "{}", line.text);
        }
    }
}
