//! Cents, thousandths and hundredths of a percent, all of them integers.

/// `numerator / denominator`, rounded half away from zero. The denominator is above zero.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest.abs() * 2 >= denominator;
    whole + if up { numerator.signum() } else { 0 }
}

/// What a line comes to: cents a piece or kilogram, times thousandths of one.
pub fn line_cents(price: i64, quantity: i64) -> i64 {
    narrow(rounded(i128::from(price) * i128::from(quantity), 1000))
}

/// An amount without the tax in it; `rate` in hundredths of a percent.
pub fn net_cents(gross: i64, rate: i64) -> i64 {
    narrow(rounded(i128::from(gross) * 10_000, 10_000 + i128::from(rate)))
}

/// No sum of a life comes near the limit.
fn narrow(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Cents as `-3.49`.
pub fn cents_text(cents: i64) -> String {
    fixed(cents, 2)
}

/// Thousandths as `0.455`, all three decimals.
pub fn milli_text(milli: i64) -> String {
    fixed(milli, 3)
}

/// Hundredths of a percent as `10.00`.
pub fn rate_text(rate: i64) -> String {
    fixed(rate, 2)
}

fn fixed(number: i64, decimals: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let unit = 10_u64.pow(decimals as u32);
    let (whole, rest) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
    format!("{sign}{whole}.{rest:0decimals$}")
}

/// A number without idle zeros: `1`, `0.455`, `10`.
pub fn short(number: i64, decimals: usize) -> String {
    let text = fixed(number, decimals);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(line_cents(1290, 455), 587);
        assert_eq!(line_cents(101, 500), 51);
        assert_eq!(line_cents(101, -500), -51);
        assert_eq!(line_cents(1, 499), 0);
        assert_eq!(net_cents(121, 2100), 100);
        assert_eq!(net_cents(1, 10_000), 1);
        assert_eq!(net_cents(-1, 10_000), -1);
        assert_eq!(net_cents(110, 1000), 100);
        assert_eq!(net_cents(-99, 400), -95);
    }

    #[test]
    fn numbers_are_written_as_people_and_terminals_do() {
        assert_eq!(cents_text(-5), "-0.05");
        assert_eq!(milli_text(1455), "1.455");
        assert_eq!(short(-2000, 3), "-2");
        assert_eq!(short(455, 3), "0.455");
        assert_eq!(short(1000, 2), "10");
        assert_eq!(short(0, 2), "0");
    }
}
