use super::*;
use crate::json::Value;

fn entity(operations: &[Operation]) -> Merged {
    merge(operations, &Rules::default(), Context::default())
}

fn tags(operations: &[Operation]) -> String {
    set_of(entity(operations).elements("tags", SetRule::Union)).to_canonical()
}

/// Ana, whom her store calls `old`.
fn ana() -> Operation {
    operation(1, 1, 10, r#"{"@exists":true,"tags/old":true}"#, "{}")
}

#[test]
fn whoever_removes_one_element_and_whoever_adds_another_do_not_meet() {
    let removed = operation(1, 2, 20, r#"{"tags/old":false}"#, r#"{"tags/old":[[1,1]]}"#);
    let added = operation(2, 1, 30, r#"{"tags/new":true}"#, "{}");
    let all = [ana(), removed, added];
    assert_eq!(tags(&all), r#"["new"]"#);
    assert!(!Entity::of(&all).is_contested());
}

#[test]
fn an_element_that_is_added_and_removed_at_once_stays_and_is_on_record() {
    let removed = operation(1, 2, 90, r#"{"tags/old":false}"#, r#"{"tags/old":[[1,1]]}"#);
    let again = operation(2, 1, 30, r#"{"tags/old":true}"#, r#"{"tags/old":[[1,1]]}"#);
    let all = [ana(), removed, again.clone()];
    assert_eq!(tags(&all), r#"["old"]"#);
    assert_eq!(entity(&all).columns["tags/old"].losers, [version(1, 2)].into());
    // Whoever has seen both and removes it has the last word.
    let last = operation(3, 1, 5, r#"{"tags/old":false}"#, r#"{"tags/old":[[1,2],[2,1]]}"#);
    assert_eq!(tags(&[all.to_vec(), vec![last]].concat()), "[]");
}

#[test]
fn in_a_table_of_centrals_the_word_of_central_counts_for_each_element() {
    let context = Context { central: 9, is_centrals: true, owner: None };
    let history = [
        operation(9, 1, 10, r#"{"@exists":true,"tags/a":false}"#, "{}"),
        operation(1, 1, 20, r#"{"tags/a":true,"tags/b":true}"#, "{}"),
    ];
    assert_eq!(merge(&history, &Rules::default(), context).elements("tags", SetRule::Union), ["b"]);
}

#[test]
fn an_element_is_whatever_stands_behind_the_first_slash_or_plus() {
    for element in ["vip", "a/b", "a+b", "/", "@x", "ñ \" \\ 日本"] {
        for rule in [SetRule::Union, SetRule::GrowOnly] {
            let register = rule.register("tags", element);
            assert_eq!(Element::of(&register), Some(Element { column: "tags", rule, name: element }));
            let patch = Patch::from([(register, value("true"))]);
            let written = Operation { version: version(1, 1), hlc: 0, patch, base: Base::default() };
            assert_eq!(operation(1, 1, 0, &written.patch_text(), "{}"), written);
        }
    }
    assert_eq!(Element::of("tags"), None);
    assert_eq!(SetRule::from_word("union"), Some(SetRule::Union));
    assert_eq!(SetRule::from_word("greatest"), None);
    assert_eq!(set_of(["b", "ñ", "B", "b", "a"]).to_canonical(), r#"["B","a","b","ñ"]"#);
}

#[test]
fn a_set_has_one_form_and_says_what_it_cannot_be() {
    let form = |text: &str| as_set(&value(text)).map(|set| set.to_canonical());
    assert_eq!(form(r#"["b","a","b"]"#).as_deref(), Ok(r#"["a","b"]"#));
    assert_eq!(form("[]").as_deref(), Ok("[]"));
    // One letter, or a letter and its accent.
    assert_eq!(form(r#"["caf\u00e9","cafe\u0301"]"#).as_deref(), Ok("[\"caf\u{e9}\"]"));
    let many: Vec<_> = (0..501).map(|nth| Value::String(nth.to_string())).collect();
    assert!(as_set(&Value::Array(many[1..].to_vec())).is_ok());
    assert_eq!(as_set(&Value::Array(many)), Err("a set has 500 elements at most"));
    for text in ["null", "\"a\"", "{}", "[1]", "[null]", "[[]]"] {
        assert_eq!(form(text), Err("a set is an array of texts"), "{text}");
    }
    let long = |chars: usize| Value::Array(vec![Value::String("ñ".repeat(chars))]);
    assert!(as_set(&long(100)).is_ok());
    for value in [long(101), long(0)] {
        assert_eq!(as_set(&value), Err("an element of a set has 1 to 100 characters"));
    }
}

#[test]
fn of_an_erased_entity_nothing_is_left_whatever_arrives_and_nothing_brings_it_back() {
    let create = operation(1, 1, 10, r#"{"@exists":true,"name":"Ana","tags/ill":true}"#, "{}");
    let edit = operation(2, 1, 90, r#"{"name":"Anna","@exists":true}"#, r#"{"name":[[1,1]],"@exists":[[1,1]]}"#);
    let erased = Draft::erase(&Entity::of([&create])).stamped(version(3, 1), 50);
    assert_eq!(erased.patch_text(), r#"{"@erased":true,"@exists":false}"#);
    let undelete = operation(2, 2, 99, r#"{"@exists":true}"#, r#"{"@exists":[[2,1],[3,1]]}"#);
    let history = [create, edit, erased, undelete];
    let whole = Entity::of(&history);
    assert!(whole.is_erased());
    assert_eq!(whole.0.keys().collect::<Vec<_>>(), ["@erased", "@exists"]);
    let merged = entity(&history);
    assert!(!merged.exists() && !merged.waits() && merged.columns.is_empty());
    for first in 0..4 {
        let mut late = Entity::default();
        for nth in 0..4 {
            let next = &history[(first + nth) % 4];
            let named = |register: &str| history.iter().any(|other| other.seen(register).contains(&next.version));
            late.advance(next, named);
        }
        assert_eq!(late, whole);
    }
}

#[test]
fn a_store_erases_nothing_in_a_table_of_centrals() {
    let erasing = operation(1, 1, 10, r#"{"@erased":true,"@exists":false}"#, "{}");
    assert!(!erasing.clone().subject_to(9).erases());
    assert!(erasing.subject_to(1).erases());
}

#[test]
fn what_is_left_of_an_operation_is_readable_and_known_again() {
    for (patch, base, left, base_left) in [
        (r#"{"name":"Ana"}"#, r#"{"name":[[1,1]]}"#, r#"{"@blank":true}"#, "{}"),
        (
            r#"{"tags/ill":true,"@exists":true}"#,
            r#"{"@exists":[[1,1]],"tags/ill":[[1,1]]}"#,
            r#"{"@blank":true,"@exists":true}"#,
            r#"{"@exists":[[1,1]]}"#,
        ),
        (r#"{"@exists":false}"#, "{}", r#"{"@exists":false}"#, "{}"),
        // Of a later version, and of nobody's.
        (r#"{"@later":1,"phone":"1"}"#, "{}", r#"{"@blank":true,"@later":1}"#, "{}"),
        ("{", "nothing", r#"{"@blank":true}"#, "{}"),
        (r#"["Ana"]"#, "[]", r#"{"@blank":true}"#, "{}"),
    ] {
        let blank = blank_texts(patch, base);
        assert_eq!(blank, (left.to_owned(), base_left.to_owned()));
        assert_eq!(blank_texts(&blank.0, &blank.1), blank);
        assert!(is_same_operation((patch, base), (&blank.0, &blank.1)), "{patch}");
        assert!(is_same_operation((&blank.0, &blank.1), (patch, base)), "{patch}");
        if let Ok(read) = Operation::from_text(version(3, 9), 0, patch, base) {
            assert_eq!(Operation::from_text(version(3, 9), 0, &blank.0, &blank.1), Ok(read.blanked()));
        }
    }
    assert!(!is_same_operation((r#"{"name":"Ana"}"#, "{}"), (r#"{"name":"Eve"}"#, "{}")));
    assert!(!is_same_operation((r#"{"@blank":true}"#, "{}"), (r#"{"@exists":true}"#, "{}")));
    assert!(!is_same_operation((r#"{"@blank":true}"#, "{}"), (r#"{"name":"A","@exists":true}"#, "{}")));
    // One that says so and has values all the same.
    let lie = r#"{"@blank":true,"name":"A"}"#;
    assert!(!is_blank(lie) && !is_same_operation((lie, "{}"), (r#"{"name":"B"}"#, "{}")));
}

#[test]
fn a_column_shows_no_element_that_jsonb_cannot_hold() {
    let odd = operation(2, 1, 30, r#"{"tags/a\u0000b":true,"tags/new":true}"#, "{}");
    assert_eq!(tags(&[ana(), odd]), r#"["new","old"]"#);
}
