//! Which numbers may be money, quantities and rates. No float is ever made of them; what a
//! terminal's float left behind is recognised and taken back.

use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};

use super::canonical::plain;
use super::declaration::Declaration;
use super::finding::Findings;
use crate::json::Value;
use crate::problem::Place;

/// A kind of number in a receipt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    /// How many decimals it may have.
    decimals: u32,
    /// The magnitude it must stay below, which is what its column holds.
    below: i64,
    /// The code for more decimals, when a float does not explain them.
    too_fine: &'static str,
}

/// `numeric(14,2)`
pub(super) const TOTAL: Amount = Amount { decimals: 2, below: 1_000_000_000_000, too_fine: "PRICE_SCALE" };
/// `numeric(14,3)`. Too fine a quantity is held, not refused: the goods are weighed and the money
/// is known.
pub(super) const QUANTITY: Amount = Amount { decimals: 3, below: 100_000_000_000, too_fine: "QUANTITY_SCALE" };
/// A percentage.
pub(super) const TAX_RATE: Amount = Amount { decimals: 2, below: 101, too_fine: "NUMBER_RANGE" };

/// `numeric(14,4)`, with as many decimals as the terminal declares.
pub(super) fn price(declaration: &Declaration) -> Amount {
    Amount { decimals: declaration.price_decimals, below: 10_000_000_000, too_fine: "PRICE_SCALE" }
}

/// How far from an allowed number a float may have strayed.
const FLOAT_ERROR: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

impl Amount {
    /// Whether the column for such a number holds this one.
    pub(super) fn holds(self, number: Decimal) -> bool {
        number.abs() < Decimal::from(self.below)
    }

    /// Whether the column holds it as it is, without rounding.
    pub(super) fn fits(self, number: Decimal) -> bool {
        number.scale() <= self.decimals && self.holds(number)
    }

    /// Reads a number, and leaves it in its canonical form in the tree.
    pub(super) fn read(
        self,
        value: &mut Value,
        place: &Place<'_>,
        declaration: &Declaration,
        f: &mut Findings,
    ) -> Option<Decimal> {
        if let Value::String(text) = value
            && declaration.decimal_comma
        {
            *value = Value::Number(from_decimal_comma(text, place, f)?);
        }
        let Value::Number(text) = value else {
            return f.refuse("TYPE", place, "this must be a number");
        };
        // What fails here is no plain number, and was recorded when the tree was normalised.
        let written = Decimal::from_str_exact(text).ok()?;
        if !self.holds(written) {
            return f.refuse("NUMBER_RANGE", place, "this number is too large");
        }
        let rounded = written.round_dp_with_strategy(self.decimals, MidpointAwayFromZero);
        if rounded == written {
            return Some(written);
        }
        if (written - rounded).abs() > FLOAT_ERROR {
            f.problem(self.too_fine, place, format!("this number has more than {} decimals", self.decimals));
            return Some(written);
        }
        f.flag("FLOAT_ARTEFACT");
        let meant = if rounded.is_zero() { Decimal::ZERO } else { rounded.normalize() };
        *text = meant.to_string();
        Some(meant)
    }
}

/// A number as text with a decimal comma: an optional minus, digits, and at most one comma with
/// digits behind it. A point or a thousands separator is never guessed at.
fn from_decimal_comma(text: &str, place: &Place<'_>, f: &mut Findings) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once(',').unwrap_or((digits, "0"));
    if ![whole, fraction].into_iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
        return f.refuse("TYPE", place, "this must be a number, or digits with a decimal comma");
    }
    let whole = whole.trim_start_matches('0');
    match plain(&format!("{sign}{}.{fraction}", if whole.is_empty() { "0" } else { whole })) {
        Ok(plain) => Some(plain),
        Err(detail) => f.refuse("NUMBER_FORMAT", place, detail),
    }
}
