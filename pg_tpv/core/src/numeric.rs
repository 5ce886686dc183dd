//! A decimal number as PostgreSQL stores it in a `numeric`, without the length before it. The
//! format lies on the disk of every database since 9.1 and is not going to change; making it by
//! PostgreSQL's arithmetic costs a division a number.
//!
//! Two bytes say sign, decimals that are shown and the weight of the first digit; digits to the
//! base 10,000 follow.

const SHORT: u16 = 0x8000;
const NEGATIVE: u16 = 0x2000;
const DECIMALS_SHIFT: u16 = 7;
const NEGATIVE_WEIGHT: u16 = 0x0040;
const WEIGHT: u16 = 0x003F;

/// Digits before the point that a `numeric` has at most.
const WHOLE_DIGITS: i64 = 131_072;

/// Digits after it.
const DECIMALS: i64 = 16_383;

/// PostgreSQL reads no exponent of more than nine digits, not of 0 either. Nobody writes a longer one than this.
const EXPONENT: i64 = 1_000_000;

/// Whether a `numeric`, and so a `jsonb`, holds a number of JSON.
pub fn is_held(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if exponent.abs() > EXPONENT || length(decimals) - exponent > DECIMALS {
        return false;
    }
    // The place of the first digit that is not 0, counted from the point.
    let leading = |digits: &str| digits.bytes().position(|digit| digit != b'0').and_then(|at| i64::try_from(at).ok());
    let first = leading(whole).map(|at| length(whole) - at).or_else(|| leading(decimals).map(|at| -at));
    first.is_none_or(|first| first + exponent <= WHOLE_DIGITS)
}

/// Digits to the base 10,000 after the point, for this many decimals.
const GROUP: u8 = 4;

/// The bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Stored {
    /// Two bytes and at most six digits.
    pub const MOST: usize = 14;

    /// The number `scaled / 10^decimals`; none if it has more than 15 digits or 12 decimals.
    pub fn of(scaled: i64, decimals: u8) -> Option<Self> {
        if decimals > 12 || scaled.unsigned_abs() >= 1_000_000_000_000_000 {
            return None;
        }
        let groups = decimals.div_ceil(GROUP);
        let mut rest = scaled.unsigned_abs().checked_mul(10_u64.pow(u32::from(groups * GROUP - decimals)))?;
        // Trailing zeros are not stored, and neither are leading ones.
        let (mut digits, mut count, mut zeros) = ([0_u16; 6], 0, 0);
        while rest != 0 {
            let digit = u16::try_from(rest % 10_000).ok()?;
            rest /= 10_000;
            if count == 0 && digit == 0 {
                zeros += 1;
                continue;
            }
            *digits.get_mut(count)? = digit;
            count += 1;
        }
        let weight = if count == 0 { 0 } else { i16::try_from(count + zeros).ok()? - i16::from(groups) - 1 };
        let mut header = SHORT | (u16::from(decimals) << DECIMALS_SHIFT) | (weight.cast_unsigned() & WEIGHT);
        header |= if scaled < 0 { NEGATIVE } else { 0 } | if weight < 0 { NEGATIVE_WEIGHT } else { 0 };
        let mut stored = Self { bytes: [0; Self::MOST], length: 2 + 2 * count };
        let words = std::iter::once(header).chain(digits[..count].iter().rev().copied());
        for (place, word) in stored.bytes.chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        Some(stored)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn what_a_numeric_holds_is_known_without_it() {
        for held in ["0", "-0", "1e131071", "-0.1e131072", "1e-16383", "0e999999", "12.50", "0.00e2", "9E+3"] {
            assert!(is_held(held), "{held}");
        }
        let long = format!("1{}", "0".repeat(131_072));
        let fine = format!("0.{}1", "0".repeat(16_383));
        for beyond in ["1e131072", "-1e400000", "1e-16384", "0e-16384", "1e99999999999999999999", &long, &fine] {
            assert!(!is_held(beyond), "{beyond:.40}");
        }
    }

    /// What `numeric_out` reads: the value, and the decimals that are shown.
    fn read(stored: &Stored) -> (Decimal, u32) {
        let words: Vec<u16> =
            stored.as_bytes().chunks_exact(2).map(|two| u16::from_ne_bytes([two[0], two[1]])).collect();
        let header = words[0];
        assert_eq!(header & 0xC000, SHORT);
        let weight = i32::from(header & WEIGHT) - i32::from(header & NEGATIVE_WEIGHT);
        let mut value = Decimal::ZERO;
        for (place, digit) in (0..).zip(&words[1..]) {
            let power = weight - place;
            let unit = if power >= 0 {
                Decimal::from(10_000_i64.pow(power as u32))
            } else {
                Decimal::new(1, (-power * 4) as u32)
            };
            value += Decimal::from(*digit) * unit;
        }
        let value = if header & NEGATIVE == 0 { value } else { -value };
        (value, u32::from((header >> DECIMALS_SHIFT) & 0x3F))
    }

    proptest! {
        #[test]
        fn a_number_is_stored_as_it_is(
            scaled in prop_oneof![-99_999_i64..100_000, -999_999_999_999_999_i64..1_000_000_000_000_000],
            zeros in 0_u32..9,
            decimals in 0_u8..13,
        ) {
            let scaled = scaled / 10_i64.pow(zeros) * 10_i64.pow(zeros);
            let stored = Stored::of(scaled, decimals).unwrap();
            let (value, shown) = read(&stored);
            prop_assert_eq!(value, Decimal::new(scaled, u32::from(decimals)));
            prop_assert_eq!(shown, u32::from(decimals));
            let words: Vec<&[u8]> = stored.as_bytes().chunks_exact(2).skip(1).collect();
            prop_assert!(words.first() != Some(&&[0, 0][..]) && words.last() != Some(&&[0, 0][..]), "zeros are not stored");
        }
    }

    #[test]
    fn larger_numbers_are_left_to_postgresql() {
        assert_eq!(Stored::of(1_000_000_000_000_000, 2), None);
        assert_eq!(Stored::of(i64::MIN, 2), None);
        assert_eq!(Stored::of(1, 13), None);
        assert_eq!(Stored::of(0, 2).unwrap().as_bytes().len(), 2);
    }
}
