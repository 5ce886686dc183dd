//! What holds for every life.

use std::collections::HashSet;

use chrono::NaiveDate;
use tpv_core::receipt::{Declaration, Outcome, parse};

use super::money::line_cents;
use super::truth::{State, Truth};
use super::{Event, Fate, Life, Plan, What};

fn life(seed: u64) -> Life {
    Life::new(seed, &Plan::small(NaiveDate::from_ymd_opt(2026, 3, 26).unwrap()))
}

fn is_held(fate: Fate) -> bool {
    matches!(fate, Fate::Held(_))
}

#[test]
fn the_same_seed_tells_the_same_life_and_another_one_another() {
    let all = |seed| -> Vec<(i64, usize, String)> {
        let text = |event: Event| (event.at, event.store, format!("{:?}", event.what));
        life(seed).events().into_iter().map(text).collect()
    };
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

#[test]
fn everything_happens_in_a_small_life() {
    let life = life(3);
    let events = life.events();
    let tickets: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::File(file) if !file.is_repeat => Some(&file.ticket),
            _ => None,
        })
        .collect();
    assert!(tickets.len() > 1000, "{}", tickets.len());
    let of = |fate: fn(Fate) -> bool| tickets.iter().filter(|ticket| fate(ticket.fate)).count();
    assert!(of(|fate| fate == Fate::Undoes) > 5);
    assert_eq!(of(|fate| fate == Fate::Undoes), of(|fate| fate == Fate::Undone));
    assert!(of(is_held) > 5);
    assert!(of(|fate| matches!(fate, Fate::Voided(_))) > 5);
    assert!(tickets.iter().filter(|ticket| life.is_late(ticket)).count() > 5);
    assert!(events.iter().any(|event| matches!(&event.what, What::File(file) if file.is_repeat)));
    assert!(tickets.iter().any(|ticket| ticket.lines.iter().any(|line| line.rate.is_some())));
    assert!(tickets.iter().any(|ticket| ticket.fate == Fate::Counts && ticket.total < 0));
}

#[test]
fn every_file_is_what_the_plan_says() {
    for seed in 0..4 {
        let life = life(seed);
        for event in life.events() {
            let What::File(file) = event.what else { continue };
            let verdict = parse(&file.bytes, &Declaration::default(), &tpv_core::receipt::Limits::default());
            let expected = if is_held(file.ticket.fate) { Outcome::Held } else { Outcome::Accepted };
            assert_eq!(verdict.outcome, expected, "{:?} {}", verdict.problems, String::from_utf8_lossy(&file.bytes));
            let receipt = verdict.receipt.unwrap();
            let cents = |number: &str| number.replace('.', "").parse::<i64>().unwrap();
            assert_eq!(cents(&format!("{:.2}", receipt.total)), file.ticket.total);
            assert_eq!(receipt.items.len(), file.ticket.lines.len());
            for (line, planned) in receipt.items.iter().zip(&file.ticket.lines) {
                assert_eq!(cents(&format!("{:.2}", line.total)), line_cents(planned.price, planned.quantity));
                assert_eq!(cents(&format!("{:.3}", line.quantity)), planned.quantity);
                assert_eq!(line.tax_rate.map(|rate| cents(&format!("{rate:.2}"))), planned.rate);
            }
        }
    }
}

#[test]
fn a_ticket_becomes_what_its_fate_says() {
    for seed in 10..20 {
        let life = life(seed);
        let truth = Truth::of(&life, &life.events());
        for booked in truth.booked() {
            let expected = match booked.ticket.fate {
                Fate::Counts => State::Accepted,
                Fate::Undone | Fate::Undoes | Fate::Voided(_) | Fate::Held(Some((super::Decision::Void, _))) => {
                    State::Voided
                }
                Fate::Held(Some((super::Decision::Release, _))) => State::Released,
                Fate::Held(None) => State::Held,
            };
            assert_eq!(booked.state, expected, "seed {seed}: {:?}", booked.ticket);
            assert_eq!(booked.is_late, life.is_late(&booked.ticket), "seed {seed}: {:?}", booked.ticket);
        }
    }
}

#[test]
fn no_two_tickets_of_a_terminal_have_one_number_on_one_day() {
    let life = life(5);
    let mut keys = HashSet::new();
    for store in 0..life.stores.len() {
        for day in 0..life.plan.days {
            assert!(life.day(store, day).into_iter().all(|ticket| keys.insert(ticket.key())));
        }
    }
}

#[test]
fn figures_of_the_chain_are_those_of_its_stores() {
    let life = life(6);
    let truth = Truth::of(&life, &life.events());
    let all = truth.figures();
    let gross: i64 = (0..life.stores.len()).map(|store| truth.figures_of(|of| of == store).gross()).sum();
    assert_eq!(all.gross(), gross);
    let counted: i64 = truth
        .booked()
        .filter(|booked| booked.counts())
        .flat_map(|booked| &booked.ticket.lines)
        .map(|line| line_cents(line.price, line.quantity))
        .sum();
    assert_eq!(gross, counted);
    for hour in all.sales_hour.values() {
        let amounts = hour.amounts;
        assert_eq!(amounts.gross, amounts.net + amounts.tax + amounts.without_rate);
    }
    let by_terminal: i64 = all.terminal_day.values().map(|day| day.amounts.tax).sum();
    let by_rate: i64 = all.tax_day.values().map(|day| day.tax).sum();
    assert_eq!(by_terminal, by_rate);
    let by_item: i64 = all.item_day.values().map(|item| item.amounts.gross).sum();
    assert_eq!(by_item, gross);
}

#[test]
fn repeats_and_the_order_of_stores_change_no_figure() {
    let life = life(7);
    let events = life.events();
    let once: Vec<_> =
        events.iter().filter(|event| !matches!(&event.what, What::File(file) if file.is_repeat)).collect();
    let expected = Truth::of(&life, &events).figures();
    assert_eq!(Truth::of(&life, once).figures(), expected);
    let store_by_store = (0..life.stores.len()).flat_map(|store| life.events_of(store)).collect::<Vec<_>>();
    assert_eq!(Truth::of(&life, &store_by_store).figures(), expected);
}

#[test]
fn rates_change_on_their_day() {
    let life = life(8);
    let rates: HashSet<_> = Truth::of(&life, &life.events())
        .figures()
        .tax_day
        .keys()
        .map(|(key, rate, _)| (key.date < life.plan.rates_change_on, *rate))
        .collect();
    assert!(rates.contains(&(true, Some(0))) && rates.contains(&(true, Some(500))));
    assert!(rates.contains(&(false, Some(400))) && rates.contains(&(false, None)));
}
