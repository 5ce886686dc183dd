//! The tables of schema `rollup`, as sums that can be added up. Amounts in cents, quantities in
//! thousandths, rates in hundredths of a percent.

#![allow(missing_docs, reason = "fields are columns, and the comments of the tables explain those")]

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::NaiveDate;

use crate::life::money::net_cents;

/// A business day of a department of a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BucketKey {
    pub node_id: i32,
    pub date: NaiveDate,
    pub department: &'static str,
}

/// An amount and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub gross: i64,
    pub net: i64,
    pub tax: i64,
    pub without_rate: i64,
}

/// A row of `rollup.bucket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    pub receipts: i64,
    pub lines: i64,
    pub guessed_lines: i64,
    pub is_closed: bool,
}

/// A row of `rollup.sales_hour`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub tickets: i64,
    pub voided: i64,
    pub lines: i64,
    pub units: i64,
    pub amounts: Amounts,
    pub guessed_tax: i64,
}

/// A row of `rollup.item_day`. What it comes to by rate is kept, since it is rounded once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemDay {
    pub lines: i64,
    pub sold: i64,
    pub returned: i64,
    pub gross_by_rate: BTreeMap<Option<i64>, i64>,
    pub amounts: Amounts,
}

/// A row of `rollup.item`, but for the code on the last receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSeen {
    pub description: String,
    pub first_on: NaiveDate,
    pub last_on: NaiveDate,
}

/// A row of `rollup.tax_day`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxDay {
    pub receipts: i64,
    pub lines: i64,
    pub gross: i64,
    pub net: i64,
    pub tax: i64,
}

/// A row of `rollup.terminal_day`, but for the times that files waited, which no plan knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalDay {
    pub accepted: i64,
    pub released: i64,
    pub held: i64,
    pub voided: i64,
    pub late: i64,
    pub lines: i64,
    pub amounts: Amounts,
    pub held_total: i64,
    pub voided_total: i64,
}

/// All tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub bucket: BTreeMap<BucketKey, Bucket>,
    pub sales_hour: BTreeMap<(BucketKey, u32), Hour>,
    pub item_day: BTreeMap<(BucketKey, String), ItemDay>,
    pub item: BTreeMap<(i32, &'static str, String), ItemSeen>,
    pub tax_day: BTreeMap<(BucketKey, Option<i64>, &'static str), TaxDay>,
    pub terminal_day: BTreeMap<(BucketKey, String), TerminalDay>,
}

impl Amounts {
    /// What is in an amount at a rate; none when nobody says it.
    pub fn at(gross: i64, rate: Option<i64>) -> Self {
        match rate {
            Some(rate) => {
                let net = net_cents(gross, rate);
                Self { gross, net, tax: gross - net, without_rate: 0 }
            }
            None => Self { gross, net: 0, tax: 0, without_rate: gross },
        }
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        self.gross += other.gross;
        self.net += other.net;
        self.tax += other.tax;
        self.without_rate += other.without_rate;
    }
}

impl Figures {
    /// Rounds the sums of items, of which each is a day's. To be called once all are in.
    pub(super) fn round_items(&mut self) {
        for item in self.item_day.values_mut() {
            item.amounts = Amounts::default();
            for (rate, gross) in &item.gross_by_rate {
                item.amounts += Amounts::at(*gross, *rate);
            }
        }
    }

    /// What was sold in all, in cents.
    pub fn gross(&self) -> i64 {
        self.sales_hour.values().map(|hour| hour.amounts.gross).sum()
    }
}
