//! A memory of bounded size: what was not touched for long is forgotten.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

pub struct Recent<K, V> {
    most: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Copy> Recent<K, V> {
    /// Remembers at least the last `most`, at most twice as many.
    pub fn new(most: usize) -> Self {
        Self { most, generations: Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }) }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let generations = self.generations.lock();
        generations.young.get(key).or_else(|| generations.old.get(key)).copied()
    }

    pub fn put(&self, key: K, value: V) {
        self.generations.lock().put(self.most, key, value);
    }
}

impl<K: Hash + Eq, V: Copy + Ord> Recent<K, V> {
    /// Keeps the greater value.
    pub fn raise(&self, key: K, value: V) {
        let mut generations = self.generations.lock();
        let known = generations.young.get(&key).or_else(|| generations.old.get(&key)).copied();
        generations.put(self.most, key, known.map_or(value, |known| known.max(value)));
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn put(&mut self, most: usize, key: K, value: V) {
        if self.young.len() >= most && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_greatest_and_forgets_the_oldest() {
        let recent = Recent::new(2);
        recent.raise(1, 5);
        recent.raise(1, 3);
        assert_eq!(recent.get(&1), Some(5));
        (2..7).for_each(|key| recent.raise(key, key));
        assert_eq!((recent.get(&1), recent.get(&6)), (None, Some(6)));
    }
}
