//! What sums of a bucket are, whatever is in it.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::receipt::State;

const STATES: [State; 4] = [State::Accepted, State::Held, State::Released, State::Voided];
const SOURCES: [Source; 3] = [Source::Product, Source::Department, Source::Unknown];

fn line() -> impl Strategy<Value = Line> {
    let rate = prop::option::of(prop::sample::select(vec![0, 400, 1000, 2100]));
    let quantity = prop_oneof![Just(Some(1000)), Just(Some(-1000)), Just(None), (-5000..5000_i64).prop_map(Some)];
    (0..6_u8, rate, quantity, -2000..5000_i64).prop_map(|(code, rate, quantity, total)| Line {
        code: format!("{code}"),
        description: format!("goods {code}"),
        rate,
        quantity,
        total,
    })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let lines = prop::collection::vec(line(), 1..8);
    (prop::sample::select(STATES.to_vec()), 8..22_i16, 1..4_u8, any::<bool>(), 0..90_i64, lines).prop_map(
        |(state, hour, terminal, is_late, waited, lines)| Receipt {
            state,
            hour,
            terminal: format!("T0{terminal}"),
            is_late,
            total: lines.iter().map(|line| line.total).sum(),
            waited,
            lines,
        },
    )
}

/// Codes 0 and 1 are one item; of 5 nobody knows anything.
fn catalog() -> HashMap<String, Item> {
    let item = |code: usize| {
        let source = SOURCES[code % 3];
        let rate = (source != Source::Unknown).then_some(if code == 0 { 2100 } else { 1000 });
        (code.to_string(), Item { key: format!("item {}", code.max(1)), guess: Guess { rate, source } })
    };
    (0..5).map(item).collect()
}

fn summed(receipts: &[Receipt]) -> Sums {
    let catalog = catalog();
    sum(receipts, |code| catalog.get(code))
}

fn added<'a>(amounts: impl Iterator<Item = &'a Amounts>) -> [i128; 4] {
    amounts.fold([0; 4], |[gross, net, tax, without_rate], of| {
        [gross + of.gross, net + of.net, tax + of.tax, without_rate + of.without_rate]
    })
}

proptest! {
    #[test]
    fn hours_terminals_and_rates_add_up_to_the_same(receipts in prop::collection::vec(receipt(), 0..20)) {
        let sums = summed(&receipts);
        let hours = added(sums.hours.values().map(|hour| &hour.amounts));
        prop_assert_eq!(hours, added(sums.terminals.values().map(|terminal| &terminal.amounts)));
        let [gross, net, tax, without_rate] = hours;
        prop_assert_eq!(gross, net + tax + without_rate);
        prop_assert_eq!(gross, sums.taxes.values().map(|tax| tax.gross).sum::<i128>());
        prop_assert_eq!(net, sums.taxes.values().map(|tax| tax.net).sum::<i128>());
        prop_assert_eq!(gross, sums.items.values().map(|item| item.amounts.gross).sum::<i128>());
        prop_assert_eq!(without_rate, sums.items.values().map(|item| item.amounts.without_rate).sum::<i128>());
        let counted: Vec<_> = receipts.iter().filter(|receipt| receipt.counts()).collect();
        let exact: i64 = counted.iter().flat_map(|receipt| &receipt.lines).map(|line| line.total).sum();
        prop_assert_eq!(gross, i128::from(exact));
        prop_assert_eq!(sums.hours.values().map(|hour| hour.tickets).sum::<i64>(), counted.len() as i64);
        prop_assert_eq!(sums.counts().receipts, receipts.len() as i64);
        prop_assert_eq!(sums.lines, receipts.iter().map(|receipt| receipt.lines.len() as i64).sum::<i64>());
    }

    #[test]
    fn the_order_of_receipts_changes_nothing_but_names(mut receipts in prop::collection::vec(receipt(), 0..12)) {
        let forth = summed(&receipts);
        receipts.reverse();
        let back = summed(&receipts);
        prop_assert_eq!(Sums { seen: BTreeMap::new(), ..forth }, Sums { seen: BTreeMap::new(), ..back });
    }

    /// A receipt that is voided leaves the sums as if it had not been, but for the count of voids.
    #[test]
    fn what_is_voided_or_waits_is_in_no_amount(receipts in prop::collection::vec(receipt(), 1..12), place in any::<prop::sample::Index>()) {
        let place = place.index(receipts.len());
        for state in [State::Voided, State::Held] {
            let mut with = receipts.clone();
            with[place].state = state;
            let mut without = receipts.clone();
            without.remove(place);
            let (with, without) = (summed(&with), summed(&without));
            prop_assert_eq!(with.items, without.items);
            prop_assert_eq!(with.taxes, without.taxes);
            prop_assert_eq!(
                added(with.terminals.values().map(|terminal| &terminal.amounts)),
                added(without.terminals.values().map(|terminal| &terminal.amounts))
            );
        }
    }
}

fn one(lines: &[(&str, Option<i32>, i64)]) -> Receipt {
    let line = |(code, rate, total): &(&str, Option<i32>, i64)| Line {
        code: (*code).to_owned(),
        description: format!("goods {code}"),
        rate: *rate,
        quantity: Some(1000),
        total: *total,
    };
    let lines: Vec<Line> = lines.iter().map(line).collect();
    let total = lines.iter().map(|line| line.total).sum();
    Receipt { state: State::Accepted, hour: 9, terminal: "T01".into(), is_late: false, total, waited: 3, lines }
}

/// Each receipt is rounded once for a rate, however many of its lines say it, and whoever says it.
#[test]
fn a_rate_is_rounded_once_for_a_receipt() {
    // 0.10 at 21 % is 0.0826: three lines are 0.25, three receipts 0.24.
    let together = summed(&[one(&[("5", Some(2100), 10), ("5", Some(2100), 10), ("5", Some(2100), 10)])]);
    assert_eq!(together.hours[&9].amounts, Amounts { gross: 30, net: 25, tax: 5, without_rate: 0 });
    let apart = summed(&vec![one(&[("5", Some(2100), 10)]); 3]);
    assert_eq!(apart.hours[&9].amounts, Amounts { gross: 30, net: 24, tax: 6, without_rate: 0 });
    // What is printed is rounded by itself, what is guessed has the rest.
    let mixed = summed(&[one(&[("5", Some(2100), 10), ("0", None, 20)])]);
    assert_eq!(mixed.hours[&9].amounts.net, 25);
    assert_eq!(mixed.taxes[&(Some(2100), Source::Receipt)].net, 8);
    assert_eq!(mixed.taxes[&(Some(2100), Source::Product)].net, 17);
    assert_eq!(mixed.hours[&9].guessed_tax, 3);
    assert_eq!((mixed.lines, mixed.guessed_lines), (2, 1));
}

#[test]
fn what_nobody_says_a_rate_of_is_counted_apart() {
    let sums = summed(&[one(&[("2", None, 100), ("5", None, 50), ("4", None, 110)])]);
    assert_eq!(sums.hours[&9].amounts, Amounts { gross: 260, net: 100, tax: 10, without_rate: 150 });
    assert_eq!(sums.taxes[&(None, Source::Unknown)], Tax { receipts: 1, lines: 2, gross: 150, net: 0 });
    // A code without a meaning is an item by itself.
    assert_eq!(sums.items.keys().collect::<Vec<_>>(), ["5", "item 2", "item 4"]);
    // A rate that leaves nothing cannot be on a receipt, and is none.
    assert_eq!(summed(&[one(&[("5", Some(-10_000), 100)])]).hours[&9].amounts.without_rate, 100);
}

#[test]
fn pieces_are_counted_and_what_is_weighed_is_one() {
    let mut receipt = one(&[("1", None, 100), ("1", None, 100), ("1", None, -100), ("1", None, -50), ("1", None, 10)]);
    for (line, quantity) in receipt.lines.iter_mut().zip([Some(3000), Some(1350), Some(-2000), Some(-500), None]) {
        line.quantity = quantity;
    }
    let sums = summed(&[receipt]);
    assert_eq!(sums.hours[&9].units, 3 + 1 - 2 - 1 + 1);
    let item = &sums.items["item 1"];
    assert_eq!((item.sold, item.returned, item.lines), (4350, 2500, 5));
}

/// Hours in which receipts only wait are no rows, and terminals have all of theirs.
#[test]
fn receipts_that_wait_are_counted_for_their_terminal_only() {
    let held = Receipt { state: State::Held, is_late: true, ..one(&[("1", None, 500)]) };
    let sums = summed(&[held.clone(), Receipt { state: State::Voided, hour: 10, waited: 9, ..held }]);
    assert_eq!(sums.hours.keys().collect::<Vec<_>>(), [&10]);
    let terminal = &sums.terminals["T01"];
    assert_eq!((terminal.held, terminal.voided, terminal.late), (1, 1, 2));
    assert_eq!((terminal.held_total, terminal.voided_total), (500, 500));
    assert_eq!((terminal.waited, terminal.waited_most), (12, 9));
    assert_eq!(sums.counts(), Counts { receipts: 2, released: 0, held: 1, voided: 1 });
    assert!(sums.items.is_empty() && sums.taxes.is_empty());
    assert!(sums.seen["item 1"].is_guessed);
}
