use super::date::DateFormat;
use super::number::NumberStyle;
use super::source::Origin;
use super::template::Template;
use super::text::{Case, Transliteration};
use crate::encoding::Encoding;
use crate::json::Value;
use crate::problem::Problem;

/// A layout that has been checked: what it asks for can be done for any receipt that has the values.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) encoding: Encoding,
    pub(super) transliteration: Transliteration,
    pub(super) line_end: &'static [u8],
    pub(super) trailing_line_end: bool,
    pub(super) eof_1a: bool,
    pub(super) header: Option<Record>,
    pub(super) line: Record,
    pub(super) total: Option<Record>,
    pub(super) file_name: Template,
    pub(super) folder: Template,
    pub(super) trigger: Option<Trigger>,
}

impl Profile {
    /// Reads a profile, or lists every fault that [`super::check`] finds; warnings do not stand in the way.
    ///
    /// # Errors
    /// All faults at once, each with its JSON pointer and the accepted values.
    pub fn from_json(json: &Value) -> Result<Self, Vec<Problem>> {
        let (profile, problems) = super::check::read(json);
        let faults: Vec<_> = problems.into_iter().filter(|problem| !super::is_warning(problem)).collect();
        match profile {
            Some(profile) if faults.is_empty() => Ok(profile),
            _ => Err(faults),
        }
    }

    /// The layout of the legacy checkout, which every store starts with.
    pub fn legacy_json() -> &'static str {
        LEGACY
    }
}

const LEGACY: &str = r#"{"fields": [
  {"name": "barcode",        "length": 13, "align": "right", "pad": "0"},
  {"name": "description",    "length": 20, "align": "left",  "pad": " "},
  {"name": "price", "type": "price", "length": 8, "align": "right", "pad": "0"},
  {"name": "quantity", "type": "quantity", "decimals": 3, "length": 7, "align": "right", "pad": "0"},
  {"name": "departmentCode", "length": 3,  "align": "right", "pad": "0"},
  {"name": "timestamp", "format": "ddMMyy", "length": 6}]}"#;

/// Fields side by side, with nothing between them.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub fields: Vec<Field>,
}

/// A number of bytes and what stands in them.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub slot: Slot,
    pub content: Content,
}

/// The bytes of a field: how many, which side the value is on, and what fills the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub length: usize,
    pub align: Align,
    pub pad: u8,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Text {
        origin: Origin,
        missing: Missing,
        case: Case,
        truncate: bool,
    },
    Number {
        origin: Origin,
        missing: Missing,
        style: NumberStyle,
    },
    Date {
        origin: Origin,
        missing: Missing,
        format: DateFormat,
    },
    /// The number of the line; the count of lines in a header or a total.
    Counter,
    /// A constant or a filler: the whole field, made when the profile was checked.
    Fixed(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// What to do when the receipt lacks the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Error,
    Blank,
    Zero,
}

/// Where the sign of a number goes; always inside the field's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Forbid,
    Leading,
    LeadingFlag(Marks),
    Trailing(Marks),
    Overpunch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub positive: u8,
    pub negative: u8,
}

impl Marks {
    pub(super) fn of(self, negative: bool) -> u8 {
        if negative { self.negative } else { self.positive }
    }
}

/// The empty file that says "the `.dat` is complete".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The whole name and `.ok`.
    Ok,
    /// This in place of the extension, its point included.
    Extension(String),
}
