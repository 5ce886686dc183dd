use proptest::prelude::*;

use super::*;

fn kind(text: &str) -> Option<JsonErrorKind> {
    read(text, 16).err().map(|error| error.kind)
}

#[test]
fn json_is_read_as_rfc_8259_says_and_faults_have_their_kind() {
    use JsonErrorKind::{Depth, DupKey, LoneSurrogate, Syntax, TrailingData, Truncated};
    for (text, expected) in [
        (r#" {"a":[1,-2.50,3e+4,true,false,null,"x"],"b":{}} "#, None),
        ("", Some(Truncated)),
        ("  \n", Some(Truncated)),
        ("{", Some(Truncated)),
        (r#"{"a""#, Some(Truncated)),
        (r#"{"a":1,"#, Some(Truncated)),
        (r#"{"a":1."#, Some(Truncated)),
        (r#"{"a":tru"#, Some(Truncated)),
        (r#"{"a":"\u00"#, Some(Truncated)),
        (r#"{"a":"\ud83d"#, Some(Truncated)),
        ("{\"a\":1\0\0\0", Some(Truncated)),
        ("\0\0", Some(Truncated)),
        ("{\"a\":1\0\0}", Some(Syntax)),
        ("{} x", Some(TrailingData)),
        ("{}{}", Some(TrailingData)),
        ("1 2", Some(TrailingData)),
        ("{\"a\":1}\0", Some(TrailingData)),
        (r#"{"a":1,"b":2,"a":3}"#, Some(DupKey)),
        (r#"{"a":1,"\u0061":3}"#, Some(DupKey)),
        (r#"[{"x":{"a":1,"a":1}}]"#, Some(DupKey)),
        ("NaN", Some(Syntax)),
        ("Infinity", Some(Syntax)),
        ("-Infinity", Some(Syntax)),
        ("01", Some(TrailingData)),
        ("[01]", Some(Syntax)),
        ("+1", Some(Syntax)),
        (".5", Some(Syntax)),
        ("[1.]", Some(Syntax)),
        ("[1e]", Some(Syntax)),
        ("[1,]", Some(Syntax)),
        (r#"{"a":1,}"#, Some(Syntax)),
        ("{a:1}", Some(Syntax)),
        ("{'a':1}", Some(Syntax)),
        ("// x\n1", Some(Syntax)),
        ("\u{FEFF}1", Some(Syntax)),
        ("\u{A0}1", Some(Syntax)),
        ("\"a\nb\"", Some(Syntax)),
        (r#""\x41""#, Some(Syntax)),
        (r#""\u00g0""#, Some(Syntax)),
        (r#""\u+041""#, Some(Syntax)),
        (r#""\ud83d""#, Some(LoneSurrogate)),
        (r#""\ude00""#, Some(LoneSurrogate)),
        (r#""\ud83d\ud83d""#, Some(LoneSurrogate)),
        (r#""\ud83dx""#, Some(LoneSurrogate)),
        ("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", None),
        ("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", Some(Depth)),
    ] {
        assert_eq!(kind(text), expected, "{text:?}");
    }
}

#[test]
fn an_error_says_where_it_is() {
    let error = read(r#"{"items":[{"a":1},{"b":1,"b":2}]}"#, 16).unwrap_err();
    assert_eq!((error.kind, error.pointer.as_str()), (JsonErrorKind::DupKey, "/items/1/b"));
    let error = read(r#"{"total": 1,5}"#, 16).unwrap_err();
    assert_eq!((error.kind, error.pointer.as_str(), error.offset), (JsonErrorKind::Syntax, "", 12));
}

#[test]
fn no_depth_a_caller_allows_overflows_the_stack() {
    let hostile = "[".repeat(1_000_000);
    assert_eq!(read(&hostile, usize::MAX).unwrap_err().kind, JsonErrorKind::Depth);
}

#[test]
fn escapes_become_their_characters() {
    let text = r#""\"\\\/\b\f\n\r\t\u0000\u00d3\ud83d\ude00""#;
    assert_eq!(read(text, 1).unwrap().as_str(), Some("\"\\/\u{8}\u{c}\n\r\t\0Ó😀"));
}

#[test]
fn the_canonical_form_sorts_keys_by_bytes_and_keeps_number_text() {
    let value = read(r#"{ "b":1.50, "é":2, "a":[ {"z":null, "y":"\u0001\u007f\/"} ], "B":-0 }"#, 16).unwrap();
    assert_eq!(
        value.to_canonical(),
        r#"{"B":-0,"a":[{"y":"\u0001"#.to_owned() + "\u{7f}" + r#"/","z":null}],"b":1.50,"é":2}"#
    );
}

#[test]
fn a_hundred_thousand_keys_are_no_trouble() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    assert!(read(&format!("{{{}}}", members.join(",")), 2).is_ok());
    let error = read(&format!("{{{},\"k7\":1}}", members.join(",")), 2).unwrap_err();
    assert_eq!((error.kind, error.pointer.as_str()), (JsonErrorKind::DupKey, "/k7"));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_comes_back_byte_for_byte(value in any_json()) {
        // serde_json's map is sorted, so its compact form is ours.
        prop_assert_eq!(read(&value.to_string(), 16).unwrap().to_canonical(), value.to_string());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(read(&pretty, 16).unwrap().to_canonical(), value.to_string());
    }

    #[test]
    fn every_beginning_of_an_object_is_truncated(value in any_json(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::json!({ "a": value }).to_string();
        let mut cut = cut.index(text.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        prop_assert_eq!(kind(&text[..cut]), Some(JsonErrorKind::Truncated));
    }

    #[test]
    fn what_is_accepted_serde_json_accepts_too(text in "[\\[\\]{}\",:0-9+.tfn\\\\u -]{0,24}") {
        match read(&text, 16) {
            Ok(value) => {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
                prop_assert_eq!(read(&value.to_canonical(), 16).unwrap().to_canonical(), value.to_canonical());
            }
            Err(error) => prop_assert!(
                matches!(error.kind, JsonErrorKind::DupKey | JsonErrorKind::Depth)
                    || serde_json::from_str::<serde_json::Value>(&text).is_err()
                    , "{:?} {:?}", text, error
            ),
        }
    }
}
