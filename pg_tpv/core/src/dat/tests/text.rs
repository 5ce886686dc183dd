use super::*;

/// What a text field of `length` in `encoding` makes of a description.
fn described(encoding: &str, options: &str, length: usize, text: &str) -> (Vec<u8>, bool) {
    let profile =
        format!(r#"{{"encoding":"{encoding}",{options}"fields":[{{"name":"description","length":{length}}}]}}"#);
    let text = Value::String(text.to_owned());
    let receipt = Value::Object(vec![(
        "items".to_owned(),
        Value::Array(vec![Value::Object(vec![("description".to_owned(), text)])]),
    )]);
    let made = render(&super::profile(&profile), &receipt).unwrap();
    (made.bytes, made.substituted)
}

fn latin1252(length: usize, text: &str) -> String {
    latin(&described("windows-1252", "", length, text).0)
}

#[test]
fn typographic_characters_become_plain_ones_before_the_text_is_cut() {
    assert_eq!(latin1252(20, "“curly” ‘quotes’…"), "\"curly\" 'quotes'... ");
    assert_eq!(latin1252(20, "a–b—c‐d‑e−f"), "a-b-c-d-e-f         ");
    assert_eq!(latin1252(12, "a\u{a0}b\u{2009}c\u{202f}d\u{3000}e′″"), "a b c d e'\" ");
    let long = format!("“{}…", "JAMÓN DE BELLOTA ".repeat(7));
    assert_eq!(long.chars().count(), 121);
    assert_eq!(latin1252(20, &long), "\"JAMÓN DE BELLOTA JA");
}

#[test]
fn a_control_character_is_one_space() {
    assert_eq!(latin1252(12, "a\r\nb\tc\0d\u{1a}e\u{7f}"), "a  b c d e  ");
    assert_eq!(latin1252(6, "a\u{85}b\u{2028}c"), "a b c ");
    assert_eq!(described("utf-8", r#""transliterate":false,"#, 6, "a\u{85}b\u{2028}c").0, b"a b c ");
    let made = one_field(r#""length":5"#, r#""a\u0000\u001ab""#).unwrap();
    assert_eq!(made, "a  b ");
}

#[test]
fn text_is_composed_first() {
    assert_eq!(latin1252(6, "JAMO\u{301}N"), "JAMÓN ");
    assert_eq!(latin1252(6, "JAMO\u{301}N"), latin1252(6, "JAMÓN"));
}

#[test]
fn what_the_code_page_lacks_is_replaced_at_the_exact_width_and_flagged() {
    assert_eq!(described("windows-1252", "", 6, "a🐟魚b"), (b"a??b  ".to_vec(), true));
    assert_eq!(described("windows-1252", "", 4, "5 €"), (b"5 \x80 ".to_vec(), false));
    assert_eq!(described("iso-8859-15", "", 4, "5 €"), (b"5 \xa4 ".to_vec(), false));
    assert_eq!(described("cp858", "", 4, "5 €"), (b"5 \xd5 ".to_vec(), false));
    assert_eq!(described("cp850", "", 6, "5 €"), (b"5 EUR ".to_vec(), true));
    assert_eq!(described("cp850", "", 4, "5 €"), (b"5 EU".to_vec(), true));
    assert_eq!(described("cp850", r#""transliterate":false,"#, 4, "5 €"), (b"5 ? ".to_vec(), true));
}

#[test]
fn what_is_cut_away_was_not_substituted() {
    assert_eq!(described("windows-1252", "", 3, "abc🐟"), (b"abc".to_vec(), false));
    assert_eq!(described("windows-1252", "", 3, "ab🐟"), (b"ab?".to_vec(), true));
}

#[test]
fn each_encoding_has_its_own_byte() {
    for (encoding, bytes) in [
        ("windows-1252", b"\xd1\xf3".as_slice()),
        ("iso-8859-15", b"\xd1\xf3"),
        ("cp850", b"\xa5\xa2"),
        ("cp858", b"\xa5\xa2"),
        ("utf-8", b"\xc3\x91\xc3\xb3"),
    ] {
        assert_eq!(described(encoding, "", bytes.len(), "Ñó").0, bytes, "{encoding}");
    }
}

#[test]
fn a_character_of_utf_8_is_never_split() {
    assert_eq!(described("utf-8", "", 4, "aÑÑÑ").0, "aÑ ".as_bytes());
    assert_eq!(described("utf-8", "", 5, "aÑÑÑ").0, "aÑÑ".as_bytes());
    assert_eq!(described("utf-8", "", 3, "🐟b").0, b"   ");
    assert_eq!(described("utf-8", "", 6, "“a”€"), ("\"a\"€".as_bytes().to_vec(), false));
}

#[test]
fn transliteration_can_be_off_or_extended() {
    assert_eq!(described("windows-1252", r#""transliterate":false,"#, 3, "’…\u{a0}").0, b"\x92\x85\xa0");
    let own = r#""transliterate":{"ñ":"ny","&":" Y ","’":"´","→":""},"#;
    assert_eq!(described("windows-1252", own, 12, "CAÑA ñ&→’…"), (b"CA\xd1A ny Y \xb4.".to_vec(), false));
    assert_eq!(described("windows-1252", r#""transliterate":{"€":"E"},"#, 3, "€€").0, b"EE ");
}

#[test]
fn case_changes_only_what_stays_in_the_code_page() {
    let upper = r#""length":10,"case":"upper""#;
    assert_eq!(one_field(upper, r#""jamón ß""#).unwrap(), "JAMÓN SS  ");
    assert_eq!(one_field(upper, r#""5 µg""#).unwrap(), "5 µG      ");
    assert_eq!(one_field(r#""length":6,"case":"lower""#, r#""JAMÓN""#).unwrap(), "jamón ");
    assert_eq!(one_field(r#""length":6,"case":"none""#, r#""Ñandú""#).unwrap(), "Ñandú ");
}

#[test]
fn overflow_of_text_follows_its_side_unless_the_profile_says_otherwise() {
    assert_eq!(one_field(r#""length":3"#, r#""abcd""#).unwrap(), "abc");
    assert_eq!(one_field(r#""length":3,"align":"right","overflow":"truncate""#, r#""abcd""#).unwrap(), "abc");
    for field in [r#""length":3,"overflow":"reject""#, r#""length":3,"align":"right""#] {
        assert_eq!(refusal(one_field(field, r#""abcd""#)), ("FIELD_OVERFLOW", "/items/0/x".to_owned()));
        assert!(one_field(field, r#""abc""#).is_ok());
    }
    assert_eq!(one_field(r#""length":4,"align":"right","pad":"*""#, r#""ab""#).unwrap(), "**ab");
}
