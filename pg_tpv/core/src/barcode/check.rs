//! Check digits, as the GS1 General Specifications calculate them (section 7.9 and the price
//! verifier digits).

/// The GS1 check digit for the digits before it: weights 3, 1, 3, 1 … counted from the right.
/// None when `body` is empty or is not all digits.
pub fn gtin_check_digit(body: &str) -> Option<char> {
    if body.is_empty() || !all_digits(body) {
        return None;
    }
    let weighted = body.bytes().rev().zip([3, 1].into_iter().cycle()).map(|(byte, weight)| weight * digit(byte));
    complement(weighted.fold(0, |sum, term| (sum + term) % 10))
}

/// The canonical form, 14 digits, of a GTIN-8, 12, 13 or 14 whose check digit is right.
pub fn gtin14(text: &str) -> Option<String> {
    check_digit_ok(text)?.then(|| format!("{text:0>14}"))
}

/// Whether the last digit is right; none when `text` does not have the length of a GTIN.
pub(super) fn check_digit_ok(text: &str) -> Option<bool> {
    if !super::looks_like_gtin(text) {
        return None;
    }
    let (body, check) = text.split_at(text.len() - 1);
    Some(gtin_check_digit(body).is_some_and(|digit| check == digit.to_string()))
}

/// The price verifier digit of a price of four digits: weights 2−, 2−, 3, 5−; the sum times 3, last
/// digit.
pub fn price4_check_digit(price: &str) -> Option<char> {
    let digits = digits::<4>(price)?;
    let sum = MINUS_2[digits[0]] + MINUS_2[digits[1]] + 3 * digits[2] + MINUS_5[digits[3]];
    last_digit(sum * 3)
}

/// The price verifier digit of a price of five digits: weights 5+, 2−, 5−, 5+, 2−; the digit whose
/// 5− product completes the sum to a multiple of ten.
pub fn price5_check_digit(price: &str) -> Option<char> {
    let digits = digits::<5>(price)?;
    let sum = PLUS_5[digits[0]] + MINUS_2[digits[1]] + MINUS_5[digits[2]] + PLUS_5[digits[3]] + MINUS_2[digits[4]];
    let wanted = (10 - sum % 10) % 10;
    MINUS_5.iter().position(|product| *product == wanted).and_then(last_digit)
}

/// Twice the digit, less its tens.
const MINUS_2: [usize; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
/// Five times the digit, plus its tens.
const PLUS_5: [usize; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
/// Five times the digit, less its tens.
const MINUS_5: [usize; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];

pub(super) fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits<const N: usize>(text: &str) -> Option<[usize; N]> {
    let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
    all_digits(text).then(|| bytes.map(|byte| usize::from(digit(byte))))
}

fn digit(byte: u8) -> u8 {
    byte - b'0'
}

fn complement(sum: u8) -> Option<char> {
    last_digit(usize::from((10 - sum % 10) % 10))
}

fn last_digit(number: usize) -> Option<char> {
    char::from_digit(u32::try_from(number % 10).ok()?, 10)
}
