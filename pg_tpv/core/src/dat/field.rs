//! One field of a profile, from its JSON.

use super::date::DateFormat;
use super::kind::{FieldKind, KEYS, KINDS};
use super::number::NumberStyle;
use super::options::Options;
use super::profile::{Content, Field, Missing};
use super::slot::{Align, Marks, Sign, Slot, place};
use super::source::Origin;
use super::text::{Case, Scribe};
use crate::json::Value;
use crate::problem::Problem;

/// Beyond any card, label or line printer.
const MAX_LENGTH: usize = 1000;
const MAX_DECIMALS: usize = 9;

/// Which record a field stands in; only a line has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Header,
    Line,
    Total,
}

/// Reads a field; `None` when it lacks what has no default. Every fault is in `problems`.
pub(super) fn read(
    value: &Value,
    pointer: String,
    at: Section,
    scribe: Scribe<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Field> {
    let mut options = Options::open(value, pointer, "a field", problems)?;
    options.only(&KEYS);
    let length = options.integer("length", 1..=MAX_LENGTH);
    if options.get("length").is_none() {
        options.fault("MISSING_KEY", "length", format!("a field has a length, 1 to {MAX_LENGTH} bytes"));
    }
    let align = options.choice("align", &[("left", Align::Left), ("right", Align::Right)]).unwrap_or(Align::Left);
    let pad = options.ascii_char("pad").unwrap_or(b' ');
    let kind = match options.get("type") {
        Some(_) => options.choice("type", &KINDS)?,
        // The legacy form marks a date by its format alone.
        None if options.get("format").is_some() => FieldKind::Date,
        None => FieldKind::Text,
    };
    only_for(&mut options, kind);
    if let Some(name) = options.get("name")
        && !matches!(name, Value::String(_))
    {
        options.fault("WRONG_TYPE", "name", "this is text");
    }
    // What is wrong with the rest of the field is told even when it has no length.
    let slot = Slot { length: length.unwrap_or(MAX_LENGTH), align, pad };
    let content = content(&mut options, kind, at, slot, scribe);
    warn_of_pad(&mut options, &content, slot);
    Some(Field { slot, content: content? }).filter(|_| length.is_some())
}

/// Notes the options that other types take and this one does not.
fn only_for(options: &mut Options<'_, '_>, kind: FieldKind) {
    let (takes, others): (Vec<_>, Vec<_>) = KEYS.into_iter().partition(|key| kind.takes(key));
    for key in others {
        if options.get(key).is_some() {
            let accepted = takes.join(", ");
            let detail = format!("a field of type {} does not take this option; it takes {accepted}", kind.name());
            options.fault("BAD_OPTION", key, detail);
        }
    }
}

fn content(
    options: &mut Options<'_, '_>,
    kind: FieldKind,
    at: Section,
    slot: Slot,
    scribe: Scribe<'_>,
) -> Option<Content> {
    match kind {
        FieldKind::Constant => return constant(options, slot, scribe).map(Content::Fixed),
        FieldKind::Counter => {
            overflow(options, kind, false);
            return Some(Content::Counter);
        }
        FieldKind::Filler => return Some(Content::Fixed(vec![slot.pad; slot.length])),
        _ => {}
    }
    let origin = origin(options, at);
    let missing = options
        .choice("missing", &[("error", Missing::Error), ("blank", Missing::Blank), ("zero", Missing::Zero)])
        .unwrap_or(Missing::Error);
    // The legacy form cuts text on the left side of its field and never on the right side.
    let truncate = overflow(options, kind, slot.align == Align::Left);
    match kind {
        FieldKind::Text => {
            let case = options
                .choice("case", &[("none", Case::AsIs), ("upper", Case::Upper), ("lower", Case::Lower)])
                .unwrap_or(Case::AsIs);
            Some(Content::Text { origin: origin?, missing, case, truncate })
        }
        FieldKind::Date | FieldKind::Time => {
            let format = date_format(options, kind, slot);
            Some(Content::Date { origin: origin?, missing, format: format? })
        }
        _ => {
            let (default, rounds) = match kind {
                FieldKind::Price => (2, true),
                FieldKind::Quantity => (3, false),
                _ => (0, false),
            };
            let decimals = options.integer("decimals", 0..=MAX_DECIMALS).unwrap_or(default);
            let style = NumberStyle { decimals: u32::try_from(decimals).ok()?, rounds, sign: sign(options, slot) };
            Some(Content::Number { origin: origin?, missing, style })
        }
    }
}

fn origin(options: &mut Options<'_, '_>, at: Section) -> Option<Origin> {
    let key = if options.get("source").is_some() { "source" } else { "name" };
    if options.get(key).is_none() {
        let detail =
            format!("a field has a `name`, which is also its source unless it has a `source`: {}", Origin::ACCEPTED);
        options.fault("MISSING_KEY", "name", detail);
        return None;
    }
    let Value::String(text) = options.get(key)? else {
        if key == "source" {
            options.fault("WRONG_TYPE", key, format!("this is text: {}", Origin::ACCEPTED));
        }
        return None;
    };
    let Some(origin) = Origin::parse(text) else {
        options.fault("BAD_SOURCE", key, format!("a source is {}", Origin::ACCEPTED));
        return None;
    };
    if at != Section::Line && origin.needs_line() {
        options.fault(
            "BAD_SOURCE",
            key,
            "a header or a total has no line; it takes keys of the receipt, `lineCount`, `sum(price)`, \
             `sum(quantity)` and `sum(lineTotal)`",
        );
        return None;
    }
    Some(origin)
}

/// Whether what does not fit is cut.
fn overflow(options: &mut Options<'_, '_>, kind: FieldKind, default: bool) -> bool {
    let truncate = options.choice("overflow", &[("reject", false), ("truncate", true)]);
    if truncate == Some(true) && kind != FieldKind::Text {
        options.fault("BAD_OPTION", "overflow", "only a text field can be cut; any other takes `reject`, the default");
    }
    truncate.unwrap_or(default)
}

fn date_format(options: &mut Options<'_, '_>, kind: FieldKind, slot: Slot) -> Option<DateFormat> {
    let default = if kind == FieldKind::Date { "ddMMyy" } else { "HHmmss" };
    let text = match options.get("format") {
        Some(_) => options.text("format")?,
        None => default,
    };
    match DateFormat::parse(text) {
        Ok(format) => {
            if format.width() > slot.length {
                let detail = format!("the format takes {} bytes, more than the field's length", format.width());
                options.fault("TOO_LONG", "format", detail);
            }
            Some(format)
        }
        Err(detail) => {
            options.fault("BAD_FORMAT", "format", detail);
            None
        }
    }
}

fn sign(options: &mut Options<'_, '_>, slot: Slot) -> Sign {
    let positive = options.ascii_char("sign_positive");
    let negative = options.ascii_char("sign_negative");
    let default = Marks { positive: b'+', negative: b'-' };
    let chosen = options.choice(
        "sign",
        &[
            ("forbid", Sign::Forbid),
            ("leading", Sign::Leading),
            ("trailing", Sign::Trailing(Marks { positive: b' ', ..default })),
            ("leading_flag", Sign::LeadingFlag(default)),
            ("overpunch", Sign::Overpunch),
        ],
    );
    let marks = |default: Marks| Marks {
        positive: positive.unwrap_or(default.positive),
        negative: negative.unwrap_or(default.negative),
    };
    let sign = match chosen.unwrap_or(Sign::Forbid) {
        Sign::Trailing(default) => Sign::Trailing(marks(default)),
        Sign::LeadingFlag(default) => Sign::LeadingFlag(marks(default)),
        sign => {
            for key in ["sign_positive", "sign_negative"] {
                if options.get(key).is_some() {
                    options.fault("BAD_OPTION", key, "only the signs `trailing` and `leading_flag` take this option");
                }
            }
            sign
        }
    };
    if let Sign::Trailing(marks) | Sign::LeadingFlag(marks) = sign {
        if marks.positive == marks.negative {
            options.fault("BAD_VALUE", "sign_negative", "the marks of a positive and a negative number differ");
        }
        if slot.length == 1 {
            options.fault("BAD_VALUE", "length", "the sign takes one byte of the field, and a digit needs another");
        }
    }
    sign
}

fn constant(options: &mut Options<'_, '_>, slot: Slot, scribe: Scribe<'_>) -> Option<Vec<u8>> {
    if options.get("value").is_none() {
        options.fault("MISSING_KEY", "value", "a constant has a `value`, which is text");
    }
    let value = options.text("value")?;
    let encoded = scribe.encode(value, Case::AsIs, slot.length);
    if value.chars().any(super::text::is_control) {
        options.fault("BAD_VALUE", "value", "a constant has no control characters");
    }
    if encoded.substituted {
        options.fault("NOT_ENCODABLE", "value", "the file's encoding lacks a character of this constant");
    }
    if encoded.cut {
        options.fault("TOO_LONG", "value", "the constant does not fit the field's length");
    }
    let mut bytes = Vec::with_capacity(slot.length);
    place(&encoded.bytes, slot, &mut bytes);
    Some(bytes)
}

/// `349` in eight bytes, to the left and padded with zeros, reads as 34 million.
fn warn_of_pad(options: &mut Options<'_, '_>, content: &Option<Content>, slot: Slot) {
    let number = matches!(content, Some(Content::Number { .. } | Content::Counter));
    let forges = match slot.align {
        Align::Left => slot.pad.is_ascii_digit(),
        Align::Right => matches!(slot.pad, b'1'..=b'9'),
    };
    if number && forges {
        options.fault(
            "PAD_READS_AS_DIGIT",
            "pad",
            "the padding reads as digits of the number; zeros belong on its left",
        );
    }
}
