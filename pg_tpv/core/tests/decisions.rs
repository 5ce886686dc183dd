//! `docs/decisions.md` says which test shows what. A test that it names is there.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of the tests in a folder: functions, and files of SQL.
fn tests_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            names.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let functions = text.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once('('));
            names.extend(functions.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_test_that_a_decision_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut names = BTreeSet::new();
    for folder in ["tests", "pg_tpv/core/src", "pg_tpv/core/tests"] {
        tests_in(&root.join(folder), &mut names);
    }
    let document = fs::read_to_string(root.join("docs/decisions.md")).unwrap();
    // A sentence: nothing else in backticks has so many words.
    let is_sentence = |word: &&str| word.matches('_').count() >= 4 && !word.contains(char::is_whitespace);
    let named: Vec<&str> = document.split('`').skip(1).step_by(2).filter(is_sentence).collect();
    assert!(named.len() >= 4, "{named:?}");
    let gone: Vec<_> = named.iter().filter(|name| !names.contains(**name)).collect();
    assert!(gone.is_empty(), "docs/decisions.md names tests that are not there: {gone:?}");
}
