//! Text of people into bytes of a code page.
//!
//! The order matters: NFC → control characters to spaces → transliteration → case → encoding → cut
//! → pad. Composed first, an `O` with an accent is the one byte it should be; controls go, because
//! a CR LF in a description would forge a record.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::encoding::Encoding;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    AsIs,
    Upper,
    Lower,
}

/// Which characters are written as others.
#[derive(Clone, Debug)]
pub(super) struct Transliteration {
    /// Typographic quotes, dashes, dots and spaces to ASCII, and € to `EUR` where the code page
    /// lacks it.
    pub typographic: bool,
    /// The profile's own; they win.
    pub own: BTreeMap<char, String>,
}

/// Bytes of a text, at most as many as were asked for.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub bytes: Vec<u8>,
    /// The text goes on beyond the bytes.
    pub cut: bool,
    /// Something in the bytes stands for what the code page does not have.
    pub substituted: bool,
}

/// Turns text into bytes of the profile's code page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scribe<'p> {
    pub encoding: Encoding,
    pub transliteration: &'p Transliteration,
}

impl Scribe<'_> {
    /// Encodes as much of `text` as `room` bytes hold; a character is never split.
    pub(super) fn encode(&self, text: &str, case: Case, room: usize) -> Encoded {
        let mut encoded = Encoded::default();
        let mut spelled = String::new();
        let mut bytes = Vec::new();
        for c in text.nfc() {
            spelled.clear();
            let replaced = self.spell(if is_control(c) { ' ' } else { c }, &mut spelled);
            for c in spelled.chars() {
                bytes.clear();
                let known = self.put(c, case, &mut bytes);
                if encoded.bytes.len() + bytes.len() > room {
                    encoded.cut = true;
                    return encoded;
                }
                encoded.bytes.extend_from_slice(&bytes);
                encoded.substituted |= replaced || !known;
            }
        }
        encoded
    }

    /// The transliteration of one character; true when it stands for one that the code page lacks.
    fn spell(&self, c: char, out: &mut String) -> bool {
        if let Some(own) = self.transliteration.own.get(&c) {
            out.push_str(own);
        } else if self.transliteration.typographic && c == '€' && !self.knows(c) {
            out.push_str("EUR");
            return true;
        } else {
            match typographic(c).filter(|_| self.transliteration.typographic) {
                Some(plain) => out.push_str(plain),
                None => out.push(c),
            }
        }
        false
    }

    /// Appends one character in its case, or `?` and false.
    ///
    /// A change of case that leaves the code page (µ would become a Greek letter) is not made.
    fn put(&self, c: char, case: Case, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let changed = match case {
            Case::AsIs => false,
            Case::Upper => c.to_uppercase().all(|c| self.encoding.encode(c, out)),
            Case::Lower => c.to_lowercase().all(|c| self.encoding.encode(c, out)),
        };
        if changed {
            return true;
        }
        out.truncate(start);
        let known = self.encoding.encode(c, out);
        if !known {
            out.push(b'?');
        }
        known
    }

    fn knows(&self, c: char) -> bool {
        self.encoding.encode(c, &mut Vec::new())
    }
}

/// C0, DEL, C1 and the two Unicode line ends: what some reader takes for the end of a line or of a
/// file.
pub(super) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn typographic(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '′' => "'",
        '“' | '”' | '„' | '″' => "\"",
        '‐' | '‑' | '–' | '—' | '−' => "-",
        '…' => "...",
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        _ => return None,
    })
}
