//! Bytes to text and back, in the few encodings that terminals and tills use.
//!
//! Nothing is ever replaced: a byte that means nothing is a fault of the file (`ENCODING`), and a
//! character that a code page lacks is for the caller to substitute. WHATWG's tables, which map
//! unassigned bytes to C1 controls, would let both pass unseen; hence tables of our own.

mod tables;

use std::borrow::Cow;

use crate::problem::Problem;

/// An encoding that a terminal may declare or a `.dat` profile may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    #[default]
    Utf8,
    /// Windows-1252, Western Europe.
    Windows1252,
    /// ISO 8859-15, Latin 9.
    Iso8859_15,
    Cp850,
    /// DOS code page 850 with the euro sign at D5.
    Cp858,
}

impl Encoding {
    /// The encoding of a label, in any case, with the aliases in common use. ISO 8859-1 is not
    /// Windows-1252 here.
    pub fn from_label(label: &str) -> Option<Self> {
        Some(match label.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Self::Utf8,
            "windows-1252" | "windows1252" | "cp1252" | "cp-1252" | "1252" | "win1252" | "x-cp1252" => {
                Self::Windows1252
            }
            "iso-8859-15" | "iso8859-15" | "iso_8859-15" | "iso885915" | "8859-15" | "latin-9" | "latin9" | "l9" => {
                Self::Iso8859_15
            }
            "cp850" | "cp-850" | "ibm850" | "ibm-850" | "850" | "pc850" => Self::Cp850,
            "cp858" | "cp-858" | "ibm858" | "ibm-858" | "ibm00858" | "cp00858" | "858" | "pc858" => Self::Cp858,
            _ => return None,
        })
    }

    /// The label to write and to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Iso8859_15 => "iso-8859-15",
            Self::Cp850 => "cp850",
            Self::Cp858 => "cp858",
        }
    }

    /// Appends `c` to `out`. `false`, and nothing appended, when the encoding has no such
    /// character.
    pub fn encode(self, c: char, out: &mut Vec<u8>) -> bool {
        if c.is_ascii() {
            out.push(c as u8);
            return true;
        }
        let Some(page) = self.upper_half() else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return true;
        };
        let byte = match (self, c) {
            (Self::Cp858, EURO) => Some(CP858_EURO),
            (Self::Cp858, DOTLESS_I) => None,
            _ => (0x80..=0xFF_u8).zip(page).find(|(_, mapped)| **mapped == c).map(|(byte, _)| byte),
        };
        out.extend(byte);
        byte.is_some()
    }

    /// The character of one byte of a single-byte encoding; none for an unassigned byte, and for
    /// UTF-8 beyond ASCII.
    fn character(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (_, 0..=0x7F) => Some(char::from(byte)),
            (Self::Cp858, CP858_EURO) => Some(EURO),
            _ => self.upper_half().map(|page| page[usize::from(byte - 0x80)]).filter(|c| *c != '\0'),
        }
    }

    fn upper_half(self) -> Option<&'static [char; 128]> {
        match self {
            Self::Utf8 => None,
            Self::Windows1252 => Some(&tables::WINDOWS_1252),
            Self::Iso8859_15 => Some(&tables::ISO_8859_15),
            Self::Cp850 | Self::Cp858 => Some(&tables::CP850),
        }
    }
}

const EURO: char = '€';
/// What CP850 has where CP858 has the euro sign.
const DOTLESS_I: char = 'ı';
const CP858_EURO: u8 = 0xD5;

/// The text of a file. A byte order mark decides over what is declared, and is not part of the
/// text; without a declaration the bytes are UTF-8. UTF-16 needs its mark.
///
/// # Errors
/// `ENCODING` when the bytes are not text in that encoding; `TRUNCATED` when they end inside a
/// character.
pub fn decode(raw: &[u8], declared: Option<Encoding>) -> Result<Cow<'_, str>, Problem> {
    if let Some(rest) = raw.strip_prefix(b"\xEF\xBB\xBF") {
        match (std::str::from_utf8(rest), declared.unwrap_or_default()) {
            (Ok(text), _) => return Ok(Cow::Borrowed(text)),
            (Err(_), Encoding::Utf8) => return decode_utf8(rest),
            (Err(_), _) => {} // Three letters of a code page that look like a mark.
        }
    }
    if let Some(rest) = raw.strip_prefix(b"\xFF\xFE") {
        return decode_utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = raw.strip_prefix(b"\xFE\xFF") {
        return decode_utf16(rest, u16::from_be_bytes);
    }
    if matches!(raw, [0, 1..=255, 0, 1..=255, ..] | [1..=255, 0, 1..=255, 0, ..]) {
        return Err(encoding_problem("the file looks like UTF-16 without its byte order mark"));
    }
    match declared.unwrap_or_default() {
        Encoding::Utf8 => decode_utf8(raw),
        page => decode_page(raw, page),
    }
}

fn decode_utf8(raw: &[u8]) -> Result<Cow<'_, str>, Problem> {
    match std::str::from_utf8(raw) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(fault) if fault.error_len().is_none() => Err(cut_character()),
        Err(fault) => Err(encoding_problem(format!(
            "byte {} is not valid UTF-8; declare the terminal's code page",
            fault.valid_up_to()
        ))),
    }
}

fn decode_utf16(raw: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, Problem> {
    let (pairs, rest) = raw.as_chunks::<2>();
    let mut text = String::with_capacity(raw.len());
    let mut units_read = 0;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok(c) => {
                text.push(c);
                units_read += c.len_utf16();
            }
            Err(lone) if units_read + 1 == pairs.len() && lone.unpaired_surrogate() < 0xDC00 => {
                return Err(cut_character());
            }
            Err(_) => {
                return Err(encoding_problem(format!(
                    "half a surrogate pair at byte {} of the UTF-16 text",
                    units_read * 2
                )));
            }
        }
    }
    if rest.is_empty() { Ok(Cow::Owned(text)) } else { Err(cut_character()) }
}

fn decode_page(raw: &[u8], page: Encoding) -> Result<Cow<'_, str>, Problem> {
    if raw.is_ascii() {
        return decode_utf8(raw);
    }
    let mut text = String::with_capacity(raw.len() + raw.len() / 8);
    for (position, byte) in raw.iter().enumerate() {
        match page.character(*byte) {
            Some(c) => text.push(c),
            None => {
                return Err(encoding_problem(format!("byte {position} means nothing in {}", page.label())));
            }
        }
    }
    Ok(Cow::Owned(text))
}

fn encoding_problem(detail: impl Into<String>) -> Problem {
    Problem::new("ENCODING", "", detail)
}

fn cut_character() -> Problem {
    Problem::new("TRUNCATED", "", "the file ends inside a character")
}

#[cfg(test)]
mod tests;
