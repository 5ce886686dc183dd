use super::date::DateFormat;
use super::number::NumberStyle;
use super::slot::Slot;
use super::source::Origin;
use super::template::Template;
use super::text::{Case, Transliteration};
use crate::encoding::Encoding;

/// A layout that has been checked: what it asks for can be done for any receipt that has the
/// values.
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

/// What to do when the receipt lacks the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Error,
    Blank,
    Zero,
}

/// The empty file that says "the `.dat` is complete".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The whole name and `.ok`.
    Ok,
    /// This in place of the extension, its point included.
    Extension(String),
}
