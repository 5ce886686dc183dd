//! Numbers of goods, with their check digits.

/// Puts the check digit behind the digits: weights 3, 1, 3, 1 … from the right.
pub fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits.bytes().rev().enumerate().map(|(at, byte)| u32::from(byte - b'0') * [3, 1][at % 2]).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// The label of a scale: two digits that say what it is, five of the item, five of the value.
pub fn label(prefix: &str, item: &str, value: i64) -> String {
    with_check_digit(&format!("{prefix}{item}{:05}", value.abs()))
}

/// The greatest value that a label has room for.
pub const MOST_IN_LABEL: i64 = 99_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_books() {
        for (digits, whole) in
            [("950110153100", "9501101531000"), ("9501234", "95012346"), ("400638133393", "4006381333931")]
        {
            assert_eq!(with_check_digit(digits), whole);
        }
        assert_eq!(label("21", "12345", -150), with_check_digit("211234500150"));
    }
}
