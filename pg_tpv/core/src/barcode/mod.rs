//! What is printed under the bars: GTINs, PLU numbers, and the in-store numbers whose meaning rules declare.

mod check;
mod decode;
mod rule;

pub use check::{gtin_check_digit, gtin14, price4_check_digit, price5_check_digit};
pub use decode::{Decoded, NumberKind, Scope, decode, decode_in};
pub use rule::{BarcodeRule, InnerCheck, Slice, ValueKind};

/// Whether `text` is a price look-up number: 4 to 6 digits, keyed in by hand, with no check digit.
pub fn is_plu(text: &str) -> bool {
    (4..=6).contains(&text.len()) && check::all_digits(text)
}

/// Whether `text` has the length of a GTIN, right or wrong.
pub fn looks_like_gtin(text: &str) -> bool {
    matches!(text.len(), 8 | 12 | 13 | 14) && check::all_digits(text)
}

#[cfg(test)]
mod tests;
