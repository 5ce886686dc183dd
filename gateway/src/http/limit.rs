//! How often somebody may ask: a bucket for each, which fills again while nobody looks. People have
//! one, and so have addresses; neither empties the other.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use parking_lot::Mutex;

/// Beyond this many, buckets that are full again are forgotten.
const MOST: usize = 50_000;

pub struct Limit<K> {
    /// Tokens a second, and how many there are at most.
    rate: f64,
    depth: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// What is left for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub allowed: bool,
    pub depth: u64,
    pub remaining: u64,
    /// Seconds until one more is allowed; until the bucket is full when one is.
    pub reset_s: u64,
}

impl<K: Hash + Eq> Limit<K> {
    pub fn new(rate: f64, depth: f64) -> Self {
        Self { rate, depth, buckets: Mutex::default() }
    }

    /// Takes one token if there is one.
    pub fn take(&self, who: K, now: Instant) -> Left {
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.depth);
            // An attacker with that many addresses shall not fill our memory.
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: self.depth, at: now });
        let tokens = self.filled(*bucket, now);
        let allowed = tokens >= 1.0;
        *bucket = Bucket { tokens: if allowed { tokens - 1.0 } else { tokens }, at: now };
        let missing = if allowed { self.depth - bucket.tokens } else { 1.0 - bucket.tokens };
        Left {
            allowed,
            depth: whole(self.depth),
            remaining: whole(bucket.tokens),
            reset_s: whole((missing / self.rate).ceil()),
        }
    }

    /// Gives one back that was taken.
    pub fn give_back(&self, who: &K) {
        if let Some(bucket) = self.buckets.lock().get_mut(who) {
            bucket.tokens = (bucket.tokens + 1.0).min(self.depth);
        }
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        passed.mul_add(self.rate, bucket.tokens).min(self.depth)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and never negative")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (limit, start) = (Limit::new(2.0, 3.0), Instant::now());
        let take = |who, ms| limit.take(who, start + Duration::from_millis(ms));
        assert_eq!([take("a", 0), take("a", 0), take("a", 0)].map(|left| left.remaining), [2, 1, 0]);
        let empty = take("a", 0);
        assert!(!empty.allowed && empty.reset_s == 1);
        assert!(take("b", 0).allowed, "another one has a bucket of their own");
        assert!(take("a", 500).allowed);
        assert!(!take("a", 600).allowed);
        limit.give_back(&"a");
        assert!(take("a", 600).allowed && !take("a", 600).allowed);
    }
}
