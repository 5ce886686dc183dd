//! The short way from a stored body to its receipt: a body has one canonical form, so nearly all of
//! them can be read straight through, without a tree and without a judgement.
//!
//! It only ever says what `parse` says. Whatever it does not expect (a member that is not known, an
//! escape, a number beyond the plain) is left to that.

use rust_decimal::Decimal;
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::amount::{self, QUANTITY, TAX_RATE, TOTAL};
use super::declaration::Declaration;
use super::id::{is_id, is_stored_number};
use super::line::LONGEST_BARCODE;
use super::total::line_total;
use super::{Line, Receipt, Stamp};
use crate::barcode::gtin14;

/// Reads a body in its canonical form; none when somebody has to look closer.
pub(super) fn read(body: &str, declaration: &Declaration) -> Option<Receipt> {
    let mut rest = Rest(body);
    let department_code = rest.after("{\"departmentCode\":")?.id()?;
    rest.after(",\"items\":[")?;
    let mut items = vec![rest.line(declaration)?];
    while rest.after("]").is_none() {
        items.push(rest.after(",")?.line(declaration)?);
    }
    let receipt_id = rest.after(",\"receiptId\":")?.text().filter(|number| is_stored_number(number))?.to_owned();
    let series = if rest.after(",\"series\":").is_some() { rest.id()? } else { String::new() };
    let terminal_id = rest.after(",\"terminalId\":")?.id()?;
    let timestamp_text = rest.after(",\"timestamp\":")?.text()?.to_owned();
    let total = rest.after(",\"total\":")?.number().filter(|total| TOTAL.fits(*total))?;
    rest.after("}")?;
    let lines_total: Decimal = items.iter().map(|line| line.total).sum();
    let total_difference = total - lines_total;
    if !rest.0.is_empty() || !TOTAL.holds(lines_total) || !TOTAL.holds(total_difference) {
        return None;
    }
    let timestamp = Stamp::read(&timestamp_text).filter(|_| is_in_one_form(&timestamp_text))?;
    Some(Receipt {
        terminal_id,
        department_code,
        receipt_id,
        series,
        timestamp_text,
        timestamp,
        items,
        total,
        lines_total,
        total_difference,
    })
}

/// Whether a time is written as bodies have it, to the second and with its offset.
fn is_in_one_form(time: &str) -> bool {
    let bytes = time.as_bytes();
    bytes.len() == "2026-06-30T22:15:00+02:00".len()
        && bytes[10] == b'T'
        && matches!(bytes[19], b'+' | b'-')
        && !time.ends_with("-00:00")
}

/// What is left of the body.
struct Rest<'b>(&'b str);

impl<'b> Rest<'b> {
    fn after(&mut self, expected: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(self)
    }

    fn line(&mut self, declaration: &Declaration) -> Option<Line> {
        let barcode = self.after("{\"barcode\":")?.text()?;
        let description = self.after(",\"description\":")?.text()?;
        let price = self.after(",\"price\":")?.number().filter(|price| amount::price(declaration).fits(*price))?;
        let quantity = self.after(",\"quantity\":")?.number()?;
        let quantity = Some(quantity).filter(|quantity| QUANTITY.fits(*quantity) && !quantity.is_zero())?;
        let tax_rate = match self.after(",\"taxRate\":") {
            None => None,
            Some(rest) => Some(
                rest.number()
                    .filter(|rate| TAX_RATE.fits(*rate) && !rate.is_sign_negative() && *rate <= Decimal::ONE_HUNDRED)?,
            ),
        };
        self.after("}")?;
        let total = line_total(price, quantity).filter(|total| TOTAL.holds(*total))?;
        let gtin14 = gtin14(barcode);
        let (barcode, description) = (barcode.to_owned(), description.to_owned());
        (barcode.len() <= LONGEST_BARCODE).then_some(Line {
            barcode,
            gtin14,
            description,
            price,
            quantity,
            tax_rate,
            total,
        })
    }

    fn id(&mut self) -> Option<String> {
        self.text().filter(|id| is_id(id)).map(str::to_owned)
    }

    /// A string that stands for itself: no escape, and normalised beyond doubt.
    fn text(&mut self) -> Option<&'b str> {
        let rest = self.0.strip_prefix('"')?;
        let end = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
        let (text, rest) = rest.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        (text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes).then_some(text)
    }

    /// A number of at most 18 digits, as JSON writes it without an exponent. A zero has no sign.
    fn number(&mut self) -> Option<Decimal> {
        let (negative, rest) = self.0.strip_prefix('-').map_or((false, self.0), |rest| (true, rest));
        let (mut mantissa, mut digits, mut point) = (0_i64, 0, None);
        for byte in rest.bytes() {
            match byte {
                b'0'..=b'9' => {
                    mantissa = mantissa.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                    digits += 1;
                }
                b'.' if point.is_none() => point = Some(digits),
                _ => break,
            }
        }
        let whole = point.unwrap_or(digits);
        let odd = whole == 0 || point == Some(digits) || (whole > 1 && rest.starts_with('0')) || digits > 18;
        if odd || (negative && mantissa == 0) {
            return None;
        }
        self.0 = &rest[digits + usize::from(point.is_some())..];
        Some(Decimal::new(if negative { -mantissa } else { mantissa }, u32::try_from(digits - whole).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<String> {
        let mut rest = Rest(text);
        rest.number().filter(|_| rest.0.is_empty()).map(|number| number.to_string())
    }

    #[test]
    fn only_plain_numbers_are_read_straight_through() {
        for text in ["0", "7", "-7", "10.25", "0.001", "-0.5", "999999999999999999"] {
            assert_eq!(number(text).as_deref(), Some(text));
        }
        for text in
            ["", "-", "-0", "-0.0", "01", "00.1", ".5", "5.", "1.2.3", "1e2", "1E+1", "1000000000000000000", "x"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    const PLAIN: &str = r#"{"departmentCode":"01","items":[{"barcode":"8400098844845","description":"SALMÓN","price":12.9,"quantity":0.455,"taxRate":10},{"barcode":"x","description":"","price":0,"quantity":-1}],"receiptId":"4711","series":"R","terminalId":"T04","timestamp":"2026-06-30T22:15:00+02:00","total":5.87}"#;

    fn read_it(body: &str) -> Option<Receipt> {
        read(body, &Declaration { price_decimals: 4, ..Declaration::default() })
    }

    #[test]
    fn a_plain_body_is_read_as_the_long_way_reads_it() {
        let (short, long) = (read_it(PLAIN).unwrap(), Receipt::by_judgement(PLAIN).unwrap());
        assert_eq!(short, long);
        assert_eq!(short.items[0].gtin14.as_deref(), Some("08400098844845"));
    }

    #[test]
    fn what_is_out_of_the_ordinary_takes_the_long_way() {
        for (from, to) in [
            ("\"receiptId\"", "\"odd\":1,\"receiptId\""),
            ("SALMÓN", "SALMO\u{301}N"),
            ("SALMÓN", "a\\\"b"),
            ("SALMÓN", "a\tb"),
            ("\"price\":12.9,", "\"price\":12.90001,"),
            ("0.455", "0.4555"),
            ("0.455", "0"),
            ("\"taxRate\":10", "\"taxRate\":100.5"),
            ("\"taxRate\":10", "\"taxRate\":-1"),
            ("\"taxRate\":10", "\"taxRate\":null"),
            ("4711", "../x"),
            ("5.87", "5.871"),
            ("5.87", "1000000000000"),
            ("2026-06", "2026-13"),
            ("+02:00", "Z"),
            ("22:15:00+", "22:15+"),
            ("+02:00", "-00:00"),
            ("T22", " 22"),
            ("}]", "}] "),
            ("5.87}", "5.87}x"),
        ] {
            let body = PLAIN.replacen(from, to, 1);
            assert_ne!(body, PLAIN, "{from}");
            assert_eq!(read_it(&body), None, "{to}");
        }
    }
}
