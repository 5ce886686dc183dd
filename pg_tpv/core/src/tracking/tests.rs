use proptest::prelude::*;

use super::*;
use crate::json::{self, read};

fn column(name: &str, kind: &str) -> Column {
    Column { name: name.to_owned(), kind: kind.to_owned(), not_null: false, has_default: false, constant: true }
}

/// A set is not null and has a default.
fn sound(mut column: Column) -> Column {
    (column.not_null, column.has_default) = (column.kind == "jsonb", column.kind == "jsonb");
    column
}

/// A table that can be tracked, and rules for it that use everything.
fn pet() -> Table {
    let columns = [
        ("pet_id", "uuid"),
        ("name", "text"),
        ("chip", "character varying"),
        ("owner_id", "integer"),
        ("leash", "text"),
        ("low", "integer"),
        ("high", "integer"),
        ("price", "numeric"),
        ("deleted", "boolean"),
        ("alias_of", "uuid"),
        ("tags", "jsonb"),
    ];
    Table {
        name: "party.pet".to_owned(),
        schema: "party".to_owned(),
        ordinary: true,
        owner: "tpv_owner".to_owned(),
        key: Some("pet_id".to_owned()),
        columns: columns.map(|(name, kind)| sound(column(name, kind))).to_vec(),
        checks: vec![Check { name: "size".to_owned(), columns: vec!["low".to_owned(), "high".to_owned()] }],
        other_keys: Vec::new(),
    }
}

const RULES: &str = r#"{"writer": "any", "groups": {"size": ["low", "high"]}, "owner_column": "owner_id",
    "duplicates": {"chip": ["chip"]}, "only_stricter": {"leash": ["short", "long"]}, "sets": {"tags": "union"}}"#;

fn rules(json: &str) -> Rules {
    let (rules, faults) = Rules::from_json(&read(json, 16).unwrap());
    assert_eq!(faults, []);
    rules
}

/// Rules of which one member is another.
fn with(member: &str, value: &str) -> String {
    let json::Value::Object(mut members) = read(RULES, 16).unwrap() else { panic!("an object") };
    members.retain(|(name, _)| name != member);
    members.push((member.to_owned(), read(value, 16).unwrap()));
    json::Value::Object(members).to_canonical()
}

fn codes(table: &Table, json: &str) -> Vec<&'static str> {
    check(Some(table), &rules(json)).iter().map(|fault| fault.code).collect()
}

#[test]
fn a_sound_table_has_no_faults() {
    assert_eq!(codes(&pet(), RULES), [""; 0]);
    assert_eq!(codes(&pet(), &with("writer", "\"central\"")), [""; 0]);
}

#[test]
fn a_table_that_is_not_there_is_told_by_another_state() {
    let faults = check(None, &rules(RULES));
    assert_eq!(faults.iter().map(|fault| (fault.code, fault.sqlstate())).collect::<Vec<_>>(), [("NO_TABLE", "42P01")]);
}

#[test]
fn each_fault_of_a_table_is_found() {
    let faulty = |change: fn(&mut Table)| {
        let mut table = pet();
        change(&mut table);
        codes(&table, RULES)
    };
    assert_eq!(faulty(|it| it.ordinary = false), ["NOT_ORDINARY"]);
    assert_eq!(faulty(|it| it.name = "party.\"Pet\"".to_owned()), ["NAME"]);
    assert_eq!(faulty(|it| it.name = "pg_class".to_owned()), ["NAME"]);
    assert_eq!(faulty(|it| it.owner = "postgres".to_owned()), ["OWNER"]);
    assert_eq!(faulty(|it| it.key = None), ["KEY"]);
    assert_eq!(faulty(|it| it.other_keys.push("pet_chip_key".to_owned())), ["OTHER_KEY"]);
    assert_eq!(faulty(|it| it.columns.push(column("@exists", "text"))), ["RESERVED_NAME"]);
    assert_eq!(faulty(|it| it.columns.push(column("a/b", "text"))), ["RESERVED_NAME"]);
    assert_eq!(faulty(|it| it.columns.push(column("a+b", "text"))), ["RESERVED_NAME"]);
    assert_eq!(faulty(|it| it.columns[10].kind = "text".to_owned()), ["SET_COLUMN"]);
    assert_eq!(faulty(|it| it.columns[10].not_null = false), ["SET_COLUMN"]);
    assert_eq!(faulty(|it| it.columns[10].has_default = false), ["SET_COLUMN"]);
    assert_eq!(faulty(|it| it.columns[8].kind = "text".to_owned()), ["RESERVED_NAME"]);
    assert_eq!(faulty(|it| it.columns[9].kind = "text".to_owned()), ["RESERVED_NAME"]);
    assert_eq!(faulty(|it| it.columns[3].not_null = true), ["OWNER_COLUMN"]);
    assert_eq!(faulty(|it| it.columns[3].has_default = true), ["OWNER_COLUMN"]);
    assert_eq!(faulty(|it| it.columns[7].constant = false), ["NOT_CONSTANT"]);
    assert_eq!(faulty(|it| it.columns[0].constant = false), [""; 0], "a key is made where its row is");
    assert_eq!(faulty(|it| it.checks[0].columns.push("price".to_owned())), ["SPLIT_CHECK"]);
}

#[test]
fn each_fault_of_the_rules_is_found() {
    for (member, value, code) in [
        ("writer", r#""all""#, "WRITER"),
        ("groups", r#"{"size": ["low", "high", "none"]}"#, "UNKNOWN_COLUMN"),
        ("groups", r#"{"size": ["low", "high", "pet_id"]}"#, "UNKNOWN_COLUMN"),
        ("groups", r#"{"size": ["low", "high", "deleted"]}"#, "UNKNOWN_COLUMN"),
        ("groups", r#"{"size": ["low", "high"], "other": ["low", "name"]}"#, "TWO_GROUPS"),
        ("groups", r#"{"size": ["low", "low", "high"]}"#, "TWO_GROUPS"),
        ("groups", r#"{"price": ["low", "high"]}"#, "GROUP_NAME"),
        ("groups", r#"{"@size": ["low", "high"]}"#, "GROUP_NAME"),
        ("groups", r#"{"": ["low", "high"]}"#, "GROUP_NAME"),
        ("groups", r#"{"size": ["low", "high", "owner_id"]}"#, "NOT_IN_GROUP"),
        ("groups", r#"{"size": ["low", "high", "leash"]}"#, "NOT_IN_GROUP"),
        ("groups", r#"{"size": ["low", "high", "tags"]}"#, "NOT_IN_GROUP"),
        ("groups", r#"{"a/b": ["low", "high"]}"#, "GROUP_NAME"),
        ("groups", r#"{"size": ["low"]}"#, "SPLIT_CHECK"),
        ("sets", r#"{"words": "union"}"#, "UNKNOWN_COLUMN"),
        ("sets", r#"{"name": "grow_only"}"#, "SET_COLUMN"),
        ("only_stricter", r#"{"tags": ["a", "b"]}"#, "SET_COLUMN"),
        ("owner_column", r#""name""#, "OWNER_COLUMN"),
        ("owner_column", r#""whose""#, "UNKNOWN_COLUMN"),
        ("duplicates", r#"{"price": ["chip", "price"]}"#, "DUPLICATE_TYPE"),
        ("duplicates", r#"{}"#, "RESERVED_NAME"),
        ("only_stricter", r#"{"leash": "short"}"#, "SCALE"),
        ("only_stricter", r#"{"leash": []}"#, "SCALE"),
    ] {
        assert_eq!(codes(&pet(), &with(member, value)), [code], "{member}: {value}");
    }
}

#[test]
fn central_alone_keeps_constraints_that_two_nodes_could_break() {
    let mut table = pet();
    table.other_keys.push("pet_chip_key".to_owned());
    assert_eq!(codes(&table, &with("groups", "{}")), ["SPLIT_CHECK", "OTHER_KEY"]);
    let json = with("groups", "{}").replace(r#""writer":"any""#, r#""writer":"central""#);
    assert_eq!(codes(&table, &json), [""; 0]);
}

#[test]
fn all_faults_are_told_at_once_with_the_columns_they_are_about() {
    let mut table = pet();
    table.key = None;
    table.columns[8].kind = "text".to_owned();
    table.columns.push(column("@at", "text"));
    let faults = check(Some(&table), &rules(&with("duplicates", r#"{"p": ["price", "nothing"], "q": ["name"]}"#)));
    let told: Vec<_> = faults.iter().map(|fault| (fault.code, fault.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            ("KEY", ""),
            ("RESERVED_NAME", "deleted, @at"),
            ("UNKNOWN_COLUMN", "nothing of duplicates p"),
            ("DUPLICATE_TYPE", "price numeric")
        ]
    );
    assert!(faults.iter().all(|fault| !fault.what.is_empty() && !fault.hint.is_empty() && fault.sqlstate() == "22023"));
}

#[test]
fn rules_that_cannot_be_read_are_faults() {
    let unreadable =
        |json: &str| Rules::from_json(&read(json, 16).unwrap()).1.iter().map(|fault| fault.code).collect::<Vec<_>>();
    assert_eq!(unreadable(&with("groups", "[]")), ["BAD_GROUPS"]);
    assert_eq!(unreadable(&with("groups", r#"{"size": "low"}"#)), ["BAD_GROUPS"]);
    assert_eq!(unreadable(&with("duplicates", r#"{"chip": [1]}"#)), ["BAD_DUPLICATES"]);
    assert_eq!(unreadable(&with("only_stricter", "1")), ["BAD_SCALE"]);
    assert_eq!(unreadable(&with("sets", r#"{"tags": "any"}"#)), ["BAD_SETS"]);
    assert_eq!(unreadable(&with("sets", r#"["tags"]"#)), ["BAD_SETS"]);
    assert_eq!(unreadable("{}"), ["BAD_GROUPS", "BAD_DUPLICATES", "BAD_SCALE", "BAD_SETS"]);
}

#[test]
fn a_table_is_read_as_the_catalog_describes_it() {
    let json = r#"{"name": "a.b", "schema": "a", "ordinary": true, "owner": "tpv_owner", "key": null,
        "columns": [{"name": "c", "type": "text", "not_null": true, "has_default": false, "constant": true}],
        "checks": [{"name": "d", "columns": ["c", "e"]}], "other_keys": ["f"]}"#;
    let table = Table::from_json(&read(json, 16).unwrap()).unwrap();
    assert_eq!((table.key, table.columns[0].not_null, table.other_keys), (None, true, vec!["f".to_owned()]));
    assert_eq!(table.checks[0].columns, ["c", "e"]);
    assert_eq!(Table::from_json(&read("{}", 16).unwrap()), None);
}

/// Columns, some of which cannot be named.
fn names() -> impl Strategy<Value = Vec<String>> {
    let good = prop::sample::select(vec!["name", "chip", "owner_id", "leash", "low", "high"]);
    let bad = prop::sample::select(vec!["pet_id", "price", "deleted", "x", "@y"]);
    prop::collection::vec(prop_oneof![9 => good, 1 => bad].prop_map(str::to_owned), 0..3)
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let lists = |name: &'static str| prop::collection::vec((name, names()), 0..3);
    let scales = prop::collection::vec("leash|name", 0..2);
    let owner = prop::option::of("owner_id|name|x");
    ("any|any|central|all", lists("[a-c]|@|name"), owner, lists("[a-c]"), scales).prop_map(
        |(writer, groups, owner_column, duplicates, scales)| Rules {
            writer,
            groups,
            owner_column,
            duplicates,
            only_stricter: scales.into_iter().map(|column| (column, true)).collect(),
            sets: Vec::new(),
        },
    )
}

proptest! {
    /// What the merge relies on, said the other way round.
    #[test]
    fn a_table_without_faults_keeps_what_the_merge_relies_on(rules in any_rules(), split in names()) {
        let mut table = pet();
        table.checks[0].columns = split;
        table.columns.retain(|column| column.name != "alias_of");
        if check(Some(&table), &rules).is_empty() {
            let members: Vec<_> = rules.groups.iter().flat_map(|(_, columns)| columns).collect();
            for (place, member) in members.iter().enumerate() {
                prop_assert!(!members[..place].contains(member), "no column is in two groups");
                prop_assert!(table.column(member).is_some() && table.key.as_deref() != Some(member));
                prop_assert!(rules.owner_column.as_ref() != Some(*member));
            }
            prop_assert!(rules.groups.iter().all(|(name, _)| table.column(name).is_none()));
            let columns = &table.checks[0].columns;
            let is_whole = columns.len() < 2 || rules.groups.iter().any(|(_, group)| columns.iter().all(|it| group.contains(it)));
            prop_assert!(rules.writer == "central" || is_whole, "one group for one CHECK");
        }
    }

    /// A fault of one kind hides none of another.
    #[test]
    fn a_fault_more_takes_no_other_away(rules in any_rules()) {
        let codes = |table: &Table| check(Some(table), &rules).iter().map(|fault| fault.code).collect::<Vec<_>>();
        let before = codes(&pet());
        let mut table = pet();
        table.owner = "postgres".to_owned();
        table.columns.push(column("@at", "text"));
        let after = codes(&table);
        prop_assert!(before.iter().all(|code| after.contains(code)));
        prop_assert!(after.contains(&"OWNER") && after.contains(&"RESERVED_NAME"));
    }
}
