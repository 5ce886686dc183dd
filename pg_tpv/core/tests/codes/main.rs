//! `docs/codes.md` and the code name the same codes. A code that a source has and the document
//! lacks fails, and so does one that the document has and no source.
//!
//! There is no list of all codes to compare with: a code is a literal where something is refused,
//! held or flagged. So the sources of the product are read, Rust and SQL, without their comments
//! and tests. A literal of capitals, digits and underscores is a code, or it is in [`NO_CODES`]
//! with the reason why it is none. Files may be named and moved as one likes: the crates are found
//! in the workspace's `Cargo.toml`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test program; clippy sees only functions marked as tests as such"
)]

mod document;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use document::Document;
use source::{Source, Token, is_code};

/// Literals that look like codes and are none.
const NO_CODES: [(&str, &[&str]); 9] = [
    ("names that Windows keeps for devices", &["AUX", "COM", "CON", "LPT", "NUL", "PRN"]),
    ("commands of the replication protocol", &["IDENTIFY_SYSTEM", "START_REPLICATION"]),
    ("where libpq reads the name of an application", &["PGAPPNAME"]),
    ("what a trigger was called for", &["DELETE", "INSERT", "TRUNCATE", "UPDATE"]),
    (
        "words of PostgreSQL: encodings, zones, formats, the library of an extension",
        &["MODULE_PATHNAME", "UTC", "UTF8", "YYYY_MM"],
    ),
    ("part of a date format", &["DDD"]),
    ("methods of HTTP", &["GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
    ("kinds of tokens and of their keys", &["JWT", "OKP"]),
    ("what stands in a .dat for the euro sign", &["EUR"]),
];

/// What stands behind these is an environment variable, or a placeholder in the help of a program.
const NO_CODES_BEHIND: [&str; 4] = ["env!(", "var(", "env =", "value_name ="];

/// SQLSTATEs in literals that nothing is raised with.
const NOT_RAISED: [(&str, &str); 7] = [
    ("55P03", "recognised, not raised: a lock that was waited for too long"),
    ("40001", "recognised by the gateway, which tries again"),
    ("40P01", "recognised by the gateway, which tries again"),
    ("57014", "recognised by the gateway: a statement took too long"),
    ("57P01", "recognised by the gateway: the server ended the connection"),
    ("57P02", "recognised by the gateway: the server ended the connection"),
    ("22032", "MergeFault::sqlstate has it; functions raise a MergeFault as 22023"),
];

/// How sources write SQLSTATEs, beside five characters.
const CONDITIONS: [(&str, &str); 17] = [
    ("ERRCODE_ACTIVE_SQL_TRANSACTION", "25001"),
    ("ERRCODE_CHARACTER_NOT_IN_REPERTOIRE", "22021"),
    ("ERRCODE_CHECK_VIOLATION", "23514"),
    ("ERRCODE_DATETIME_FIELD_OVERFLOW", "22008"),
    ("ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED", "39P01"),
    ("ERRCODE_INSUFFICIENT_PRIVILEGE", "42501"),
    ("ERRCODE_INTERNAL_ERROR", "XX000"),
    ("ERRCODE_INVALID_PARAMETER_VALUE", "22023"),
    ("ERRCODE_INVALID_TEXT_REPRESENTATION", "22P02"),
    ("ERRCODE_IO_ERROR", "58030"),
    ("ERRCODE_NOT_NULL_VIOLATION", "23502"),
    ("ERRCODE_NO_DATA_FOUND", "P0002"),
    ("ERRCODE_NULL_VALUE_NOT_ALLOWED", "22004"),
    ("ERRCODE_OBJECT_IN_USE", "55006"),
    ("ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE", "55000"),
    ("ERRCODE_TOO_MANY_CONNECTIONS", "53300"),
    ("ERRCODE_UNIQUE_VIOLATION", "23505"),
];

const FLAGS: &str = "Flags";
const HOLDS: &str = "Holds";
const FILES: &str = "Refused files";
const ROWS: &str = "Rows in quarantine";
const LAYOUTS: &str = "Faults of layouts, terminals and barcode rules";
const TABLES: &str = "Faults of tracked tables";
const EVENTS: &str = "Security events";
const STATES: &str = "SQLSTATEs";

/// What a literal is when it is the first argument of one of these calls, or the value of one of
/// these fields. Several names are one kind; at least one of them must be in use.
const KINDS: [(&[&str], &[&str]); 6] = [
    (&[".flag(", "Some(", "then_some("], &[FLAGS]),
    (&["Refuse("], &[FILES]),
    (&["Problem::new(", ".problem(", ".refuse("], &[FILES, HOLDS, LAYOUTS]),
    (&["DataFault::new(", "code:"], &[ROWS]),
    (&[".fault("], &[LAYOUTS]),
    (&["Fault::new("], &[TABLES]),
];

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let (document, sources) = (Document::read(), source::all());
    let settings = NO_CODES_BEHIND.map(source::pattern);
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for source in &sources {
        found.extend(source.codes(&settings).map(|literal| (literal, source.path.as_str())));
    }
    let is_excluded = |literal: &str| NO_CODES.iter().any(|(_, words)| words.contains(&literal));
    let documented: BTreeSet<&str> = document.codes().collect();
    let missing: Vec<_> = found.iter().filter(|(code, _)| !is_excluded(code) && !documented.contains(*code)).collect();
    assert!(missing.is_empty(), "add to docs/codes.md, or to NO_CODES with the reason: {missing:#?}");
    let gone: Vec<_> = documented.iter().filter(|code| !found.contains_key(*code)).collect();
    assert!(gone.is_empty(), "docs/codes.md names codes that no source has: {gone:#?}");
    let idle: Vec<_> =
        NO_CODES.iter().flat_map(|(_, words)| *words).filter(|word| !found.contains_key(*word)).collect();
    assert!(idle.is_empty(), "no source has these any more; take them out of NO_CODES: {idle:#?}");
    let both: Vec<_> = documented.iter().filter(|code| is_excluded(code)).collect();
    assert!(both.is_empty(), "documented, and in NO_CODES: {both:#?}");
}

#[test]
fn a_code_is_documented_as_what_it_is() {
    let (document, sources) = (Document::read(), source::all());
    for (calls, sections) in KINDS {
        let used = |call: &&str| -> Vec<(String, String)> {
            let pattern = source::pattern(call);
            let of_source = |source: &Source| -> Vec<(String, String)> {
                source
                    .after(&pattern)
                    .filter(|text| is_code(text))
                    .map(|text| (text.to_owned(), source.path.clone()))
                    .collect()
            };
            sources.iter().flat_map(of_source).collect()
        };
        let used: Vec<_> = calls.iter().flat_map(used).collect();
        assert!(!used.is_empty(), "none of {calls:?} is called with a code any more: what makes {sections:?} now?");
        for (code, path) in used {
            let known = sections.iter().any(|section| document.has(section, &code));
            assert!(known, "{code} ({path}) belongs into docs/codes.md under {sections:?}");
        }
    }
}

/// The lists that the code itself keeps: which codes of a file hold its receipt, which of a layout
/// only warn.
#[test]
fn lists_in_the_code_are_lists_in_the_document() {
    let (document, sources) = (Document::read(), source::all());
    for (list, section, word) in [("HOLDS", HOLDS, ""), ("WARNINGS", LAYOUTS, "warning")] {
        let codes: Vec<String> = sources.iter().flat_map(|source| source.array(list)).collect();
        assert!(!codes.is_empty(), "no source has a list {list} any more");
        for code in codes {
            assert!(
                document.row(section, &code).is_some_and(|row| row.contains(word)),
                "{code} in {section}: {word:?}"
            );
        }
    }
}

#[test]
fn what_a_layout_cannot_show_is_documented_as_a_hold() {
    use tpv_core::dat::RenderErrorKind::*;
    let document = Document::read();
    for kind in [FieldOverflow, QuantityScale, SignUndefined, MissingField, WrongType, BadDate, BadName] {
        assert!(document.has(HOLDS, kind.code()), "{kind:?}");
    }
}

#[test]
fn events_of_the_audit_are_documented_as_such() {
    let (document, sources) = (Document::read(), source::all());
    let written: Vec<String> = sources.iter().flat_map(Source::audited).collect();
    assert!(!written.is_empty(), "no statement writes a code into sec.audit any more");
    for event in written {
        assert!(document.has(EVENTS, &event), "{event} is written into sec.audit");
    }
}

#[test]
fn every_sqlstate_that_is_raised_is_documented_and_every_documented_one_is_raised() {
    let (document, sources) = (Document::read(), source::all());
    let mut raised: BTreeMap<String, &str> = BTreeMap::new();
    for source in &sources {
        for condition in source.words().filter(|word| word.starts_with("ERRCODE_")) {
            let state = CONDITIONS.iter().find(|(name, _)| *name == condition).map(|(_, state)| *state);
            let state =
                state.unwrap_or_else(|| panic!("{condition} ({}): add its five characters to CONDITIONS", source.path));
            raised.insert(state.to_owned(), &source.path);
        }
        raised.extend(source.sqlstates().into_iter().map(|state| (state, source.path.as_str())));
    }
    let is_raised = |state: &str| !NOT_RAISED.iter().any(|(other, _)| *other == state);
    let idle: Vec<_> = NOT_RAISED.iter().filter(|(state, _)| !raised.contains_key(*state)).collect();
    assert!(idle.is_empty(), "no source has these any more; take them out of NOT_RAISED: {idle:?}");
    let documented: BTreeSet<&str> = document.states().collect();
    let missing: Vec<_> =
        raised.iter().filter(|(state, _)| is_raised(state) && !documented.contains(state.as_str())).collect();
    assert!(missing.is_empty(), "add to docs/codes.md, {STATES}: {missing:#?}");
    let gone: Vec<_> = documented.iter().filter(|state| !raised.contains_key(**state)).collect();
    assert!(gone.is_empty(), "docs/codes.md names SQLSTATEs that nothing raises: {gone:?}");
}

#[test]
fn a_source_is_read_without_its_comments_and_tests() {
    let rust = r##"
        // "IN_A_COMMENT" /* and */
        fn a<'x>(f: &'x F) { f.flag(  "REAL_FLAG" ); let quote = '"'; let b = b'\''; /* "ALSO_NOT" /* nested */ */
            const SQL: &str = "values ('IN_SQL', 'the watcher''s')"; let raw = r#"say "no" 'IN_RAW'"#; }
        #[cfg(test)]
        mod tests { const X: &str = "IN_A_TEST"; }
    "##;
    let literals: Vec<_> =
        Source::rust("a.rs", rust).literals().filter(|text| is_code(text)).map(str::to_owned).collect();
    assert_eq!(literals, ["REAL_FLAG", "IN_SQL", "IN_RAW"]);
    let sql = "-- 'IN_A_COMMENT', it's\nraise exception 'a: %', 'x' using errcode = '22023'; raise exception 'b';\n\
        perform format('insert … values (''NESTED_CODE'')');";
    let sql = Source::sql("a.sql", sql);
    assert_eq!(sql.literals().filter(|text| is_code(text)).collect::<Vec<_>>(), ["NESTED_CODE"]);
    assert_eq!(sql.sqlstates(), ["22023", "P0001"]);
    assert!(matches!(sql.tokens.first(), Some(Token::Word(word)) if word == "raise"));
}
