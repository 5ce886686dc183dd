//! What the codes of a bucket mean. Remembered until something in the catalog changes.

use std::collections::{BTreeSet, HashMap, HashSet};

use tpv_core::barcode::BarcodeRule;
use tpv_core::item::item_key;
use tpv_core::rollup::{Guess, Item, Source};

use super::bucket::Bucket;
use crate::functions::parsed_rules;
use crate::postgres::{JsonbText, sql};

/// Codes of one department, by day.
#[derive(Default)]
pub struct Catalog {
    rules: HashMap<i32, Vec<BarcodeRule>>,
    items: HashMap<Bucket, HashMap<String, Item>>,
    asked: HashMap<Bucket, HashSet<String>>,
}

/// Buckets whose codes are remembered.
const MOST: usize = 1000;

const RULES: &str = "select catalog.barcode_rules($1)";

const GUESSES: &str = "select t.code, (t.rate * 100)::integer, t.source from catalog.line_taxes($1, $3, $4, $2) t";

impl Catalog {
    /// What these codes mean in the bucket; of those in `unsaid` some receipt does not say the rate.
    pub fn items(
        &mut self,
        bucket: &Bucket,
        codes: &BTreeSet<&str>,
        unsaid: &BTreeSet<&str>,
    ) -> &HashMap<String, Item> {
        if self.items.len() >= MOST && !self.items.contains_key(bucket) {
            self.items.clear();
            self.asked.clear();
        }
        let rules = self.rules.entry(bucket.node_id).or_insert_with(|| rules_of(bucket.node_id));
        let known = self.items.entry(bucket.clone()).or_default();
        for code in codes {
            if !known.contains_key(*code) {
                let key = item_key(code, &bucket.department, bucket.date, rules);
                known.insert((*code).to_owned(), Item { key, guess: Guess::NONE });
            }
        }
        let before = self.asked.entry(bucket.clone()).or_default();
        let asked: Vec<&str> = unsaid.iter().copied().filter(|code| before.insert((*code).to_owned())).collect();
        if !asked.is_empty() {
            let args =
                [bucket.node_id.into(), sql::date(bucket.date).into(), bucket.department.as_str().into(), asked.into()];
            let read = |row: &sql::Row<'_>| {
                let guess = Guess { rate: row.get(2), source: Source::of(&row.must::<String>(3)) };
                (row.must::<String>(1), guess)
            };
            for (code, guess) in sql::rows(GUESSES, &args, read) {
                known.entry(code).and_modify(|item| item.guess = guess);
            }
        }
        known
    }
}

/// Rules that cannot be used are as good as none; the table's trigger refuses them.
fn rules_of(node_id: i32) -> Vec<BarcodeRule> {
    let rules = sql::row(RULES, &[node_id.into()], |row| row.must::<JsonbText>(1));
    rules.and_then(|rules| parsed_rules(&rules).ok()).unwrap_or_default()
}
