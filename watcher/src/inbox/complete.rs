//! Is the JSON in this buffer complete? Pure: bytes in, answer out.
//!
//! Nowhere else does the watcher look inside a file. It does not parse: it follows strings and
//! brackets to the end of the first value. Whatever is not an object or an array counts as
//! complete, because waiting would not make a receipt of it. The database refuses it, with a code
//! and a reason.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The outermost bracket is closed, or there is no outermost bracket.
    Complete,
    /// The rest is still to come, or will never come.
    Incomplete,
    /// Nothing but white space.
    Empty,
}

/// Judges all that is in the file now.
pub fn content(bytes: &[u8]) -> Content {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => follow(rest.iter().copied()),
        [0xFF, 0xFE, rest @ ..] => follow(code_units(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => follow(code_units(rest, u16::from_be_bytes)),
        rest => follow(rest.iter().copied()),
    }
}

/// UTF-16 as one byte per code unit. Only ASCII matters to `follow`; anything else becomes a
/// letter.
fn code_units(bytes: &[u8], decode: fn([u8; 2]) -> u16) -> impl Iterator<Item = u8> {
    bytes.as_chunks::<2>().0.iter().map(move |pair| u8::try_from(decode(*pair)).unwrap_or(b'x'))
}

fn follow(bytes: impl Iterator<Item = u8>) -> Content {
    let (mut depth, mut in_string, mut escaped, mut nul) = (0_u64, false, false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'{' | b'[' => depth += 1,
            // A bracket of the wrong kind closes too: the database says what is wrong with it.
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Content::Complete;
                }
            }
            b'"' if depth > 0 => in_string = true,
            _ if depth > 0 => {}
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // A share may reserve the full length first, so that a receipt begins as zeros.
            0 => nul = true,
            _ => return Content::Complete,
        }
    }
    if depth > 0 || nul { Content::Incomplete } else { Content::Empty }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Content::*, content};

    #[test]
    fn nothing_or_white_space_is_empty() {
        for bytes in [&b""[..], b" \r\n\t", b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF\0 "] {
            assert_eq!(content(bytes), Empty, "{bytes:?}");
        }
    }

    #[test]
    fn brackets_and_quotes_inside_strings_do_not_count() {
        assert_eq!(content(br#"{"a":"}\"}"#), Incomplete);
        assert_eq!(content(br#"{"a":"}\"}"}"#), Complete);
        assert_eq!(content(br#"{"a":"\\"}"#), Complete);
    }

    #[test]
    fn what_follows_the_value_and_what_is_no_value_is_for_the_database_to_refuse() {
        for bytes in [&b"{} trailing {"[..], b"garbage", b"12", b"]", b"\"text", b"\x89PNG", b"{]"] {
            assert_eq!(content(bytes), Complete, "{bytes:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_decides_the_width_of_a_character() {
        let text = "{\"a\":\"\u{7d}\u{227d}\u{1F600}\"}";
        let little: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for whole in [little, big] {
            assert_eq!(content(&whole), Complete);
            assert_eq!(content(&whole[..whole.len() - 1]), Incomplete, "half of the last code unit is missing");
            assert_eq!(content(&whole[..whole.len() - 2]), Incomplete);
        }
    }

    #[test]
    fn a_file_reserved_as_zeros_is_not_there_yet() {
        assert_eq!(content(&[0; 100]), Incomplete);
        assert_eq!(content(b"{\"a\":1\0\0\0\0"), Incomplete);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::vec((".*", inner), 0..6)
                    .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_proper_prefix_of_an_object_is_incomplete_and_the_whole_complete(
            pairs in prop::collection::vec((".*", json()), 0..4), cut in any::<prop::sample::Index>()
        ) {
            let whole = serde_json::Value::Object(pairs.into_iter().collect()).to_string();
            prop_assert_eq!(content(whole.as_bytes()), Complete);
            let cut = 1 + cut.index(whole.len() - 1);
            prop_assert_eq!(content(&whole.as_bytes()[..cut]), Incomplete);
        }

        #[test]
        fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            content(&bytes);
        }
    }
}
