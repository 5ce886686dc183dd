use super::*;

const PAGES: [Encoding; 4] = [Encoding::Windows1252, Encoding::Iso8859_15, Encoding::Cp850, Encoding::Cp858];

fn encoded(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    text.chars().all(|c| encoding.encode(c, &mut out)).then_some(out)
}

fn code(raw: &[u8], declared: Option<Encoding>) -> &'static str {
    decode(raw, declared).map_or_else(|problem| problem.code, |_| "ok")
}

#[test]
fn every_assigned_byte_survives_a_round_trip_and_no_other_is_read() {
    for page in PAGES {
        for byte in 0..=255_u8 {
            match decode(&[b'x', byte], Some(page)) {
                Ok(text) => assert_eq!(encoded(page, &text).unwrap(), [b'x', byte], "{page:?} {byte:02X}"),
                Err(problem) => assert_eq!(problem.code, "ENCODING"),
            }
        }
    }
}

#[test]
fn the_unassigned_bytes_are_those_of_the_standards() {
    let unassigned = |page| (0..=255_u8).filter(|b| decode(&[b'x', *b], Some(page)).is_err()).collect::<Vec<_>>();
    assert_eq!(unassigned(Encoding::Windows1252), [0x81, 0x8D, 0x8F, 0x90, 0x9D]);
    assert_eq!(unassigned(Encoding::Iso8859_15), (0x80..=0x9F).collect::<Vec<u8>>());
    assert!(unassigned(Encoding::Cp850).is_empty());
    assert!(unassigned(Encoding::Cp858).is_empty());
}

#[test]
fn known_characters_have_their_known_bytes() {
    for (page, text, bytes) in [
        (Encoding::Windows1252, "JAMÓN €", &b"JAM\xD3N \x80"[..]),
        (Encoding::Iso8859_15, "JAMÓN €Ž", b"JAM\xD3N \xA4\xB4"),
        (Encoding::Cp850, "JAMÓN ñÑı", b"JAM\xE0N \xA4\xA5\xD5"),
        (Encoding::Cp858, "JAMÓN €", b"JAM\xE0N \xD5"),
        (Encoding::Utf8, "Ó€😀", "Ó€😀".as_bytes()),
    ] {
        assert_eq!(encoded(page, text).as_deref(), Some(bytes), "{page:?}");
        assert_eq!(decode(bytes, Some(page)).unwrap(), text, "{page:?}");
    }
}

#[test]
fn a_character_the_page_lacks_is_refused_and_leaves_no_byte() {
    for (page, c) in [
        (Encoding::Cp850, '€'),
        (Encoding::Cp858, 'ı'),
        (Encoding::Windows1252, '\u{81}'),
        (Encoding::Iso8859_15, '¤'),
        (Encoding::Windows1252, '中'),
    ] {
        let mut out = Vec::new();
        assert!(!page.encode(c, &mut out), "{page:?}");
        assert!(out.is_empty());
    }
}

#[test]
fn labels_are_read_in_any_case_and_written_back() {
    for encoding in PAGES.into_iter().chain([Encoding::Utf8]) {
        assert_eq!(Encoding::from_label(encoding.label()), Some(encoding));
        assert_eq!(Encoding::from_label(&encoding.label().to_uppercase()), Some(encoding));
    }
    assert_eq!(Encoding::from_label("IBM00858"), Some(Encoding::Cp858));
    assert_eq!(Encoding::from_label("latin1"), None);
}

#[test]
fn a_byte_order_mark_is_taken_off_and_wins_over_the_declaration() {
    let text = "Ó€😀";
    let le: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let be: Vec<u8> = [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let utf8 = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for raw in [&le, &be, &utf8] {
        assert_eq!(decode(raw, None).unwrap(), text);
        assert_eq!(decode(raw, Some(Encoding::Cp850)).unwrap(), text);
    }
}

#[test]
fn what_is_not_text_is_refused_and_what_is_cut_is_truncated() {
    assert_eq!(code(b"JAM\xD3N", None), "ENCODING");
    assert_eq!(code(b"JAM\xE0N", Some(Encoding::Utf8)), "ENCODING");
    assert_eq!(code(b"JAM\xC3", None), "TRUNCATED");
    assert_eq!(code(b"\xEF\xBB\xBFJAM\xC3", None), "TRUNCATED");
    assert_eq!(code(b"\xEF\xBB\xBFJAM\xC3(", None), "ENCODING");
    assert_eq!(code(b"\xFF\xFE{\0\x22", None), "TRUNCATED");
    assert_eq!(code(b"\xFF\xFE{\0\x3D\xD8", None), "TRUNCATED");
    assert_eq!(code(b"\xFF\xFE\x3D\xD8{\0", None), "ENCODING");
    assert_eq!(code(b"\xFF\xFE\x00\xDE", None), "ENCODING");
    assert_eq!(code(b"{\0\x22\0", None), "ENCODING");
    assert_eq!(code(b"\0{\0\x22", Some(Encoding::Windows1252)), "ENCODING");
    assert_eq!(code(b"", None), "ok");
}
