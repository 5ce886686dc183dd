//! What is bought.

use super::barcode::{MOST_IN_LABEL, label};
use super::catalog::{Code, PRICE_PREFIX, Product, WEIGHT_PREFIX};
use super::chain::Life;
use super::money::line_cents;
use super::place::{Prints, Terminal};
use super::ticket::Line;
use crate::dice::Dice;

/// How many lines tickets have: mostly one to five.
const LINES: [usize; 16] = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 13];

impl Life {
    /// The lines of a ticket that is printed on a day at a terminal.
    pub(super) fn basket(&self, terminal: &Terminal, day: u32, dice: &mut Dice) -> Vec<Line> {
        let chances = &self.plan.chances;
        if dice.below(1000) < chances.sample && !self.catalog.samples.is_empty() {
            let sample = dice.pick(&self.catalog.samples);
            let line = |(product, quantity): &(u32, i64)| {
                let price = self.catalog.products[*product as usize].price(day);
                self.line(terminal, day, *product, price, *quantity)
            };
            return sample.iter().map(line).collect();
        }
        let count = *dice.pick(&LINES);
        let mut lines: Vec<Line> = Vec::with_capacity(count + 1);
        for _ in 0..count {
            let line = self.bought(terminal, day, dice);
            lines.push(line);
        }
        if dice.below(1000) < chances.corrected {
            let wrong = lines[dice.below(lines.len() as u64) as usize].clone();
            // What is left may not come to nothing: a clerk would have thrown such a ticket away.
            let again = Line { quantity: -wrong.quantity, ..wrong.clone() };
            lines.push(wrong);
            lines.push(again);
        }
        lines
    }

    /// One or two lines of what is brought back.
    pub(super) fn brought_back(&self, terminal: &Terminal, day: u32, dice: &mut Dice) -> Vec<Line> {
        let count = dice.between(1, 2);
        let back = |line: Line| Line { quantity: -line.quantity, ..line };
        (0..count).map(|_| back(self.bought(terminal, day, dice))).collect()
    }

    fn bought(&self, terminal: &Terminal, day: u32, dice: &mut Dice) -> Line {
        let product = self.sold_on(terminal, day, dice);
        let of = &self.catalog.products[product as usize];
        let quantity = match of.is_weighed {
            true => dice.between(80, 1900) as i64,
            false => *dice.pick(&[1000, 1000, 1000, 1000, 1000, 2000, 2000, 3000, 4000, 6000]),
        };
        let mut price = of.price(day);
        if dice.below(1000) < self.plan.chances.other_price {
            price = (price * *dice.pick(&[80, 90, 105, 0]) / 100).max(0);
        }
        self.line(terminal, day, product, price, quantity)
    }

    /// A product that is on the shelves that day.
    fn sold_on(&self, terminal: &Terminal, day: u32, dice: &mut Dice) -> u32 {
        let sellers = &self.catalog.sellers[terminal.department];
        for _ in 0..8 {
            let product = sellers.pick(dice);
            let (from, until) = self.catalog.products[product as usize].sold_on;
            if (from..until).contains(&day) {
                return product;
            }
        }
        sellers.pick(dice)
    }

    fn line(&self, terminal: &Terminal, day: u32, product: u32, price: i64, quantity: i64) -> Line {
        let of = &self.catalog.products[product as usize];
        let code = code(of, price, quantity);
        Line { product, code, price, quantity, rate: self.printed_rate(terminal, of, day) }
    }

    /// What the terminal prints. It knows the taxes of the catalog, by day.
    fn printed_rate(&self, terminal: &Terminal, product: &Product, day: u32) -> Option<i64> {
        let day = match terminal.prints {
            Prints::NoRates => return None,
            Prints::SomeRates if !matches!(product.code, Code::Gtin(_)) => return None,
            Prints::OldRates => self.plan.day(day) - chrono::Duration::days(3),
            Prints::Rates | Prints::SomeRates => self.plan.day(day),
        };
        let tax = product.tax.or(self.departments[terminal.department].tax)?;
        self.catalog.rate_on(tax, day)
    }
}

/// What is printed: labels say what the line comes to, or what it weighs.
fn code(product: &Product, price: i64, quantity: i64) -> String {
    match &product.code {
        Code::Gtin(code) | Code::Local(code) => code.clone(),
        Code::PriceLabel(item) => label(PRICE_PREFIX, item, line_cents(price, quantity).min(MOST_IN_LABEL)),
        Code::WeightLabel(item) => label(WEIGHT_PREFIX, item, quantity.min(MOST_IN_LABEL)),
    }
}
