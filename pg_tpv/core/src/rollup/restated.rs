//! Why the sums of a closed day have changed.

/// The receipts of a bucket, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all states.
    pub receipts: i64,
    /// Those that were released.
    pub released: i64,
    /// Those that wait.
    pub held: i64,
    /// Those that are voided.
    pub voided: i64,
}

/// What has become of receipts between two sums of a day, as a sentence.
pub fn why(before: Counts, after: Counts) -> String {
    let mut parts = Vec::new();
    let mut note = |difference: i64, one: &str, many: &str| match difference {
        1 => parts.push(format!("1 receipt {one}")),
        2.. => parts.push(format!("{difference} receipts {many}")),
        _ => {}
    };
    note(after.receipts - before.receipts, "came", "came");
    note(before.receipts - after.receipts, "left", "left");
    note(after.voided - before.voided, "was voided", "were voided");
    note(before.voided - after.voided, "is no longer voided", "are no longer voided");
    note(after.released - before.released, "was released", "were released");
    note(after.held - before.held, "was held", "were held");
    if parts.is_empty() {
        return "lines or tax rates changed".to_owned();
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_has_become_of_receipts() {
        let before = Counts { receipts: 10, released: 0, held: 2, voided: 1 };
        assert_eq!(why(before, before), "lines or tax rates changed");
        assert_eq!(why(before, Counts { receipts: 12, ..before }), "2 receipts came");
        assert_eq!(
            why(before, Counts { receipts: 9, voided: 0, ..before }),
            "1 receipt left, 1 receipt is no longer voided"
        );
        let decided = Counts { receipts: 11, released: 1, held: 0, voided: 2 };
        assert_eq!(why(before, decided), "1 receipt came, 1 receipt was voided, 1 receipt was released");
    }
}
