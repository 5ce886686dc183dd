//! The state of a receipt: a fold over all documents about it, in whatever order they arrived.

use chrono::{DateTime, NaiveDate, Utc};

use super::body::{Hold, Intake};

/// What counts and what does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It counts.
    Accepted,
    /// It waits for a person.
    Held,
    /// It was held and counts now.
    Released,
    /// It does not count.
    Voided,
}

impl State {
    /// The word in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Released => "released",
            Self::Voided => "voided",
        }
    }
}

/// The state of a receipt, and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptState {
    /// The state.
    pub state: State,
    /// Why it was held, even if it no longer is.
    pub hold: Option<Hold>,
    /// What was odd about it, sorted.
    pub flags: Vec<String>,
    /// When it was printed, where the receipt alone does not tell.
    pub printed_at: Option<DateTime<Utc>>,
    /// The day on which it first arrived, where its printed date identifies nothing.
    pub arrived_on: Option<NaiveDate>,
}

/// The state of a receipt. `events` are the kinds and bodies of the documents about it. Their order
/// and their repetition change nothing: voided beats released beats held.
pub fn fold<'e>(events: impl IntoIterator<Item = (&'e str, &'e str)>) -> ReceiptState {
    let (mut voided, mut released) = (false, false);
    let mut intakes = Vec::new();
    for (kind, body) in events {
        match kind {
            "void" => voided = true,
            "release" => released = true,
            "intake" => intakes.push(body),
            _ => {}
        }
    }
    // A store ingests a receipt once. Should there ever be two bodies, the choice must not depend
    // on their order.
    let intake = intakes.into_iter().min().and_then(Intake::from_body).unwrap_or_default();
    let hold = intake.holds.into_iter().next();
    let undoes = intake.voids.is_some();
    let state = match (voided || undoes, released, &hold) {
        (true, ..) => State::Voided,
        (_, true, _) => State::Released,
        (_, _, Some(_)) => State::Held,
        _ => State::Accepted,
    };
    let (printed_at, arrived_on) = (intake.printed_at, intake.arrived_on);
    ReceiptState { state, hold, flags: intake.flags, printed_at, arrived_on }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INTAKE: (&str, &str) = (
        "intake",
        r#"{"about":"x","flags":["LATE"],"holds":[{"code":"TOTAL_MISMATCH","detail":"d","pointer":"/total"}]}"#,
    );

    #[test]
    fn nothing_said_means_accepted() {
        assert_eq!(fold([]).state, State::Accepted);
    }

    #[test]
    fn a_void_beats_a_release_beats_a_hold() {
        assert_eq!(fold([INTAKE]).state, State::Held);
        assert_eq!(fold([("release", "{}"), INTAKE]).state, State::Released);
        assert_eq!(fold([("void", "{}"), INTAKE, ("release", "{}")]).state, State::Voided);
    }

    #[test]
    fn a_released_receipt_still_says_why_it_was_held() {
        let folded = fold([INTAKE, ("release", "{}")]);
        assert_eq!(folded.hold.unwrap().code, "TOTAL_MISMATCH");
        assert_eq!(folded.flags, ["LATE"]);
    }

    #[test]
    fn a_ticket_that_undoes_another_counts_as_little_as_that_one() {
        let id = uuid::Uuid::nil();
        let body = Intake { voids: Some(id), ..Default::default() }.to_body(id);
        assert_eq!(fold([("intake", body.as_str())]).state, State::Voided);
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            events in proptest::sample::subsequence(
                vec![INTAKE, ("release", "{}"), ("void", "{}"), ("render", "{}"), ("intake", "{}"), INTAKE], 0..=6
            ).prop_shuffle()
        ) {
            let mut twice = events.clone();
            twice.extend(events.iter().rev().copied());
            prop_assert_eq!(fold(events.iter().copied()), fold(twice));
            let mut sorted = events.clone();
            sorted.sort_unstable();
            prop_assert_eq!(fold(events), fold(sorted));
        }
    }
}
