//! Which identifiers are safe to build the name of a file from.

use crate::json::SettingsReader;

/// Whether `text` may be an identifier of a terminal, department or series: 1 to 32 of
/// `A-Z a-z 0-9 . _ -`, beginning with a letter or digit, no dot at the end nor two in a row, and
/// not the name of a Windows device, which a till's share cannot hold. A whitelist: nothing else
/// ever reaches a path.
pub fn is_id(text: &str) -> bool {
    text.len() <= 32 && is_name(text)
}

/// The same with up to 64 characters: the number of a receipt may be a UUID, or a long word.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !text.ends_with('.')
        && !text.contains("..")
        && !is_device(text.split('.').next().unwrap_or_default())
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    let numbered = |port: &str| matches!(stem.strip_prefix(port).map(str::as_bytes), Some([b'1'..=b'9']));
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

/// `id_map`: what stands in a file's name for a blank and for a slash of a receipt's number. The
/// number itself, with its blanks and slashes, stays the receipt's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdMap {
    /// For a blank; none when a number may have none.
    pub blank: Option<String>,
    /// For a slash; none when a number may have none.
    pub slash: Option<String>,
}

impl IdMap {
    /// Reads the setting: `{" ": "_", "/": "-"}`, or one of the two.
    pub(super) fn read(mut map: SettingsReader<'_, '_>) -> Self {
        let wanted = "this must be a text of at most 8 letters, digits, points, hyphens and underscores";
        let text = |text: &str| {
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            (text.len() <= 8 && text.bytes().all(safe)).then(|| text.to_owned())
        };
        let read = Self { blank: map.parsed(" ", wanted, text), slash: map.parsed("/", wanted, text) };
        map.finish();
        read
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        self.blank.is_none() && self.slash.is_none()
    }

    /// What stands for a receipt's number in the name of a file; none when the number is none.
    pub fn name_of(&self, number: &str) -> Option<String> {
        if number.len() > 64 || number.starts_with(' ') || number.ends_with(' ') {
            return None;
        }
        let mut name = String::new();
        for c in number.chars() {
            match c {
                ' ' => name.push_str(self.blank.as_deref()?),
                '/' => name.push_str(self.slash.as_deref()?),
                c => name.push(c),
            }
        }
        is_name(&name).then_some(name)
    }
}

/// Whether a stored body may have this number: it was judged when it came, under a map that is not
/// known here.
pub(super) fn is_stored_number(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._- /".contains(&byte))
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_blanks_and_slashes_has_a_name_where_the_terminal_declares_one() {
        let both = IdMap { blank: Some("_".into()), slash: Some("-".into()) };
        for (number, name) in [
            ("T/2026/000123", "T-2026-000123"),
            ("Order 06393-028", "Order_06393-028"),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ] {
            assert_eq!(both.name_of(number).as_deref(), Some(name));
            assert_eq!(IdMap::default().name_of(number).is_some(), number == name);
            assert!(is_stored_number(number));
        }
        let none = IdMap { blank: Some(String::new()), slash: Some(String::new()) };
        assert_eq!(none.name_of("T/2026 1").as_deref(), Some("T20261"));
        for bad in ["../../x", "/etc", " 1", "1 ", "A/", "A\\1", "CON/x", "A\t1", "Ñ", "", "/", " ", &"9".repeat(65)] {
            let dotted = IdMap { blank: Some(".".into()), slash: Some(".".into()) };
            assert_eq!(dotted.name_of(bad), None, "{bad}");
        }
        assert_eq!(both.name_of("A//1").as_deref(), Some("A--1"));
    }

    #[test]
    fn only_what_is_safe_in_a_file_name_is_an_identifier() {
        for good in
            ["1", "A", "a1", "T04", "000123", "A-1_b.2", "CONSUM", "COM0", "COM10", "LPT", "x.CON", &"9".repeat(32)]
        {
            assert!(is_id(good) && is_name(good), "{good}");
        }
        assert!(is_name(&"9".repeat(64)) && !is_name(&"9".repeat(65)));
        for bad in [
            "",
            ".",
            "..",
            "../../x",
            "A/1",
            "A\\1",
            "a..b",
            "a.",
            ".a",
            "-a",
            "_a",
            "a b",
            " a",
            "a\n",
            "a\0",
            "Ñ",
            "١",
            "CON",
            "con",
            "Con.txt",
            "nul",
            "AUX.1",
            "PRN",
            "COM1",
            "com9.x",
            "LPT3",
            "a:b",
            "a*",
            &"9".repeat(33),
        ] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }
}
