//! The sums of a bucket: a function of its receipts, whatever their order but for what an item is called.

use std::collections::{BTreeMap, BTreeSet};

use super::receipt::{Line, Receipt};
use super::restated::Counts;
use super::tax::{Guess, Source, net};
use crate::receipt::State;

/// What the codes of a bucket mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What was sold.
    pub key: String,
    /// The tax rate where the receipt says none.
    pub guess: Guess,
}

/// An amount, and what of it is no tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// With tax.
    pub gross: i128,
    /// Without tax.
    pub net: i128,
    /// The tax.
    pub tax: i128,
    /// Amounts whose rate nobody says, with tax: no part of net and tax.
    pub without_rate: i128,
}

/// An hour of the store's wall clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Receipts that count.
    pub tickets: i64,
    /// Receipts that are voided.
    pub voided: i64,
    /// Lines.
    pub lines: i64,
    /// Pieces.
    pub units: i64,
    /// Their amounts.
    pub amounts: Amounts,
    /// The part of the tax whose rate no receipt says.
    pub guessed_tax: i128,
}

/// A terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Receipts that count and never waited.
    pub accepted: i64,
    /// Receipts that count since a person released them.
    pub released: i64,
    /// Receipts that wait.
    pub held: i64,
    /// Receipts that are voided.
    pub voided: i64,
    /// Receipts that came after their day was closed.
    pub late: i64,
    /// Lines.
    pub lines: i64,
    /// Their amounts.
    pub amounts: Amounts,
    /// Printed totals of those that wait.
    pub held_total: i128,
    /// Printed totals of those that are voided.
    pub voided_total: i128,
    /// Seconds from print to the database, of all.
    pub waited: i64,
    /// The most of them.
    pub waited_most: i64,
}

/// An item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemDay {
    /// Lines.
    pub lines: i64,
    /// Quantities above zero.
    pub sold: i128,
    /// Quantities below zero, as a number above it.
    pub returned: i128,
    /// Their amounts.
    pub amounts: Amounts,
}

/// A tax rate and who says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// Receipts that have it.
    pub receipts: i64,
    /// Lines.
    pub lines: i64,
    /// With tax.
    pub gross: i128,
    /// Without tax.
    pub net: i128,
}

/// What an item was called on the last receipt that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The code there.
    pub code: String,
    /// The description there.
    pub description: String,
    /// Whether some line does not say its tax rate.
    pub is_guessed: bool,
}

/// All sums of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Lines.
    pub lines: i64,
    /// Lines whose rate no receipt says.
    pub guessed_lines: i64,
    /// By hour.
    pub hours: BTreeMap<i16, Hour>,
    /// By terminal.
    pub terminals: BTreeMap<String, Terminal>,
    /// By item.
    pub items: BTreeMap<String, ItemDay>,
    /// By rate and source.
    pub taxes: BTreeMap<(Option<i32>, Source), Tax>,
    /// Of receipts in whatever state.
    pub seen: BTreeMap<String, Seen>,
}

impl Sums {
    /// The receipts, by state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for terminal in self.terminals.values() {
            counts.released += terminal.released;
            counts.held += terminal.held;
            counts.voided += terminal.voided;
            counts.receipts += terminal.accepted + terminal.released + terminal.held + terminal.voided;
        }
        counts
    }
}

/// Sums up receipts. The last receipt says what an item is called. `meaning` knows every code; one that it
/// does not know has no rate and is an item by itself.
pub fn sum<'m>(receipts: &[Receipt], meaning: impl Fn(&str) -> Option<&'m Item>) -> Sums {
    let mut sums = Sums::default();
    // By item and rate, since a day's lines of an item are rounded once.
    let mut item_rates: BTreeMap<(String, Option<i32>), i128> = BTreeMap::new();
    for receipt in receipts {
        let meanings: Vec<_> = receipt.lines.iter().map(|line| Meaning::of(line, meaning(&line.code))).collect();
        sums.lines += as_count(receipt.lines.len());
        sums.guessed_lines += as_count(meanings.iter().filter(|meaning| meaning.source != Source::Receipt).count());
        for (line, meaning) in receipt.lines.iter().zip(&meanings) {
            let before = sums.seen.get(meaning.item).is_some_and(|seen| seen.is_guessed);
            let is_guessed = before || meaning.source != Source::Receipt;
            let seen = Seen { code: line.code.clone(), description: line.description.clone(), is_guessed };
            sums.seen.insert(meaning.item.to_owned(), seen);
        }
        note_terminal(sums.terminals.entry(receipt.terminal.clone()).or_default(), receipt);
        let hour = sums.hours.entry(receipt.hour).or_default();
        if !receipt.counts() {
            hour.voided += i64::from(receipt.state == State::Voided);
            continue;
        }
        let by_rate = ByRate::of(receipt, &meanings);
        let amounts = by_rate.amounts();
        hour.tickets += 1;
        hour.lines += as_count(receipt.lines.len());
        hour.units += receipt.lines.iter().map(Line::units).sum::<i64>();
        hour.amounts.add(amounts);
        hour.guessed_tax += by_rate.guessed_tax();
        let terminal = sums.terminals.entry(receipt.terminal.clone()).or_default();
        terminal.lines += as_count(receipt.lines.len());
        terminal.amounts.add(amounts);
        for (key, group) in &by_rate.0 {
            let tax = sums.taxes.entry(*key).or_default();
            tax.receipts += 1;
            tax.lines += group.lines;
            tax.gross += group.gross;
            tax.net += group.net;
        }
        for (line, meaning) in receipt.lines.iter().zip(&meanings) {
            let item = sums.items.entry(meaning.item.to_owned()).or_default();
            let quantity = i128::from(line.quantity.unwrap_or(0));
            item.lines += 1;
            item.sold += quantity.max(0);
            item.returned += (-quantity).max(0);
            *item_rates.entry((meaning.item.to_owned(), meaning.rate)).or_default() += i128::from(line.total);
        }
    }
    for ((item, rate), gross) in item_rates {
        let part = Amounts::at(gross, rate);
        sums.items.entry(item).or_default().amounts.add(part);
    }
    // Hours in which receipts only wait say nothing.
    sums.hours.retain(|_, hour| hour.tickets > 0 || hour.voided > 0);
    sums
}

/// What a line means.
struct Meaning<'m> {
    item: &'m str,
    rate: Option<i32>,
    source: Source,
}

impl<'m> Meaning<'m> {
    fn of(line: &'m Line, item: Option<&'m Item>) -> Self {
        let key = item.map_or(line.code.as_str(), |item| item.key.as_str());
        let guess = match line.rate {
            // Nobody can say what is left of it.
            Some(rate) if net(0, rate).is_some() => Guess { rate: Some(rate), source: Source::Receipt },
            Some(_) => Guess::NONE,
            None => item.map_or(Guess::NONE, |item| item.guess),
        };
        let rate = guess.rate.filter(|rate| net(0, *rate).is_some());
        Self { item: key, rate, source: if rate.is_some() { guess.source } else { Source::Unknown } }
    }
}

/// A receipt by rate and source.
struct ByRate(BTreeMap<(Option<i32>, Source), Group>);

#[derive(Default)]
struct Group {
    lines: i64,
    gross: i128,
    net: i128,
}

impl ByRate {
    fn of(receipt: &Receipt, meanings: &[Meaning<'_>]) -> Self {
        let mut groups: BTreeMap<_, Group> = BTreeMap::new();
        for (line, meaning) in receipt.lines.iter().zip(meanings) {
            let group = groups.entry((meaning.rate, meaning.source)).or_default();
            group.lines += 1;
            group.gross += i128::from(line.total);
        }
        // Each rate is rounded once. Where it is printed on some lines and guessed for others, the first source
        // is rounded by itself, the second together with it, and so on: what they add up to is right.
        let rates: BTreeSet<Option<i32>> = groups.keys().map(|(rate, _)| *rate).collect();
        for rate in rates.into_iter().flatten() {
            let (mut gross, mut net_before) = (0, 0);
            for (_, group) in groups.iter_mut().filter(|((of, _), _)| *of == Some(rate)) {
                gross += group.gross;
                let together = net(gross, rate).unwrap_or(gross);
                group.net = together - net_before;
                net_before = together;
            }
        }
        Self(groups)
    }

    fn amounts(&self) -> Amounts {
        let mut all = Amounts::default();
        for ((rate, _), group) in &self.0 {
            all.add(Amounts::of(*rate, group.gross, group.net));
        }
        all
    }

    fn guessed_tax(&self) -> i128 {
        let guessed = self.0.iter().filter(|((rate, source), _)| rate.is_some() && *source != Source::Receipt);
        guessed.map(|(_, group)| group.gross - group.net).sum()
    }
}

impl Amounts {
    fn at(gross: i128, rate: Option<i32>) -> Self {
        Self::of(rate, gross, rate.and_then(|rate| net(gross, rate)).unwrap_or(0))
    }

    fn of(rate: Option<i32>, gross: i128, net: i128) -> Self {
        match rate {
            Some(_) => Self { gross, net, tax: gross - net, without_rate: 0 },
            None => Self { gross, net: 0, tax: 0, without_rate: gross },
        }
    }

    fn add(&mut self, other: Self) {
        self.gross += other.gross;
        self.net += other.net;
        self.tax += other.tax;
        self.without_rate += other.without_rate;
    }
}

fn note_terminal(terminal: &mut Terminal, receipt: &Receipt) {
    match receipt.state {
        State::Accepted => terminal.accepted += 1,
        State::Released => terminal.released += 1,
        State::Held => {
            terminal.held += 1;
            terminal.held_total += i128::from(receipt.total);
        }
        State::Voided => {
            terminal.voided += 1;
            terminal.voided_total += i128::from(receipt.total);
        }
    }
    terminal.late += i64::from(receipt.is_late);
    terminal.waited = terminal.waited.saturating_add(receipt.waited);
    terminal.waited_most = terminal.waited_most.max(receipt.waited);
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
