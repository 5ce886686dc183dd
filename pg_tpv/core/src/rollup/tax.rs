//! The part of an amount that is tax.

/// Who says the tax rate of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// It was printed.
    Receipt,
    /// The product has it in the catalog.
    Product,
    /// The department has it.
    Department,
    /// Nobody says it.
    Unknown,
}

impl Source {
    /// The word in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Product => "product",
            Self::Department => "department",
            Self::Unknown => "unknown",
        }
    }

    /// The source of that word. A word that nobody knows says nothing.
    pub fn of(word: &str) -> Self {
        match word {
            "receipt" => Self::Receipt,
            "product" => Self::Product,
            "department" => Self::Department,
            _ => Self::Unknown,
        }
    }
}

/// What the catalog says of a code whose rate was not printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The rate, if somebody says one.
    pub rate: Option<i32>,
    /// Who says it.
    pub source: Source,
}

impl Guess {
    /// Nobody says anything.
    pub const NONE: Self = Self { rate: None, source: Source::Unknown };
}

/// A whole, in hundredths of a percent.
const WHOLE: i128 = 10_000;

/// An amount without the tax that is in it, rounded half away from zero; none for a rate that takes away all
/// there is.
pub fn net(gross: i128, rate: i32) -> Option<i128> {
    let divisor = WHOLE + i128::from(rate);
    if divisor <= 0 {
        return None;
    }
    let (scaled, half) = (gross.checked_mul(2 * WHOLE)?, divisor);
    Some((scaled.abs() + half) / (2 * divisor) * scaled.signum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::{Decimal, RoundingStrategy};

    use super::*;

    #[test]
    fn half_a_cent_is_rounded_away_from_zero() {
        // 1.05 with 110 % in it is 0.50; 0.21 is 0.10.
        assert_eq!(net(105, 11_000), Some(50));
        assert_eq!(net(1, 10_000), Some(1));
        assert_eq!(net(-1, 10_000), Some(-1));
        assert_eq!(net(121, 2100), Some(100));
        assert_eq!(net(0, 2100), Some(0));
        assert_eq!(net(100, -10_000), None);
    }

    proptest! {
        #[test]
        fn it_is_what_decimal_arithmetic_says(gross in -1_000_000_000_i64..1_000_000_000, rate in 0..10_000_i32) {
            let exact = Decimal::new(gross, 2) * Decimal::from(100) / (Decimal::from(100) + Decimal::new(rate.into(), 2));
            let rounded = exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(net(gross.into(), rate), Some((rounded * Decimal::from(100)).try_into().unwrap()));
        }
    }
}
