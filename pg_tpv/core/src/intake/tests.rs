use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::*;
use crate::dat::Profile;
use crate::day::{self, ClockWindow, StoreDay};
use crate::json;
use crate::receipt::{self, Declaration, Hold, Intake, Limits, Receipt, Verdict};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn with_context<T>(arrival: &str, closed: &[NaiveDate], work: impl FnOnce(&TerminalContext<'_>) -> T) -> T {
    let profile = Profile::from_json(&json::read(Profile::legacy_json(), 16).unwrap()).unwrap();
    work(&TerminalContext {
        node_id: 1,
        terminal: "T01",
        department: "01",
        store: StoreDay { zone: chrono_tz::Europe::Madrid, cutoff_hour: 4 },
        terminal_zone: None,
        window: ClockWindow { max_age: Duration::days(7), max_ahead: Duration::minutes(90) },
        late_after: None,
        closed,
        profile: &profile,
        arrival: at(arrival),
    })
}

fn verdict(number: &str, quantity: i32, timestamp: &str) -> Verdict {
    let total = quantity * 2;
    let text = format!(
        r#"{{"receiptId":"{number}","terminalId":"T01","departmentCode":"01","items":[{{"barcode":"8436006836053",
        "description":"Pan","price":2,"quantity":{quantity}}}],"total":{total},"timestamp":"{timestamp}"}}"#
    );
    receipt::parse(text.as_bytes(), &Declaration::default(), &Limits::default())
}

fn new(
    context: &TerminalContext<'_>,
    verdict: &Verdict,
    known: &[StoredReceipt],
    previous: Option<&PreviousReceipt<'_>>,
) -> New {
    match decide(context, verdict, known, previous) {
        Decision::New(new) => *new,
        other => panic!("{other:?}"),
    }
}

fn previous<'r>(receipt: &'r Receipt, new: &New) -> PreviousReceipt<'r> {
    let printed = day::PreviousTime { number: receipt.receipt_id.clone(), instant: new.printed.instant };
    PreviousReceipt { printed, receipt_id: new.doc_id, receipt: Some(receipt) }
}

#[test]
fn a_receipt_of_today_is_published_today() {
    with_context("2026-06-30T10:00:00Z", &[], |context| {
        let new = new(context, &verdict("7", 1, "2026-06-30T12:00:00"), &[], None);
        let dat = new.dat.unwrap();
        assert_eq!((dat.folder.as_str(), dat.name.as_str()), ("20260630", "scon017.dat"));
        assert!(new.intake.is_empty());
    });
}

#[test]
fn the_same_content_is_a_duplicate_and_other_content_is_held() {
    with_context("2026-06-30T10:00:00Z", &[], |context| {
        let first = verdict("7", 1, "2026-06-30T12:00:00");
        let stored = new(context, &first, &[], None);
        let known = [StoredReceipt { receipt_id: stored.doc_id, content_hash: first.content_hash.unwrap() }];
        assert!(matches!(decide(context, &first, &known, None), Decision::Duplicate(id) if id == stored.doc_id));
        let other = new(context, &verdict("7", 2, "2026-06-30T12:00:01"), &known, None);
        assert_eq!(other.hold().unwrap().code, "DUP_CONFLICT");
        assert_ne!(other.doc_id, stored.doc_id);
        assert_eq!(other.dat, None);
    });
}

#[test]
fn a_twin_right_after_is_a_void_and_later_it_is_a_refund() {
    with_context("2026-06-30T10:00:00Z", &[], |context| {
        let first = verdict("7", 1, "2026-06-30T12:00:00");
        let stored = new(context, &first, &[], None);
        let previous = previous(first.receipt.as_ref().unwrap(), &stored);
        let twin = verdict("8", -1, "2026-06-30T12:00:30");
        let void = new(context, &twin, &[], Some(&previous));
        assert_eq!((void.voids, void.dat.is_none(), void.hold()), (Some(stored.doc_id), true, None));
        let refund = new(context, &twin, &[], None);
        assert_eq!((refund.voids, refund.hold().unwrap().code.as_str()), (None, "SIGN_UNDEFINED"));
    });
}

#[test]
fn a_day_may_close_by_itself() {
    with_context("2026-07-02T10:00:00Z", &[], |context| {
        let verdict = verdict("7", 1, "2026-06-30T12:00:00");
        assert!(new(context, &verdict, &[], None).dat.is_some());
        let strict = TerminalContext { late_after: Some(Duration::hours(24)), ..*context };
        assert!(new(&strict, &verdict, &[], None).dat.is_none());
    });
}

#[test]
fn three_days_late_after_the_day_was_closed_counts_on_its_own_day_and_is_not_published() {
    let closed = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
    with_context("2026-07-03T10:00:00Z", &[closed], |context| {
        let new = new(context, &verdict("7", 1, "2026-06-30T12:00:00"), &[], None);
        assert_eq!(new.business_date, NaiveDate::from_ymd_opt(2026, 6, 30).unwrap());
        assert_eq!((new.dat, new.intake.flags), (None, vec!["LATE".to_owned()]));
    });
}

#[test]
fn yesterday_is_published_until_it_is_closed() {
    let day = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();
    let verdict = verdict("7", 1, "2026-06-30T12:00:00");
    with_context("2026-07-01T10:00:00Z", &[], |context| assert!(new(context, &verdict, &[], None).dat.is_some()));
    with_context("2026-07-01T10:00:00Z", &[day], |context| assert!(new(context, &verdict, &[], None).dat.is_none()));
}

#[test]
fn a_skewed_clock_is_booked_on_the_day_of_arrival_and_published() {
    with_context("2026-07-30T10:00:00Z", &[], |context| {
        let new = new(context, &verdict("7", 1, "2026-06-30T12:00:00"), &[], None);
        assert_eq!(new.business_date, NaiveDate::from_ymd_opt(2026, 7, 30).unwrap());
        assert_eq!((new.dat.is_some(), new.intake.flags), (true, vec!["CLOCK_SKEW".to_owned()]));
    });
}

#[test]
fn another_terminal_is_suspicious_and_another_department_is_held() {
    with_context("2026-06-30T10:00:00Z", &[], |context| {
        let verdict = verdict("7", 1, "2026-06-30T12:00:00");
        let elsewhere = TerminalContext { terminal: "T02", ..*context };
        assert!(matches!(decide(&elsewhere, &verdict, &[], None), Decision::Quarantined { suspicious: true, .. }));
        let elsewhere = TerminalContext { department: "02", ..*context };
        assert_eq!(new(&elsewhere, &verdict, &[], None).hold().unwrap().code, "WRONG_DEPARTMENT");
    });
}

#[test]
fn what_was_said_at_intake_reads_back() {
    let intake = Intake {
        flags: vec!["AMBIGUOUS_TIME".to_owned()],
        holds: vec![Hold { code: "X".into(), pointer: "/a".into(), detail: "why".into() }],
        printed_at: Some(at("2026-10-25T01:30:00Z")),
        voids: Some(uuid::Uuid::max()),
    };
    assert_eq!(Intake::from_body(&intake.to_body(uuid::Uuid::nil())), Some(intake));
}
