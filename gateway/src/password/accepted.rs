//! Which passwords are taken (NIST SP 800-63B, 5.1.1.2): long enough, and not on the list of those
//! that everybody tries first. No rules about their composition.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::http::problem::Fault;

pub const LEAST_BYTES: usize = 8;
pub const MOST_BYTES: usize = 1_024;

static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// What is wrong with a new password of this person.
pub fn fault(pointer: &str, password: &str, code: &str) -> Option<Fault> {
    if !(LEAST_BYTES..=MOST_BYTES).contains(&password.len()) {
        return Some(Fault::new(pointer, "length", "It takes 8 to 1024 bytes."));
    }
    let lower = password.to_lowercase();
    let repeated = lower.chars().all(|c| lower.starts_with(c));
    // A year or an exclamation mark at its end makes it no better.
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let common = COMMON.contains(lower.as_str()) || (stem.len() < LEAST_BYTES && COMMON.contains(stem));
    if repeated || common || lower == code.to_lowercase() {
        return Some(Fault::new(pointer, "common", "It is among the first that anybody tries."));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_is_refused() {
        for password in ["password", "Passw0rd", "12345678", "aaaaaaaaaa", "qwerty123", "Welcome2026!", "ana.perez"] {
            assert_eq!(
                fault("/new", password, "ana.perez").map(|fault| fault.code).as_deref(),
                Some("common"),
                "{password}"
            );
        }
    }

    #[test]
    fn length_is_all_that_is_asked_for_else() {
        assert!(fault("/new", "siete77", "ana").is_some());
        assert!(fault("/new", &"ab".repeat(513), "ana").is_some());
        for password in ["tres tristes tigres", "ñandúñandú", &"ab".repeat(512)] {
            assert_eq!(fault("/new", password, "ana"), None, "{password}");
        }
    }
}
