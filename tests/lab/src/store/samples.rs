//! Real baskets: a thousand of the Complete Journey transactions sample (CC0), as a terminal writes them.

use std::sync::LazyLock;

const TEXT: &str = include_str!("../../data/receipts.ndjson");

/// A basket whose lines and total are used again under new numbers and times.
#[derive(Debug)]
pub struct Basket {
    /// Terminal it was rung up at, `T01` to `T20`.
    pub terminal: &'static str,
    /// Department of that terminal, `01` to `04`.
    pub department: &'static str,
    /// The JSON array, as written.
    pub items: &'static str,
    /// The number, as written.
    pub total: &'static str,
}

/// All of them. Text is cut, not parsed, so that no number passes through a float.
pub static BASKETS: LazyLock<Vec<Basket>> = LazyLock::new(|| TEXT.lines().filter_map(basket).collect());

/// Lines of a basket.
impl Basket {
    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.items.matches("\"barcode\"").count()
    }
}

fn basket(line: &'static str) -> Option<Basket> {
    let between = |from: &str, to: &str| Some(line.split_once(from)?.1.split_once(to)?.0);
    Some(Basket {
        terminal: between("\"terminalId\":\"", "\"")?,
        department: between("\"departmentCode\":\"", "\"")?,
        items: between("\"items\":", ",\"total\":")?,
        total: between("\"total\":", ",\"timestamp\"")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_can_be_dealt_again() {
        assert_eq!(BASKETS.len(), 1000);
        assert!(BASKETS.iter().all(|basket| basket.items.starts_with('[') && basket.items.ends_with(']')));
    }

    #[test]
    fn samples_agree_with_the_registered_departments() {
        assert!(BASKETS.iter().all(|b| crate::store::department_of(b.terminal) == Some(b.department)));
    }
}
