use super::number::{self, Exact, NumberStyle};
use super::profile::{Content, Field, Missing, Profile, Record};
use super::render_error::{RenderError, RenderErrorKind};
use super::slot::{Align, Sign, Slot, place};
use super::source::{self, Found, Origin, Ticket};
use super::text::{Case, Scribe};
use crate::json::Value;

/// A `.dat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub bytes: Vec<u8>,
    /// A character was written as `?` or `EUR` because the code page lacks it.
    pub substituted: bool,
}

/// The bytes of a receipt's `.dat` under a profile.
///
/// `receipt` is the terminal's JSON, raw or canonical: both give the same bytes. The keys
/// `localTimestamp` and `businessDate`, which the caller appends, say what the store's clock showed
/// and which day counts.
///
/// # Errors
/// The first value that cannot be shown as the profile wants; no byte is ever wrong instead.
pub fn render(profile: &Profile, receipt: &Value) -> Result<Rendered, RenderError> {
    let ticket = Ticket::open(receipt)?;
    let mut page = Page {
        ticket: &ticket,
        scribe: Scribe { encoding: profile.encoding, transliteration: &profile.transliteration },
        bytes: Vec::new(),
        substituted: false,
    };
    let lines = (0..ticket.lines.len()).map(|index| (&profile.line, Some(index)));
    let header = profile.header.iter().map(|record| (record, None));
    let total = profile.total.iter().map(|record| (record, None));
    let mut empty = true;
    for (record, line) in header.chain(lines).chain(total) {
        if !empty {
            page.bytes.extend_from_slice(profile.line_end);
        }
        page.record(record, line)?;
        empty = false;
    }
    if profile.trailing_line_end && !empty {
        page.bytes.extend_from_slice(profile.line_end);
    }
    if profile.eof_1a {
        page.bytes.push(0x1a);
    }
    Ok(Rendered { bytes: page.bytes, substituted: page.substituted })
}

/// The file while it grows.
struct Page<'p> {
    ticket: &'p Ticket<'p>,
    scribe: Scribe<'p>,
    bytes: Vec<u8>,
    substituted: bool,
}

impl Page<'_> {
    fn record(&mut self, record: &Record, line: Option<usize>) -> Result<(), RenderError> {
        record.fields.iter().try_for_each(|field| self.field(field, line))
    }

    fn field(&mut self, field: &Field, line: Option<usize>) -> Result<(), RenderError> {
        match &field.content {
            Content::Fixed(bytes) => {
                self.bytes.extend_from_slice(bytes);
                Ok(())
            }
            Content::Counter => {
                let count = Exact::from_count(line.map_or(self.ticket.lines.len(), |index| index + 1));
                let style = NumberStyle { decimals: 0, rounds: false, sign: Sign::Forbid };
                let pointer = line.map_or_else(|| "/items".to_owned(), |index| format!("/items/{index}"));
                self.number(field, count, style).map_err(|error| error.at(pointer))
            }
            Content::Text { origin, missing, case, truncate } => match self.ticket.find(origin, line)? {
                Some(found) => self.text(field, &found, *case, *truncate).map_err(|error| error.at(found.pointer())),
                None => self.missing(field, origin, line, *missing, None),
            },
            Content::Number { origin, missing, style } => match self.ticket.find(origin, line)? {
                Some(found) => source::number(&found.value)
                    .and_then(|value| self.number(field, value, *style))
                    .map_err(|error| error.at(found.pointer())),
                None => self.missing(field, origin, line, *missing, Some(*style)),
            },
            Content::Date { origin, missing, format } => match self.ticket.find(origin, line)? {
                Some(found) => {
                    let moment = self.ticket.moment(&found)?;
                    let text = format.render(moment).ok_or_else(|| source::no_time().at(found.pointer()))?;
                    place(text.as_bytes(), field.slot, &mut self.bytes);
                    Ok(())
                }
                None => self.missing(field, origin, line, *missing, None),
            },
        }
    }

    fn number(&mut self, field: &Field, value: Exact, style: NumberStyle) -> Result<(), RenderError> {
        number::write(value, style, field.slot, &mut self.bytes)
    }

    fn text(&mut self, field: &Field, found: &Found<'_>, case: Case, truncate: bool) -> Result<(), RenderError> {
        let shortest;
        let text = match found.value.as_ref() {
            Value::String(text) => text,
            // `1.50` and `1.5` are one receipt, and so give one `.dat`.
            number @ Value::Number(_) => {
                shortest = source::number(number)?.to_text();
                // Padded on the left with digits, -5 would read 0000-5.
                if shortest.starts_with('-') && field.slot.align == Align::Right && field.slot.pad.is_ascii_digit() {
                    return Err(RenderError::new(
                        RenderErrorKind::SignUndefined,
                        "the number is negative and its text field is padded with digits; a type and a `sign` show it",
                    ));
                }
                &shortest
            }
            _ => return Err(RenderError::new(RenderErrorKind::WrongType, "a text field shows text or a number")),
        };
        let encoded = self.scribe.encode(text, case, field.slot.length);
        if encoded.cut && !truncate {
            let detail =
                format!("the text needs more than the {} bytes of its field, which does not cut", field.slot.length);
            return Err(RenderError::new(RenderErrorKind::FieldOverflow, detail));
        }
        self.substituted |= encoded.substituted;
        place(&encoded.bytes, field.slot, &mut self.bytes);
        Ok(())
    }

    /// What the profile says of a value that is not there; `style` is that of a number.
    fn missing(
        &mut self,
        field: &Field,
        origin: &Origin,
        line: Option<usize>,
        missing: Missing,
        style: Option<NumberStyle>,
    ) -> Result<(), RenderError> {
        match (missing, style) {
            (Missing::Error, _) => Err(source::missing().at(origin.pointer(line))),
            (Missing::Blank, _) => {
                place(b"", Slot { pad: b' ', ..field.slot }, &mut self.bytes);
                Ok(())
            }
            (Missing::Zero, None) => {
                place(b"", Slot { pad: b'0', ..field.slot }, &mut self.bytes);
                Ok(())
            }
            // The zero of a number has its sign, its padding and its place.
            (Missing::Zero, Some(style)) => {
                self.number(field, Exact::ZERO, style).map_err(|error| error.at(origin.pointer(line)))
            }
        }
    }
}
