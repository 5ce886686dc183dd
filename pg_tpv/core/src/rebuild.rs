//! What differs between the rows that documents explain and the rows that are there.
//!
//! A row is its key and its values, each as one text: written in one way by whoever projects, and
//! by PostgreSQL. So what is compared needs no type, and a value that no projection could have
//! written (a `NaN`, an infinite date) is a difference like any other.

use std::collections::BTreeMap;

/// The values of a row, without its key.
pub type Values = Vec<Option<String>>;

/// The rows of a projection, by key.
pub type Rows<K> = BTreeMap<K, Values>;

/// What has to be done so that the rows that are there are those that documents explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences<K> {
    /// Explained, and not there.
    pub missing: Vec<K>,
    /// There, with other values.
    pub wrong: Vec<K>,
    /// There, and no document explains them.
    pub unexplained: Vec<K>,
}

impl<K> Differences<K> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.wrong.is_empty() && self.unexplained.is_empty()
    }
}

/// Compares the rows that documents explain with those that are there. Each key is in one list at
/// most, and in none if its row is right.
pub fn differences<K: Ord + Clone>(explained: &Rows<K>, there: &Rows<K>) -> Differences<K> {
    let of = |wanted: &dyn Fn(&Values, Option<&Values>) -> bool| -> Vec<K> {
        let keys = explained.iter().filter(|(key, values)| wanted(values, there.get(key)));
        keys.map(|(key, _)| key.clone()).collect()
    };
    Differences {
        missing: of(&|_, there| there.is_none()),
        wrong: of(&|values, there| there.is_some_and(|there| there != values)),
        unexplained: there.keys().filter(|key| !explained.contains_key(key)).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = Rows<u8>> {
        let value = prop::option::of(prop::sample::select(vec!["", "1", "1.0", "NaN"]));
        let values = prop::collection::vec(value.prop_map(|text| text.map(str::to_owned)), 2);
        prop::collection::btree_map(0..6_u8, values, 0..6)
    }

    /// As the shell does it.
    fn put_right(explained: &Rows<u8>, there: &mut Rows<u8>, todo: &Differences<u8>) {
        for key in &todo.unexplained {
            assert!(there.remove(key).is_some(), "what is removed was there");
        }
        for key in &todo.missing {
            assert_eq!(there.insert(*key, explained[key].clone()), None, "what is added was not there");
        }
        for key in &todo.wrong {
            let before = there.insert(*key, explained[key].clone());
            assert!(before.is_some_and(|before| before != explained[key]), "what is changed was there, and wrong");
        }
    }

    proptest! {
        #[test]
        fn afterwards_the_rows_are_those_that_documents_explain(explained in rows(), there in rows()) {
            let todo = differences(&explained, &there);
            let mut after = there.clone();
            put_right(&explained, &mut after, &todo);
            prop_assert_eq!(&after, &explained);
            prop_assert!(differences(&explained, &after).is_empty(), "a second time there is nothing to do");
            prop_assert_eq!(todo.is_empty(), there == explained, "what is right is left alone");
        }

        /// Killed anywhere in between, the rest is what a second run finds.
        #[test]
        fn what_was_done_in_part_is_done_to_the_end(explained in rows(), there in rows(), done in 0..8_usize) {
            let todo = differences(&explained, &there);
            let part = |keys: &[u8]| keys.iter().take(done).copied().collect::<Vec<_>>();
            let first = Differences {
                missing: part(&todo.missing), wrong: part(&todo.wrong), unexplained: part(&todo.unexplained),
            };
            let mut after = there.clone();
            put_right(&explained, &mut after, &first);
            let rest = differences(&explained, &after);
            prop_assert_eq!(rest.missing.len() + first.missing.len(), todo.missing.len());
            put_right(&explained, &mut after, &rest);
            prop_assert_eq!(&after, &explained);
        }
    }
}
