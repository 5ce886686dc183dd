use proptest::prelude::*;

use super::*;

#[test]
fn an_operation_is_written_canonically_however_it_came() {
    let patch = r#"{"name": "Pan", "address": {"street": "Mayor", "city": "León", "no": 1.50}, "@exists": true}"#;
    let operation = operation(7, 9, 0, patch, r#"{"name": [[7,3],[1,20],[7,3]], "address": []}"#);
    assert_eq!(
        operation.patch_text(),
        r#"{"@exists":true,"address":{"city":"León","no":1.50,"street":"Mayor"},"name":"Pan"}"#
    );
    assert_eq!(operation.base_text(), r#"{"name":[[1,20],[7,3]]}"#);
}

#[test]
fn an_operation_that_can_not_be_read_says_where_and_why() {
    for (patch, base, code, said) in [
        ("{", "{}", "OPERATION_JSON", "the patch of an operation or a policy is not JSON"),
        ("[]", "{}", "OPERATION_PATCH", "this must be an object"),
        ("{}", "{}", "OPERATION_PATCH", "must write something"),
        (r#"{"":1}"#, "{}", "OPERATION_PATCH", "a column has a name"),
        (r#"{"@exists":1}"#, "{}", "OPERATION_PATCH", "true or false"),
        (r#"{"@alias":1}"#, "{}", "OPERATION_PATCH", "a key or null"),
        (r#"{"@later":1}"#, "{}", "OPERATION_PATCH", "@erased and @exists"),
        (r#"{"@erased":false}"#, "{}", "OPERATION_PATCH", "must be true"),
        (r#"{"@blank":1}"#, "{}", "OPERATION_PATCH", "must be true"),
        (r#"{"@blank":true,"name":"A"}"#, "{}", "OPERATION_PATCH", "has no values"),
        (r#"{"credit_limit":1e400000}"#, "{}", "OPERATION_PATCH", "larger or finer"),
        (r#"{"opening_hours":[{"x":[1e-20000]}]}"#, "{}", "OPERATION_PATCH", "larger or finer"),
        (r#"{"tags/vip":null}"#, "{}", "OPERATION_PATCH", "true or false"),
        (r#"{"seen+nuts":false}"#, "{}", "OPERATION_PATCH", "only grows"),
        (r#"{"tags/":true}"#, "{}", "OPERATION_PATCH", "a column and a name"),
        (r#"{"/vip":true}"#, "{}", "OPERATION_PATCH", "a column and a name"),
        (r#"{"a":1}"#, "", "OPERATION_JSON", "the base of"),
        (r#"{"a":1}"#, "[]", "OPERATION_BASE", "this must be an object"),
        (r#"{"a":1}"#, r#"{"a":1}"#, "OPERATION_BASE", "an array"),
        (r#"{"a":1}"#, r#"{"a":[[1]]}"#, "OPERATION_BASE", "[node, seq]"),
        (r#"{"a":1}"#, r#"{"a":[[1,2.5]]}"#, "OPERATION_BASE", "[node, seq]"),
        (r#"{"a":1}"#, r#"{"a":[[3000000000,2]]}"#, "OPERATION_BASE", "[node, seq]"),
        (r#"{"a":1}"#, r#"{"b":[[1,2]]}"#, "OPERATION_BASE", "does not write this"),
        (r#"{"a":1}"#, r#"{"a":[[7,9]]}"#, "OPERATION_BASE", "only earlier ones"),
    ] {
        let fault = Operation::from_text(version(7, 9), 0, patch, base).unwrap_err();
        assert_eq!(fault.code(), code, "{patch} {base}");
        assert!(fault.to_string().contains(said), "{fault}");
    }
}

#[test]
fn a_rule_is_a_word_or_an_object_with_more_to_say() {
    for (text, stored) in [
        ("last_write", "last_write"),
        (" \"first_write\" ", "first_write"),
        (r#"{"rule":"review"}"#, "review"),
        ("least", "least"),
        (r#"{"rule":"least","order":["none","email","all"]}"#, r#"{"order":["none","email","all"],"rule":"least"}"#),
        (r#"{"order":[null,false,true],"rule":"greatest"}"#, r#"{"order":[null,false,true],"rule":"greatest"}"#),
        (r#"{"rule":"custom","function":"sync.f"}"#, r#"{"function":"sync.f","rule":"custom"}"#),
    ] {
        let rule = Rule::from_text(text).unwrap();
        assert_eq!(rule.to_text(), stored);
        assert_eq!(Rule::from_text(stored), Ok(rule));
    }
    for word in ["first_write", "central_wins", "owner_wins", "greatest"] {
        assert_eq!(Rule::from_text(word).unwrap().word(), word);
    }
}

#[test]
fn a_rule_that_can_not_be_read_says_what_is_accepted() {
    for (text, said) in [
        ("newest", "there are last_write, first_write, central_wins"),
        ("", "there are last_write"),
        ("union", "declares what is a set"),
        (r#"{"rule":"grow_only"}"#, "declares what is a set"),
        (r#"{"rule":"newest"}"#, "there are last_write"),
        ("{}", "there are last_write"),
        ("{", "not JSON"),
        ("custom", "name of an immutable function"),
        (r#"{"rule":"custom","function":""}"#, "name of an immutable function"),
        (r#"{"rule":"last_write","order":[1,2]}"#, "takes no options"),
        (r#"{"rule":"least","ordr":[1,2]}"#, "this rule takes order"),
        (r#"{"rule":"least","order":"none"}"#, "from the least to the greatest"),
        (r#"{"rule":"least","order":[]}"#, "from the least to the greatest"),
        (r#"{"rule":"least","order":[1]}"#, "two values or more"),
        (r#"{"rule":"least","order":[1,2,1.0]}"#, "already"),
        (r#"{"rule":"least","order":[1,[]]}"#, "a text, a number"),
    ] {
        let fault = Rule::from_text(text).unwrap_err();
        assert!(fault.to_string().contains(said), "{text}: {fault}");
        assert_eq!(fault.code(), "POLICY_RULE");
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?".prop_map(Value::Number),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_operation_survives_its_texts(
        patch in proptest::collection::btree_map("[^@/+]{1,8}", json_value(), 1..5),
        seen in proptest::collection::btree_set((any::<i32>(), any::<i64>()), 1..6),
        exists in any::<bool>(),
    ) {
        let mut patch: Patch = patch;
        patch.insert(EXISTS.into(), Value::Bool(exists));
        let versions = seen.into_iter().map(|(node, seq)| version(node, seq)).collect();
        let base = Base::from([(patch.keys().next_back().unwrap().clone(), versions)]);
        let (own, hlc) = (version(i32::MAX, i64::MAX), 5);
        let written = Operation { version: own, hlc, patch, base };
        let (patch, base) = (written.patch_text(), written.base_text());
        let read = Operation::from_text(own, hlc, &patch, &base).unwrap();
        prop_assert_eq!((read.patch_text(), read.base_text()), (patch, base));
        prop_assert_eq!(read, written);
    }
}
