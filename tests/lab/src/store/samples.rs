//! Real baskets: a thousand of the Complete Journey transactions sample (CC0), as a terminal writes
//! them.

use std::sync::LazyLock;

const TEXT: &str = include_str!("../../data/receipts.ndjson");

/// A basket whose lines and total are used again under new numbers, terminals and times.
#[derive(Debug)]
pub struct Basket {
    /// The JSON array, as written.
    pub items: &'static str,
    /// The number, as written.
    pub total: &'static str,
}

/// All of them. Text is cut, not parsed, so that no number passes through a float.
pub static BASKETS: LazyLock<Vec<Basket>> = LazyLock::new(|| TEXT.lines().filter_map(basket).collect());

impl Basket {
    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.items.matches("\"barcode\"").count()
    }
}

fn basket(line: &'static str) -> Option<Basket> {
    Some(Basket {
        items: between(line, "\"items\":", ",\"total\":")?,
        total: between(line, "\"total\":", ",\"timestamp\"")?,
    })
}

fn between<'l>(line: &'l str, from: &str, to: &str) -> Option<&'l str> {
    Some(line.split_once(from)?.1.split_once(to)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::registration::department_of;

    #[test]
    fn every_sample_can_be_dealt_again() {
        assert_eq!(BASKETS.len(), 1000);
        assert!(BASKETS.iter().all(|basket| basket.items.starts_with('[') && basket.items.ends_with(']')));
    }

    #[test]
    fn samples_agree_with_the_registered_departments() {
        for line in TEXT.lines() {
            let department = between(line, "\"departmentCode\":\"", "\"").unwrap();
            let terminal = between(line, "\"terminalId\":\"", "\"").unwrap();
            assert_eq!(department_of(terminal), Some(department));
        }
    }
}
