use proptest::prelude::*;

use super::*;

fn chosen(rule: &str, values: &[&str]) -> String {
    let context = Context { central: 2, owner: Some(1), ..Context::default() };
    let rule = Rule::from_text(rule).unwrap();
    let mut heads = concurrent(values);
    let choice = choose(&rule, &heads, context).unwrap();
    heads.reverse();
    assert_eq!(choose(&rule, &heads, context), Some(choice.clone()));
    assert_eq!(choice.winners.len() + choice.losers.len(), heads.len());
    choice.value.to_canonical()
}

#[test]
fn each_rule_chooses_what_it_says() {
    for (rule, values, expected) in [
        ("last_write", &["1", "2", "3"][..], "3"),
        ("first_write", &["1", "2", "3"], "1"),
        ("central_wins", &["1", "2", "3"], "2"),
        ("central_wins", &["1"], "1"),
        ("owner_wins", &["1", "2", "3"], "1"),
        ("greatest", &["9", "10", "9.99"], "10"),
        ("least", &["9", "10", "9.99"], "9"),
        ("least", &["9", "null"], "null"),
        ("greatest", &["true", "false"], "true"),
        ("least", &["true", "false"], "false"),
        ("least", &["\"2026-02-01\"", "\"2026-01-31\""], "\"2026-01-31\""),
        ("greatest", &["1", "1.0"], "1.0"),
        ("least", &["1.0", "1"], "1"),
        ("review", &["1", "2"], "2"),
        (r#"{"rule":"custom","function":"f"}"#, &["1", "2"], "2"),
    ] {
        assert_eq!(chosen(rule, values), expected, "{rule} {values:?}");
    }
}

#[test]
fn a_declared_order_makes_consent_stricter_and_never_prefers_what_it_does_not_list() {
    let least = r#"{"rule":"least","order":["none","email","all"]}"#;
    let greatest = r#"{"rule":"greatest","order":["none","email","all"]}"#;
    for (values, strictest, loosest) in [
        (["\"all\"", "\"none\"", "\"email\""], "\"none\"", "\"all\""),
        (["\"sms\"", "\"all\"", "null"], "\"all\"", "\"all\""),
        (["\"sms\"", "null", "\"fax\""], "null", "\"sms\""),
    ] {
        assert_eq!(chosen(least, &values), strictest);
        assert_eq!(chosen(greatest, &values), loosest);
    }
}

#[test]
fn a_single_head_stands_as_it_was_written_under_every_rule() {
    for rule in ["review", "least", r#"{"rule":"custom","function":"f"}"#] {
        let choice = choose(&Rule::from_text(rule).unwrap(), &concurrent(&["[2,1,2]"]), Context::default()).unwrap();
        assert_eq!((choice.value.to_canonical().as_str(), choice.needs_review), ("[2,1,2]", false));
        assert_eq!(choice.evaluate, None);
    }
}

#[test]
fn a_head_that_agrees_with_the_winner_has_not_lost() {
    let choice = choose(&Rule::Review, &concurrent(&["5", "4", "5"]), Context::default()).unwrap();
    assert_eq!(choice.losers, [version(2, 1)].into());
    assert!(choice.needs_review);
    let agreed = choose(&Rule::Review, &concurrent(&["5", "5"]), Context::default()).unwrap();
    assert!(agreed.losers.is_empty() && !agreed.needs_review);
}

#[test]
fn the_shell_evaluates_a_custom_rule_and_says_what_came_of_it() {
    let heads = concurrent(&["1", "2"]);
    let choice = choose(&Rule::Custom("f".into()), &heads, Context::default()).unwrap();
    assert_eq!(choice.evaluate.as_deref(), Some("f"));
    assert_eq!(Choice::of(&heads, value("1")).losers, [version(2, 1)].into());
    let made_of_all = Choice::of(&heads, value("3"));
    assert_eq!((made_of_all.winners.len(), made_of_all.losers.len()), (2, 0));
}

#[test]
fn without_heads_there_is_no_value() {
    assert_eq!(choose(&Rule::LastWrite, &[], Context::default()), None);
    let nothing = merge([], &Rules::default(), Context::default());
    assert!(nothing.waits() && !nothing.exists() && nothing.columns.is_empty());
}

#[test]
fn whose_an_entity_is_was_said_first() {
    let history = [
        operation(2, 1, 10, r#"{"@exists":true,"home":2,"phone":"two"}"#, "{}"),
        operation(3, 1, 20, r#"{"@exists":true,"home":3,"phone":"three"}"#, "{}"),
    ];
    let entity = Entity::of(&history);
    assert_eq!(entity.owner("home"), Some(2));
    assert_eq!(Entity::default().owner("home"), None);
    assert_eq!(Entity::of([&operation(1, 1, 1, r#"{"home":"x"}"#, "{}")]).owner("home"), None);
    let rules = Rules([("phone".to_owned(), Rule::OwnerWins)].into());
    let merged = entity.resolve(&rules, Context { owner: entity.owner("home"), ..Context::default() });
    assert_eq!(merged.columns["phone"].value, value("\"two\""));
}

fn heads_in_any_order() -> impl Strategy<Value = (Vec<Head>, Vec<Head>)> {
    let values = ["1", "1.0", "-2", "null", "true", "\"all\"", "\"none\"", "[1,2]", "[3]", "{}"];
    let head = (1i32..4, 1i64..4, 0i64..3, proptest::sample::select(values.to_vec()));
    let one =
        head.prop_map(|(node_id, seq, hlc, text)| Head { version: version(node_id, seq), hlc, value: value(text) });
    let heads = proptest::collection::vec(one, 1..6).prop_map(|mut heads| {
        heads.sort_by_key(|head| head.version);
        heads.dedup_by_key(|head| head.version);
        heads
    });
    heads.prop_flat_map(|heads| (Just(heads.clone()), Just(heads).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_choice_is_a_function_of_the_set_of_heads((heads, shuffled) in heads_in_any_order()) {
        let context = Context { central: 1, owner: Some(2), ..Context::default() };
        let order = [value("\"none\""), value("\"all\""), value("1")];
        let scales = [Scale::default(), Scale::new(order.to_vec()).unwrap()];
        let ordered = scales.into_iter().flat_map(|scale| [Rule::Greatest(scale.clone()), Rule::Least(scale)]);
        let others = [Rule::LastWrite, Rule::FirstWrite, Rule::CentralWins, Rule::OwnerWins, Rule::Review];
        for rule in others.into_iter().chain(ordered) {
            let choice = choose(&rule, &heads, context).unwrap();
            let again = choose(&rule, &shuffled, context).unwrap();
            prop_assert_eq!(&choice, &again, "{:?}", rule);
            let latest = heads.iter().max_by_key(|head| (head.hlc, head.version)).unwrap();
            let from = |node: i32| heads.iter().filter(move |head| head.version.node_id == node);
            match rule {
                Rule::LastWrite | Rule::Review => prop_assert_eq!(&choice.value, &latest.value),
                Rule::FirstWrite => {
                    let earliest = heads.iter().min_by_key(|head| (head.hlc, head.version)).unwrap();
                    prop_assert_eq!(&choice.value, &earliest.value);
                }
                Rule::CentralWins | Rule::OwnerWins => {
                    let node = if rule == Rule::CentralWins { 1 } else { 2 };
                    let its = from(node).max_by_key(|head| (head.hlc, head.version)).unwrap_or(latest);
                    prop_assert_eq!(&choice.value, &its.value);
                }
                Rule::Greatest(scale) if scale.order().is_empty() => {
                    prop_assert!(heads.iter().all(|head| compare(&head.value, &choice.value).is_le()));
                }
                Rule::Least(scale) if scale.order().is_empty() => {
                    prop_assert!(heads.iter().all(|head| compare(&head.value, &choice.value).is_ge()));
                }
                _ => {}
            }
        }
    }
}
