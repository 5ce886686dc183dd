//! Which identifiers are safe to build the name of a file from.

/// Whether `text` may be an identifier of a receipt, terminal, department or series: 1 to 32 of
/// `A-Z a-z 0-9 . _ -`, beginning with a letter or digit, no dot at the end nor two in a row, and
/// not the name of a Windows device, which a till's share cannot hold. A whitelist: nothing else
/// ever reaches a path.
pub fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_in_a_file_name_is_an_identifier() {
        for good in
            ["1", "A", "a1", "T04", "000123", "A-1_b.2", "CONSUM", "COM0", "COM10", "LPT", "x.CON", &"9".repeat(32)]
        {
            assert!(is_id(good), "{good}");
        }
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
