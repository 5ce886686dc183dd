//! The numbers of barcodes: GTINs, PLU numbers, and the in-store numbers whose meaning rules
//! declare.

mod check;
mod decode;
mod rule;

pub use check::{gtin_check_digit, gtin14};
pub use decode::decode;
pub(crate) use decode::{Decoded, NumberKind, Reading, Scope, decode_in, reading_in};
pub use rule::BarcodeRule;
pub(crate) use rule::ValueKind;

/// Whether `text` is a price look-up number: 4 to 6 digits, keyed in by hand, with no check digit.
fn is_plu(text: &str) -> bool {
    (4..=6).contains(&text.len()) && check::all_digits(text)
}

/// Whether `text` has the length of a GTIN, right or wrong.
fn looks_like_gtin(text: &str) -> bool {
    matches!(text.len(), 8 | 12 | 13 | 14) && check::all_digits(text)
}

#[cfg(test)]
mod tests;
