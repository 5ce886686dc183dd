//! A receipt by tax rate.

use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};

use crate::receipt::Line;

/// What a receipt comes to at one rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxTotal {
    /// Percent; none for lines whose terminal did not say.
    pub rate: Option<Decimal>,
    /// With tax.
    pub total: Decimal,
    /// Without tax; none when the rate is not known.
    pub net: Option<Decimal>,
}

/// One total for each rate, in the order of rates, the unknown one first. Prices hold the tax, so the net amount is
/// what is rounded, once for each rate: the totals add up to the lines to the cent.
pub fn by_rate(lines: &[Line]) -> Vec<TaxTotal> {
    let mut totals: Vec<TaxTotal> = Vec::new();
    for line in lines {
        match totals.iter_mut().find(|total| total.rate == line.tax_rate) {
            Some(total) => total.total += line.total,
            None => totals.push(TaxTotal { rate: line.tax_rate, total: line.total, net: None }),
        }
    }
    totals.sort_unstable_by_key(|total| total.rate);
    for total in &mut totals {
        total.net = total.rate.and_then(|rate| net(total.total, rate));
    }
    totals
}

fn net(total: Decimal, rate: Decimal) -> Option<Decimal> {
    let hundred = Decimal::ONE_HUNDRED;
    let net = (total * hundred).checked_div(hundred + rate)?;
    Some(net.round_dp_with_strategy(2, MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(total: &str, rate: Option<&str>) -> Line {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        Line {
            barcode: String::new(),
            gtin14: None,
            description: String::new(),
            price: number(total),
            quantity: Decimal::ONE,
            tax_rate: rate.map(number),
            total: number(total),
        }
    }

    #[test]
    fn net_is_rounded_once_for_each_rate() {
        let totals = by_rate(&[line("1.10", Some("10")), line("1.21", Some("21")), line("1.10", Some("10"))]);
        let shown: Vec<_> = totals.iter().map(|t| (t.total.to_string(), t.net.unwrap().to_string())).collect();
        assert_eq!(shown, [("2.20".into(), "2.00".into()), ("1.21".to_string(), "1.00".to_string())]);
    }

    #[test]
    fn ten_and_ten_point_nought_are_one_rate() {
        assert_eq!(by_rate(&[line("1", Some("10")), line("1", Some("10.0"))]).len(), 1);
    }

    #[test]
    fn lines_without_a_rate_have_no_net() {
        assert_eq!(by_rate(&[line("5.00", None)]), [TaxTotal { rate: None, total: 5.into(), net: None }]);
    }
}
