//! Exact decimals and how a field shows them.
//!
//! Numbers are integers of a power of ten. `rust_decimal` rounds without a word when a sum or a
//! product needs more than 96 bits; here whatever cannot be exact is `None`, and the receipt is
//! held.

use super::render_error::{RenderError, RenderErrorKind};
use super::slot::{Sign, Slot, place};

/// Digits a number may have; zeros before the first are none. 28 fit every type that stores them
/// later.
const MAX_DIGITS: usize = 28;

/// `units × 10^-scale`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    units: i128,
    scale: u32,
}

impl Exact {
    pub(super) const ZERO: Self = Self { units: 0, scale: 0 };

    /// Reads a plain decimal (`-3.49`): no exponent, no `+`, no bare point, at most 28 digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match rest.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (rest, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let digits = whole.trim_start_matches('0').len() + fraction.len();
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits > MAX_DIGITS {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { units: if negative { -units } else { units }, scale: u32::try_from(fraction.len()).ok()? })
    }

    pub(super) fn from_count(count: usize) -> Self {
        // A count of lines in memory is far below i128::MAX.
        Self { units: count as i128, scale: 0 }
    }

    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self { units: self.units_at(scale)?.checked_add(other.units_at(scale)?)?, scale })
    }

    pub(super) fn checked_mul(self, other: Self) -> Option<Self> {
        Some(Self { units: self.units.checked_mul(other.units)?, scale: self.scale.checked_add(other.scale)? })
    }

    /// Rounded half away from zero to `decimals`.
    pub(super) fn rounded(self, decimals: u32) -> Option<Self> {
        if self.scale <= decimals {
            return Some(self);
        }
        // A divisor beyond i128 is more than twice any number of units: nothing is left of it.
        let Some(divisor) = 10_i128.checked_pow(self.scale - decimals) else { return Some(Self::ZERO) };
        let (quotient, remainder) = (self.units / divisor, self.units % divisor);
        let away = if remainder.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) { self.units.signum() } else { 0 };
        Some(Self { units: quotient.checked_add(away)?, scale: decimals })
    }

    /// Whether it has no more than `decimals` decimals that count.
    fn fits(self, decimals: u32) -> bool {
        let beyond = self.scale.saturating_sub(decimals);
        10_i128.checked_pow(beyond).map_or(self.units == 0, |divisor| self.units % divisor == 0)
    }

    fn units_at(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// The shortest plain decimal: `1.5`, never `1.50`, `-0` or `1.`.
    pub(super) fn to_text(self) -> String {
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.units < 0 { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

/// How a field writes a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberStyle {
    pub decimals: u32,
    pub rounds: bool,
    pub sign: Sign,
}

/// Appends exactly the bytes of the slot.
pub(super) fn write(value: Exact, style: NumberStyle, slot: Slot, out: &mut Vec<u8>) -> Result<(), RenderError> {
    let overflow = || {
        RenderError::new(
            RenderErrorKind::FieldOverflow,
            format!("the number needs more than the {} bytes that its field has, the sign included", slot.length),
        )
    };
    if !style.rounds && !value.fits(style.decimals) {
        return Err(RenderError::new(
            RenderErrorKind::QuantityScale,
            format!("the number has more than the {} decimals of its field, which does not round", style.decimals),
        ));
    }
    let units = value.rounded(style.decimals).and_then(|it| it.units_at(style.decimals)).ok_or_else(overflow)?;
    let negative = units < 0;
    let mut digits = units.unsigned_abs().to_string().into_bytes();
    let (before, after) = match style.sign {
        Sign::Forbid if negative => {
            return Err(RenderError::new(
                RenderErrorKind::SignUndefined,
                "the number is negative and the profile's field has no `sign`",
            ));
        }
        Sign::Forbid => (None, None),
        Sign::Leading => (negative.then_some(b'-'), None),
        Sign::LeadingFlag(mark) => (Some(mark.of(negative)), None),
        Sign::Trailing(mark) => (None, Some(mark.of(negative))),
        Sign::Overpunch => {
            if let Some(last) = digits.last_mut() {
                *last = overpunch(*last, negative);
            }
            (None, None)
        }
    };
    let signs = usize::from(before.is_some()) + usize::from(after.is_some());
    let length = slot.length.checked_sub(signs).filter(|room| digits.len() <= *room).ok_or_else(overflow)?;
    out.extend(before);
    place(&digits, Slot { length, ..slot }, out);
    out.extend(after);
    Ok(())
}

/// Zoned decimal in ASCII: the last digit carries the sign.
fn overpunch(digit: u8, negative: bool) -> u8 {
    match (negative, digit) {
        (false, b'0') => b'{',
        (false, digit) => b'A' + (digit - b'1'),
        (true, b'0') => b'}',
        (true, digit) => b'J' + (digit - b'1'),
    }
}
