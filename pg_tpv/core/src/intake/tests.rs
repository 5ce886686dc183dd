use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::*;
use crate::dat::Profile;
use crate::day::{self, ClockWindow, StoreDay};
use crate::json;
use crate::receipt::{self, Declaration, Hold, IdMap, Intake, Limits, Receipt, Verdict};

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
        id_map: &IdMap::default(),
        arrival: at(arrival),
    })
}

fn verdict(number: &str, quantity: i32, timestamp: &str) -> Verdict {
    let total = quantity * 2;
    let text = format!(
        r#"{{"receiptId":"{number}","terminalId":"T01","departmentCode":"01","items":[{{"barcode":"8436006836053",
        "description":"Pan","price":2,"quantity":{quantity}}}],"total":{total},"timestamp":"{timestamp}"}}"#
    );
    let declaration = Declaration { store_zone: Some(chrono_tz::Europe::Madrid), ..Declaration::default() };
    receipt::parse(text.as_bytes(), &declaration, &Limits::default())
}

fn new(
    context: &TerminalContext<'_>,
    verdict: &Verdict,
    known: &[StoredReceipt],
    previous: Option<&PreviousReceipt<'_>>,
) -> New {
    match decide(context, verdict, known, previous, None) {
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
        let known =
            [StoredReceipt { receipt_id: stored.doc_id, content_hash: first.content_hash.unwrap(), undated: None }];
        assert!(matches!(decide(context, &first, &known, None, None), Decision::Duplicate(id) if id == stored.doc_id));
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
        assert!(matches!(
            decide(&elsewhere, &verdict, &[], None, None),
            Decision::Quarantined { suspicious: true, .. }
        ));
        let elsewhere = TerminalContext { department: "02", ..*context };
        assert_eq!(new(&elsewhere, &verdict, &[], None).hold().unwrap().code, "WRONG_DEPARTMENT");
    });
}

const DEAD: &str = "2000-01-01T00:03";

/// What is stored of a new receipt.
fn stored(verdict: &Verdict, new: &New, arrival: &str) -> StoredReceipt {
    let undated = new.arrived_on.map(|arrived_on| Undated { arrived_on, at: at(arrival) });
    StoredReceipt { receipt_id: new.doc_id, content_hash: verdict.content_hash.unwrap(), undated }
}

#[test]
fn row_34_a_dead_clock_identifies_nothing_and_the_day_of_arrival_does() {
    let verdict = verdict("91", 1, DEAD);
    let first_day = "2026-11-20T10:00:00Z";
    let first = with_context(first_day, &[], |context| new(context, &verdict, &[], None));
    assert_eq!(
        (first.hold().unwrap().code.as_str(), first.arrived_on),
        ("DATE_RANGE", NaiveDate::from_ymd_opt(2026, 11, 20))
    );
    let known = [stored(&verdict, &first, first_day)];
    let again = |arrival| with_context(arrival, &[], |context| decide(context, &verdict, &known, None, None));
    for soon in ["2026-11-20T10:00:01Z", "2026-11-20T10:10:00Z", "2026-11-20T09:55:00Z"] {
        assert!(matches!(again(soon), Decision::Duplicate(id) if id == first.doc_id), "{soon}");
    }
    let mut ids = vec![first.doc_id];
    for later in ["2026-11-20T10:10:01Z", "2026-11-20T18:00:00Z", "2026-11-21T10:00:00Z", "2027-11-20T10:00:00Z"] {
        let Decision::New(other) = again(later) else { panic!("{later}") };
        let hold = other.hold().unwrap();
        assert_eq!(hold.code, "DATE_RANGE");
        assert!(hold.detail.starts_with("the same content came at 2026-11-20T11:00:00+01:00"), "{}", hold.detail);
        assert!(other.dat.is_none() && !other.is_in_order());
        ids.push(other.doc_id);
    }
    // The second of a day is the same document whenever on that day it comes; every other day has
    // its own.
    assert_eq!(ids[1], ids[2]);
    ids.dedup();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn row_34_another_ticket_of_a_dead_clock_claims_no_number() {
    let (first, other) = (verdict("1", 1, DEAD), verdict("1", 2, DEAD));
    with_context("2026-11-20T10:00:00Z", &[], |context| {
        let stored_first = stored(&first, &new(context, &first, &[], None), "2026-11-20T10:00:00Z");
        let other = new(context, &other, std::slice::from_ref(&stored_first), None);
        let codes: Vec<_> = other.intake.holds.iter().map(|hold| hold.code.as_str()).collect();
        assert_eq!((codes, other.conflicts), (vec!["DATE_RANGE"], false));
        assert_ne!(other.doc_id, stored_first.receipt_id);
    });
}

#[test]
fn row_34_a_file_of_the_archive_came_on_the_day_of_its_folder() {
    let verdict = verdict("91", 1, DEAD);
    let first_day = "2026-11-20T10:00:00Z";
    let first = with_context(first_day, &[], |context| new(context, &verdict, &[], None));
    let day = NaiveDate::from_ymd_opt(2026, 11, 20);
    with_context("2026-12-24T10:00:00Z", &[], |context| {
        // The database was lost.
        let Decision::New(again) = decide(context, &verdict, &[], None, day) else { panic!() };
        assert_eq!(
            (again.doc_id, again.business_date, &again.intake),
            (first.doc_id, first.business_date, &first.intake)
        );
        // It was not.
        let known = [stored(&verdict, &first, first_day)];
        let repeated = decide(context, &verdict, &known, None, day);
        assert!(matches!(repeated, Decision::Duplicate(id) if id == first.doc_id));
        let Decision::New(other) = decide(context, &verdict, &known, None, day.and_then(|day| day.succ_opt())) else {
            panic!()
        };
        assert_ne!(other.doc_id, first.doc_id);
    });
    // A believable date needs no folder, and a skewed clock counts for the day of the folder.
    let (sound, skewed) = (self::verdict("7", 1, "2026-11-19T23:50:00"), self::verdict("8", 1, "2026-10-19T23:50:00"));
    with_context("2026-12-24T10:00:00Z", &[], |context| {
        let Decision::New(sound) = decide(context, &sound, &[], None, day) else { panic!() };
        let flags: Vec<String> = Vec::new();
        assert_eq!((sound.business_date, sound.intake.flags), (NaiveDate::from_ymd_opt(2026, 11, 19).unwrap(), flags));
        let Decision::New(skewed) = decide(context, &skewed, &[], None, day) else { panic!() };
        assert_eq!((Some(skewed.business_date), skewed.intake.flags), (day, vec!["CLOCK_SKEW".to_owned()]));
    });
}

#[test]
fn row_34_a_date_that_is_believed_later_is_not_counted_twice() {
    let verdict = verdict("7", 1, "2027-02-10T10:00:00");
    let early = "2026-11-20T10:00:00Z";
    let first = with_context(early, &[], |context| new(context, &verdict, &[], None));
    assert_eq!(first.hold().unwrap().code, "DATE_RANGE");
    let known = [stored(&verdict, &first, early)];
    with_context("2027-02-10T09:30:00Z", &[], |context| {
        let again = new(context, &verdict, &known, None);
        assert_eq!(
            (again.hold().unwrap().code.as_str(), again.arrived_on, again.conflicts),
            ("DATE_RANGE", None, false)
        );
        assert_ne!(again.doc_id, first.doc_id);
    });
    // The other way about it is known for good.
    let dated = with_context("2027-02-10T09:30:00Z", &[], |context| new(context, &verdict, &[], None));
    let known = [stored(&verdict, &dated, "2027-02-10T09:30:00Z")];
    with_context("2029-02-10T09:30:00Z", &[], |context| {
        assert!(matches!(decide(context, &verdict, &known, None, None), Decision::Duplicate(id) if id == dated.doc_id));
    });
}

#[test]
fn row_40_a_number_with_slashes_has_another_name_and_stays_what_it_is() {
    let id_map = IdMap { blank: None, slash: Some("-".into()) };
    let declaration =
        Declaration { id_map: id_map.clone(), store_zone: Some(chrono_tz::Europe::Madrid), ..Declaration::default() };
    let text = r#"{"receiptId":"T/2026/1","terminalId":"T01","departmentCode":"01","items":[{"barcode":"8436006836053",
        "description":"Pan","price":2,"quantity":1}],"total":2,"timestamp":"2026-06-30T12:00:00"}"#;
    let verdict = receipt::parse(text.as_bytes(), &declaration, &Limits::default());
    with_context("2026-06-30T10:00:00Z", &[], |context| {
        let context = TerminalContext { id_map: &id_map, ..*context };
        let new = new(&context, &verdict, &[], None);
        assert_eq!(
            (new.dat.clone().unwrap().name.as_str(), new.key.number.as_str()),
            ("scon01T-2026-1.dat", "T/2026/1")
        );
        let again = dat_of_body(&context, verdict.body.as_ref().unwrap(), &new.printed, new.business_date).unwrap();
        assert_eq!(Some(again), new.dat);
    });
}

#[test]
fn rows_42_and_49_the_id_begins_with_the_printed_minute_whatever_the_words() {
    let ids: Vec<_> = ["2026-11-28T10:00:00+01:00", "2026-11-28T09:00:00Z", "2026-11-28 10:00"]
        .into_iter()
        .map(|words| {
            with_context("2026-11-28T09:30:00Z", &[], |context| new(context, &verdict("1", 1, words), &[], None).doc_id)
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.to_string().starts_with("20261128-1000-8")), "{ids:?}");
    for (words, start) in
        [("9999-12-31T23:59:59-12:00", "99991231-2359-8"), ("0001-01-01T00:00:00+14:00", "00010101-0000-8")]
    {
        let held =
            with_context("2026-11-28T09:30:00Z", &[], |context| new(context, &verdict("1", 1, words), &[], None));
        assert_eq!(held.hold().unwrap().code, "DATE_RANGE");
        assert!(held.doc_id.to_string().starts_with(start), "{}", held.doc_id);
    }
}

#[test]
fn what_was_said_at_intake_reads_back() {
    let intake = Intake {
        flags: vec!["AMBIGUOUS_TIME".to_owned()],
        holds: vec![Hold { code: "X".into(), pointer: "/a".into(), detail: "why".into() }],
        printed_at: Some(at("2026-10-25T01:30:00Z")),
        arrived_on: NaiveDate::from_ymd_opt(2026, 11, 28),
        voids: Some(uuid::Uuid::max()),
    };
    assert_eq!(Intake::from_body(&intake.to_body(uuid::Uuid::nil())), Some(intake));
}
