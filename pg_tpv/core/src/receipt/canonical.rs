//! One form for every way of writing the same receipt: text in NFC, keys sorted, numbers plain and
//! without the zeros that say nothing. It covers the members we do not know too, since they are
//! stored and hashed like the rest.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::finding::Findings;
use crate::json::{Value, repeated_key};
use crate::problem::Place;

/// Normalises a tree in place.
pub(super) fn normalise(value: &mut Value, place: &Place<'_>, f: &mut Findings) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(text) => {
            if let Some(plain) = written_out(text) {
                *text = plain;
                f.flag("EXPONENT");
            }
            if let Err(detail) = make_plain(text) {
                f.problem("NUMBER_FORMAT", place, detail);
            }
        }
        Value::String(text) => normalise_text(text, f),
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                normalise(element, &place.index(index), f);
            }
        }
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                normalise_text(key, f);
                normalise(value, &place.key(key), f);
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

/// `1E+1` → `10`: the way in which decimal libraries write a round number whose zeros were
/// stripped, `BigDecimal` in Java and `Decimal` in Python among them. It is exact, and ends at
/// twelve zeros. No other exponent is a number here.
fn written_out(text: &str) -> Option<String> {
    let (mantissa, zeros) = text.split_once("E+")?;
    let zeros: usize = zeros.parse().ok().filter(|zeros| *zeros <= 12)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let missing = zeros.checked_sub(fraction.len())?;
    let plain = format!("{whole}{fraction}{}", "0".repeat(missing));
    // `0E+3` and `-0.5E+1` would begin with zeros.
    plain.trim_start_matches('-').starts_with(|first| matches!(first, '1'..='9')).then_some(plain)
}

/// As many digits as a number may be written with: what a decimal of 96 bits holds without
/// rounding.
const MOST_DIGITS: usize = 28;

/// Takes the idle zeros off a JSON number: `0.50` → `0.5`, `3.0` → `3`. It must be plain:
/// `1e131071` is 8 characters and becomes 131,072 when a database writes it out.
pub(super) fn make_plain(text: &mut String) -> Result<(), &'static str> {
    if text.contains(['e', 'E']) {
        return Err("a number is written with an exponent");
    }
    let whole_and_fraction = text.trim_start_matches(['-', '0']);
    if whole_and_fraction.bytes().filter(u8::is_ascii_digit).count() > MOST_DIGITS
        || text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > MOST_DIGITS)
    {
        return Err("a number has more than 28 digits");
    }
    if text.starts_with('-') && text.bytes().all(|byte| b"-0.".contains(&byte)) {
        return Err("a zero has a minus sign");
    }
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        let mut text = text.to_owned();
        make_plain(&mut text).is_ok().then_some(text)
    }

    #[test]
    fn a_number_loses_the_zeros_that_say_nothing() {
        for (text, expected) in [
            ("0", "0"),
            ("0.0", "0"),
            ("0.50", "0.5"),
            ("3.0", "3"),
            ("100", "100"),
            ("-1.250", "-1.25"),
            ("10.010", "10.01"),
            ("0.30000000000000004", "0.30000000000000004"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_round_number_of_a_decimal_library_is_written_out() {
        for (text, expected) in [("1E+1", "10"), ("-2E+1", "-20"), ("1.5E+3", "1500"), ("1E+12", "1000000000000")] {
            assert_eq!(written_out(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["1e2", "1E2", "1e+2", "1E-2", "1.55E+1", "1E+13", "0E+3", "1E+400", "1E+99999999999999999999"] {
            assert_eq!(written_out(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_is_not_plain_is_refused() {
        for text in [
            "1e2",
            "1E2",
            "1e400",
            "1e-400",
            "1e1000000",
            "-0",
            "-0.0",
            &"1".repeat(29),
            &format!("0.{}", "1".repeat(29)),
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
        assert_eq!(plain(&"9".repeat(28)), Some("9".repeat(28)));
        assert_eq!(plain(&format!("0.{}1", "0".repeat(27))).map(|text| text.len()), Some(30));
    }
}
