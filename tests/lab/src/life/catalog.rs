//! What the chain sells: products, their codes, prices and taxes.

use std::borrow::Cow;

use chrono::{Days, NaiveDate};

use super::barcode::with_check_digit;
use super::goods::{GOODS, Goods, KINDS, SIZES, Sold};
use super::plan::Plan;
use crate::dice::Dice;
use crate::store::BASKETS;

/// A tax. A rate holds from its first day until the next one, in hundredths of a percent.
#[derive(Clone, Debug)]
pub struct Tax {
    /// Short name.
    pub code: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// From a business day on.
    pub rates: Vec<(NaiveDate, i64)>,
}

/// What stands on the goods, or what the clerk keys in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// 8 or 13 digits, the same on every piece.
    Gtin(String),
    /// A scale's label with the price in it; five digits of the item.
    PriceLabel(String),
    /// A scale's label with the weight in it; five digits of the item.
    WeightLabel(String),
    /// The number that the clerk keys in.
    Local(String),
}

/// A product.
#[derive(Clone, Debug)]
pub struct Product {
    /// The chain's own number.
    pub sku: String,
    /// As terminals print it.
    pub description: Cow<'static, str>,
    /// Place of its department in the list of departments.
    pub department: usize,
    /// What is scanned or keyed in.
    pub code: Code,
    /// Sold by weight.
    pub is_weighed: bool,
    /// Prices in cents, each from a day of the life on.
    pub prices: Vec<(u32, i64)>,
    /// Place of its tax in the list of taxes; none leaves it to the department.
    pub tax: Option<usize>,
    /// Whether the catalog knows it.
    pub is_listed: bool,
    /// The first day on which it is sold, and the day after the last one.
    pub sold_on: (u32, u32),
}

/// A basket of somebody real: product, quantity in thousandths.
pub type Sample = Vec<(u32, i64)>;

/// All of it.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// All taxes.
    pub taxes: Vec<Tax>,
    /// Those of departments first, by department and by how well they sell; then those of real baskets.
    pub products: Vec<Product>,
    /// For each department the places of its products, the best seller first.
    pub sellers: Vec<Sellers>,
    /// Real baskets.
    pub samples: Vec<Sample>,
}

/// The products of a department by how well they sell: the second half as well as the first, the
/// third a third as well.
#[derive(Clone, Debug)]
pub struct Sellers {
    first: u32,
    shares: Vec<u64>,
}

impl Sellers {
    fn new(first: usize, count: usize) -> Self {
        let mut sum = 0;
        let shares = (1..=count as u64).map(|rank| {
            sum += 1_000_000 / rank;
            sum
        });
        Self { first: first as u32, shares: shares.collect() }
    }

    /// One of them.
    pub fn pick(&self, dice: &mut Dice) -> u32 {
        let share = dice.below(*self.shares.last().unwrap_or(&1));
        self.first + self.shares.partition_point(|upto| *upto <= share) as u32
    }
}

impl Product {
    /// The catalog's price on a day of the life.
    pub fn price(&self, day: u32) -> i64 {
        self.prices.iter().rev().find(|(from, _)| *from <= day).map_or(100, |(_, cents)| *cents)
    }

    /// What documents call it in a department: the key of an item.
    pub fn item(&self, department: &str) -> String {
        match &self.code {
            Code::Gtin(digits) => format!("{digits:0>14}"),
            Code::PriceLabel(item) => format!("R:{PRICE_PREFIX}{item}"),
            Code::WeightLabel(item) => format!("R:{WEIGHT_PREFIX}{item}"),
            Code::Local(code) => format!("L:{department}:{code}"),
        }
    }
}

/// What labels with a price in them begin with.
pub const PRICE_PREFIX: &str = "21";
/// What labels with a weight in them begin with.
pub const WEIGHT_PREFIX: &str = "23";

impl Catalog {
    /// The catalog of a life.
    pub fn new(seed: u64, plan: &Plan) -> Self {
        let mut dice = Dice::for_actor(seed, 1);
        let mut catalog = Self { taxes: taxes(plan), products: Vec::new(), sellers: Vec::new(), samples: Vec::new() };
        for department in 0..plan.departments.min(GOODS.len()) {
            catalog.sellers.push(Sellers::new(catalog.products.len(), plan.products));
            for place in 0..plan.products {
                let product = catalog.product(department, place, plan, &mut dice);
                catalog.products.push(product);
            }
        }
        if plan.chances.sample > 0 {
            catalog.add_samples();
        }
        catalog
    }

    /// The rate of a tax on a business day.
    pub fn rate_on(&self, tax: usize, day: NaiveDate) -> Option<i64> {
        self.taxes[tax].rates.iter().rev().find(|(from, _)| *from <= day).map(|(_, rate)| *rate)
    }

    /// The place of a tax in the list.
    pub fn tax(&self, code: &str) -> Option<usize> {
        self.taxes.iter().position(|tax| tax.code == code)
    }

    fn product(&self, department: usize, place: usize, plan: &Plan, dice: &mut Dice) -> Product {
        let goods: &Goods = &GOODS[department][place % GOODS[department].len()];
        let (name, least, most, sold, tax) = *goods;
        let is_weighed = sold == Sold::Weighed;
        let nth = place / GOODS[department].len();
        let kind = KINDS[nth % KINDS.len()];
        let size = if is_weighed { "" } else { SIZES[(nth / KINDS.len() + nth) % SIZES.len()] };
        let description = [name, kind, size].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let number = self.products.len();
        Product {
            sku: format!("{:06}", 100_000 + number),
            description: Cow::Owned(description),
            department,
            code: code(department, place, is_weighed),
            is_weighed,
            prices: prices(dice.between(least as u64, most as u64) as i64, plan.days, dice),
            tax: tax.and_then(|tax| self.tax(tax)),
            is_listed: dice.below(1000) >= 30,
            sold_on: match dice.below(1000) {
                0..30 => (0, plan.days / 2),
                30..60 => (plan.days / 2, u32::MAX),
                _ => (0, u32::MAX),
            },
        }
    }

    /// The goods of the real baskets. No catalog knows them.
    fn add_samples(&mut self) {
        let mut known = std::collections::HashMap::new();
        for basket in BASKETS.iter() {
            let Ok(items) = serde_json::from_str::<serde_json::Value>(basket.items) else { continue };
            let mut sample = Sample::new();
            for item in items.as_array().into_iter().flatten() {
                let (Some(barcode), Some(description)) = (item["barcode"].as_str(), item["description"].as_str())
                else {
                    continue;
                };
                let whole =
                    |key: &str, unit: f64| item[key].as_f64().map_or(0, |number| (number * unit).round() as i64);
                let (price, quantity) = (whole("price", 100.0), whole("quantity", 1000.0));
                if price <= 0 || quantity <= 0 || quantity > 99_000 {
                    continue;
                }
                let place = *known.entry(barcode.to_owned()).or_insert_with(|| {
                    self.products.push(Product {
                        sku: barcode.to_owned(),
                        description: Cow::Owned(description.to_owned()),
                        department: usize::MAX,
                        code: Code::Gtin(barcode.to_owned()),
                        is_weighed: false,
                        prices: vec![(0, price)],
                        tax: None,
                        is_listed: false,
                        sold_on: (0, u32::MAX),
                    });
                    self.products.len() as u32 - 1
                });
                sample.push((place, quantity));
            }
            if !sample.is_empty() {
                self.samples.push(sample);
            }
        }
    }
}

fn code(department: usize, place: usize, is_weighed: bool) -> Code {
    // Codes of three digits are never the item digits of a label without their zeros, which have
    // four or five.
    let local = (place < 99).then(|| Code::Local(format!("{}{:02}", department + 1, place + 1)));
    let item = format!("{:05}", department * 10_000 + 1000 + place);
    match (is_weighed, place % 3) {
        (true, 0) => Code::PriceLabel(item),
        (true, 1) => Code::WeightLabel(item),
        (true, _) => local.unwrap_or(Code::PriceLabel(item)),
        (false, 0) if department == 0 => local.unwrap_or_else(|| gtin(department, place)),
        (false, _) => gtin(department, place),
    }
}

fn gtin(department: usize, place: usize) -> Code {
    Code::Gtin(match place % 11 {
        0 => with_check_digit(&format!("84{department}{place:04}")),
        _ => with_check_digit(&format!("8437{department:02}{place:06}")),
    })
}

/// Prices go up a little, twice or three times a year.
fn prices(base: i64, days: u32, dice: &mut Dice) -> Vec<(u32, i64)> {
    let mut prices = vec![(0, base)];
    let (mut day, mut cents) = (dice.between(20, 200) as u32, base);
    while day < days {
        cents += (cents * dice.below(6) as i64 / 100).max(1);
        prices.push((day, cents));
        day += dice.between(90, 200) as u32;
    }
    prices
}

fn taxes(plan: &Plan) -> Vec<Tax> {
    let begin = plan.first_day.checked_sub_days(Days::new(1000)).unwrap_or(plan.first_day);
    let tax = |code, name, rate, later: Option<i64>| {
        let later = later.map(|rate| (plan.rates_change_on, rate));
        Tax { code, name, rates: std::iter::once((begin, rate)).chain(later).collect() }
    };
    vec![
        tax("IVA21", "IVA general", 2100, None),
        tax("IVA10", "IVA reducido", 1000, None),
        tax("IVA4", "IVA superreducido", 400, None),
        tax("IVA5", "IVA de aceites y pastas", 500, Some(1000)),
        tax("IVA0", "IVA de alimentos básicos", 0, Some(400)),
    ]
}
