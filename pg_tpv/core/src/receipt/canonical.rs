//! One form for every way of writing the same receipt: text in NFC, keys sorted, numbers plain and
//! without the zeros that say nothing, and nothing of what the terminal wants ignored. It covers
//! the members we do not know too, since they are stored and hashed like the rest.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::declaration::Declaration;
use super::finding::Findings;
use crate::json::{Value, repeated_key};
use crate::problem::Place;

/// Normalises a tree in place. Members whose keys the terminal wants ignored are left out first,
/// whatever they hold.
pub(super) fn normalise(value: &mut Value, place: &Place<'_>, declaration: &Declaration, f: &mut Findings) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(text) => match plain(text) {
            Ok(plain) => {
                if text.contains(['e', 'E']) {
                    f.flag("EXPONENT");
                }
                *text = plain;
            }
            Err(detail) => f.problem("NUMBER_FORMAT", place, detail),
        },
        Value::String(text) => normalise_text(text, f),
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                normalise(element, &place.index(index), declaration, f);
            }
        }
        Value::Object(members) => {
            if !declaration.ignore_keys.is_empty() {
                members.retain(|(key, _)| !declaration.ignores(key));
            }
            for (key, value) in members.iter_mut() {
                normalise_text(key, f);
                normalise(value, &place.key(key), declaration, f);
            }
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            if let Some(key) = repeated_key(members) {
                f.problem("DUP_KEY", &place.key(key), "two keys of one object are the same text in NFC");
            }
        }
    }
}

fn normalise_text(text: &mut String, f: &mut Findings) {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7F) {
        f.flag("CONTROL_CHARS");
    }
    if !text.is_ascii() && is_nfc_quick(text.chars()) != IsNormalized::Yes {
        *text = text.nfc().collect();
    }
}

/// As many digits as a number may be written with: what a decimal of 96 bits holds without rounding.
const MOST_DIGITS: usize = 28;

const TOO_MANY: &str = "a number has more than 28 digits";

/// The one way to write a JSON number: without an exponent, without zeros that say nothing, and a
/// zero without a sign. `0.50` → `0.5`, `3.0` → `3`, `1.2E+3` → `1200`, `-0.0` and `0E-8` → `0`. It
/// is exact, and takes time in proportion to the text: `1e131071` is 8 characters and would be
/// 131,072 when it is written out.
///
/// # Errors
/// A value that needs more digits than we keep.
pub(super) fn plain(text: &str) -> Result<String, &'static str> {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let without_leading = digits.trim_start_matches('0');
    let significant = without_leading.trim_end_matches('0');
    if significant.is_empty() {
        return Ok("0".to_owned());
    }
    if significant.len() > MOST_DIGITS {
        return Err(TOO_MANY);
    }
    // The value is `significant × 10^power`.
    let shift = read_exponent(exponent).ok_or(TOO_MANY)?;
    let idle = signed(without_leading.len() - significant.len())?;
    let power = shift.saturating_sub(signed(fraction.len())?).saturating_add(idle);
    let zeros = |count: usize| "0".repeat(count);
    match usize::try_from(power) {
        Ok(power) if significant.len() + power <= MOST_DIGITS => Ok(format!("{sign}{significant}{}", zeros(power))),
        Ok(_) => Err(TOO_MANY),
        Err(_) => {
            let decimals = usize::try_from(power.unsigned_abs()).map_err(|_| TOO_MANY)?;
            if decimals > MOST_DIGITS {
                return Err(TOO_MANY);
            }
            let padded = format!("{}{significant}", zeros((decimals + 1).saturating_sub(significant.len())));
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            Ok(format!("{sign}{whole}.{fraction}"))
        }
    }
}

fn signed(count: usize) -> Result<i64, &'static str> {
    i64::try_from(count).map_err(|_| TOO_MANY)
}

/// An exponent; none when it is beyond any that a number with digits of its own could have.
fn read_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.trim_start_matches('0');
    match digits.len() {
        0 => Some(0),
        1..=9 => digits.parse::<i64>().ok().map(|exponent| sign * exponent),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_loses_the_zeros_that_say_nothing() {
        let idle = "0".repeat(100_000);
        for (text, expected) in [
            ("0", "0"),
            ("0.0", "0"),
            ("0.50", "0.5"),
            ("3.0", "3"),
            ("100", "100"),
            ("-1.250", "-1.25"),
            ("10.010", "10.01"),
            ("0.30000000000000004", "0.30000000000000004"),
            (&format!("1.{idle}"), "1"),
            (&format!("-1.5{idle}"), "-1.5"),
            (&format!("0.{idle}"), "0"),
        ] {
            assert_eq!(plain(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_zero_is_a_zero_however_it_is_written() {
        for text in
            ["-0", "-0.0", "0E-8", "0e8", "0E+3", "-0.000E-99999999999999999999", "0.0e99999999999999999999", "0e0"]
        {
            assert_eq!(plain(text).as_deref(), Ok("0"), "{text}");
        }
    }

    #[test]
    fn an_exponent_is_written_out_where_the_value_is_exact_and_within_bounds() {
        for (text, expected) in [
            ("1E+1", "10"),
            ("-2E+1", "-20"),
            ("1.5E+3", "1500"),
            ("1e2", "100"),
            ("1E-2", "0.01"),
            ("120E-2", "1.2"),
            ("-1.50e0", "-1.5"),
            ("1.20E+1", "12"),
            ("0.0012E3", "1.2"),
            ("-0.5E+1", "-5"),
            ("1E+0000000000000000000001", "10"),
            ("1E+27", "1000000000000000000000000000"),
            ("1E-28", "0.0000000000000000000000000001"),
            ("1000000000000000000000000000000000000000E-39", "1"),
        ] {
            assert_eq!(plain(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_number_that_needs_more_digits_than_are_kept_is_refused() {
        for text in [
            "1E+28",
            "1E-29",
            "1e400",
            "1e-400",
            "1e1000000",
            "1E+99999999999999999999",
            "-1E-99999999999999999999",
            "12345678901234567890E+9",
            "1.5E-28",
            &"1".repeat(29),
            &format!("0.{}", "1".repeat(29)),
            &format!("1{}", "0".repeat(28)),
        ] {
            assert!(plain(text).is_err(), "{text}");
        }
        assert_eq!(plain(&"9".repeat(28)), Ok("9".repeat(28)));
        assert_eq!(plain(&format!("0.{}1", "0".repeat(27))).map(|text| text.len()), Ok(30));
    }

    proptest::proptest! {
        /// A decimal of another hand is the oracle.
        #[test]
        fn the_plain_form_is_the_same_number(
            mantissa in r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?", exponent in -14_i32..=14, zeros in 0_usize..40,
        ) {
            let point = if mantissa.contains('.') { "" } else { "." };
            let written = format!("{mantissa}{point}{}0e{exponent}", "0".repeat(zeros));
            let Ok(plain) = plain(&written) else { return Ok(()) };
            let value: rust_decimal::Decimal = mantissa.parse().unwrap();
            let scaled = if exponent < 0 {
                value.checked_div(rust_decimal::Decimal::from(10_i64.pow(exponent.unsigned_abs())))
            } else {
                value.checked_mul(rust_decimal::Decimal::from(10_i64.pow(exponent.unsigned_abs())))
            };
            proptest::prop_assert_eq!(plain.parse::<rust_decimal::Decimal>().ok(), scaled);
            proptest::prop_assert!(!plain.contains(['e', 'E']) && plain != "-0");
        }
    }
}
