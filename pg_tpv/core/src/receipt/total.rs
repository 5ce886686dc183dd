//! What the lines come to, and whether that is what was printed.

use rust_decimal::Decimal;

use super::declaration::Declaration;
use super::finding::Findings;
use super::{Line, Receipt};
use crate::problem::Place;

/// `price × quantity`, rounded half away from zero to cents. None when the exact product does not
/// fit 128 bits.
pub(super) fn line_total(price: Decimal, quantity: Decimal) -> Option<Decimal> {
    let (cents, _exact) = cents(price, quantity)?;
    Decimal::try_from_i128_with_scale(cents, 2).ok()
}

/// The product in cents, and whether it is a whole number of them. In integers, because a decimal
/// product of more than 28 digits is rounded before one asks.
fn cents(price: Decimal, quantity: Decimal) -> Option<(i128, bool)> {
    let product = price.mantissa().checked_mul(quantity.mantissa())?;
    let scale = price.scale() + quantity.scale();
    if scale <= 2 {
        return Some((product.checked_mul(10_i128.pow(2 - scale))?, true));
    }
    let divisor = 10_i128.checked_pow(scale - 2)?;
    let (cents, rest) = (product / divisor, product % divisor);
    let up = if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) { rest.signum() } else { 0 };
    Some((cents + up, rest == 0))
}

/// Whether the terminal had to round this line, and may have rounded otherwise than we do.
fn is_weighed(line: &Line) -> bool {
    !line.quantity.fract().is_zero() || cents(line.price, line.quantity).is_none_or(|(_, exact)| !exact)
}

/// Compares the printed total with the lines. One cent for each weighed line is rounding; the
/// printed total stands, as that is what the customer saw.
pub(super) fn check(receipt: &Receipt, declaration: &Declaration, f: &mut Findings) {
    if receipt.total_difference.is_zero() {
        return;
    }
    let weighed = receipt.items.iter().filter(|line| is_weighed(line)).count();
    let tolerance =
        Decimal::new(i64::from(declaration.total_tolerance_cents), 2) + Decimal::from(weighed) * Decimal::new(1, 2);
    if receipt.total_difference.abs() <= tolerance {
        f.flag("ROUNDING");
    } else {
        f.problem("TOTAL_MISMATCH", &Place::Root.key("total"), "the printed total is not the sum of the lines");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(price: &str, quantity: &str) -> String {
        line_total(price.parse().unwrap(), quantity.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_line_is_rounded_half_away_from_zero() {
        for (price, quantity, expected) in [
            ("12.90", "0.455", "5.87"),
            ("1.005", "1", "1.01"),
            ("-1.005", "1", "-1.01"),
            ("1.005", "-1", "-1.01"),
            ("1.01", "0.5", "0.51"),
            ("0.01", "0.499", "0.00"),
            ("3", "2", "6.00"),
            ("1.00", "0.0049999999999999999999999999", "0.00"),
            ("1.00", "0.0050000000000000000000000000", "0.01"),
        ] {
            assert_eq!(total(price, quantity), expected, "{price} × {quantity}");
        }
    }

    #[test]
    fn a_product_that_can_not_be_exact_is_none() {
        let quantity = Decimal::from_str_exact("12345678901.12345678901234567").unwrap();
        assert_eq!(line_total(Decimal::new(99_999_999_999_999, 4), quantity), None);
    }
}
