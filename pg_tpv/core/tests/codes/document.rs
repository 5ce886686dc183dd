//! The tables of `docs/codes.md`.

use std::fs;

use crate::STATES;
use crate::source::root;

/// The document, as far as its tables go.
pub struct Document {
    /// Section, code, the rest of the row.
    rows: Vec<(String, String, String)>,
}

impl Document {
    /// Reads it. A row that has an empty cell is no reference.
    pub fn read() -> Self {
        let text = fs::read_to_string(root().join("docs/codes.md")).expect("docs/codes.md can be read");
        let (mut section, mut rows) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                heading.clone_into(&mut section);
            }
            let Some((code, rest)) = line.strip_prefix("| `").and_then(|row| row.split_once("` |")) else { continue };
            if section.is_empty() {
                continue;
            }
            let cells: Vec<&str> = rest.trim_end_matches('|').split('|').map(str::trim).collect();
            assert!(cells.len() >= 2 && cells.iter().all(|cell| !cell.is_empty()), "{section}: {line}");
            rows.push((section.clone(), code.to_owned(), rest.to_owned()));
        }
        let mut names: Vec<_> = rows.iter().map(|(section, code, _)| (section, code)).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "a code stands twice in one section");
        Self { rows }
    }

    /// All codes, those of several sections several times.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|(section, ..)| section != STATES).map(|(_, code, _)| code.as_str())
    }

    /// All SQLSTATEs.
    pub fn states(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|(section, ..)| section == STATES).map(|(_, state, _)| state.as_str())
    }

    /// What a section says about a code.
    pub fn row(&self, section: &str, code: &str) -> Option<&str> {
        self.rows.iter().find(|(in_section, of, _)| in_section == section && of == code).map(|(.., row)| row.as_str())
    }

    /// Whether a section has a code.
    pub fn has(&self, section: &str, code: &str) -> bool {
        self.row(section, code).is_some()
    }
}
