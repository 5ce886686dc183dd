//! The hybrid logical clock: one `i64` that follows the wall clock and never stands still or runs
//! backwards.
//!
//! The upper 48 bits are Unix milliseconds, the lower 16 a counter that carries into the
//! milliseconds when it is full (Kulkarni et al., "Logical Physical Clocks", 2014). The clock lives
//! in shared memory, which a crash takes away, so a *ceiling* is kept on disk: no stamp above it is
//! handed out, and after a crash the clock goes on above it. It is reserved some seconds ahead, so
//! that a stamp costs no write.
//!
//! Stamps order only what was written without knowledge of each other; identity is `(node_id,
//! seq)`. That is why a clock that had been wrong by years can be set back at all
//! ([`Clock::step_back`]).
//!
//! The caller holds a lock around each call, and from a call that asks for a ceiling until
//! [`Clock::reserved`].

use chrono::{DateTime, Utc};

const COUNTER_BITS: u32 = 16;

/// How far ahead of the clock the ceiling is reserved, in milliseconds. After a crash the clock may
/// be ahead of the wall clock by this much, so a node must tolerate more than this in its peers.
pub const RESERVE_MS: i64 = 10_000;

/// The latest wall clock that is believed, in Unix milliseconds: the year 4199. It is half of what
/// 48 bits hold, so that a clock which is there still has more stamps left than a node can write.
const LATEST_WALL_MS: i64 = (1 << 46) - 1;

/// The clock of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Clock {
    /// The greatest stamp handed out or seen.
    pub last: i64,
    /// What is known to be reserved on disk: no stamp above it may be used.
    pub ceiling: i64,
}

/// A stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Tick {
    /// The stamp, greater than every one before.
    pub hlc: i64,
    /// Where this is given, it has to be on disk before the stamp is used; then say
    /// [`Clock::reserved`].
    pub needs_ceiling: Option<i64>,
}

/// What became of a stamp of another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Observed {
    /// The next stamp will be greater than it.
    Taken,
    /// The clock was there already.
    Behind,
    /// It is too far ahead of the wall clock, so it was ignored. One of the two clocks is wrong,
    /// and a person must know.
    Ahead {
        /// How far, in milliseconds.
        by_ms: i64,
    },
}

impl Clock {
    /// The clock after a start, whether the last stop was clean or not. `ceiling_on_disk` is 0 when
    /// there is none yet.
    pub fn recover(ceiling_on_disk: i64, now_ms: i64) -> Self {
        let ceiling = ceiling_on_disk.max(0);
        // One below the wall clock, since the first stamp is one above this.
        Self { last: ceiling.max(stamp(now_ms) - 1), ceiling }
    }

    /// The next stamp.
    pub fn tick(&mut self, now_ms: i64) -> Tick {
        // It cannot saturate before the year 6429, and nothing but a garbled ceiling leads there.
        self.last = stamp(now_ms).max(self.last.saturating_add(1));
        let needs_ceiling = (self.last > self.ceiling).then(|| self.ceiling_wanted());
        Tick { hlc: self.last, needs_ceiling }
    }

    /// Takes note of another node's stamp, so that what is written here from now on is stamped
    /// above it. One that is more than `max_skew_ms` ahead of the wall clock must not drag this
    /// node along.
    ///
    /// It is not kept on disk: a crash may forget it. That costs nothing, since what was seen is
    /// named by its version.
    pub fn observe(&mut self, remote: i64, now_ms: i64, max_skew_ms: i64) -> Observed {
        let remote_ms = remote >> COUNTER_BITS;
        let by_ms = remote_ms - believed(now_ms);
        if by_ms > max_skew_ms.max(0) || remote_ms > LATEST_WALL_MS {
            return Observed::Ahead { by_ms };
        }
        if remote <= self.last {
            return Observed::Behind;
        }
        self.last = remote;
        Observed::Taken
    }

    /// The ceiling to write now, if less than half of the reserve is left. A background worker that
    /// asks every few seconds spares [`Clock::tick`] from ever waiting for the disk.
    pub fn wants_ceiling(&self, now_ms: i64) -> Option<i64> {
        let ahead = Self { last: self.last.max(stamp(now_ms)), ..*self };
        let left = self.ceiling.saturating_sub(ahead.last);
        (left < (RESERVE_MS / 2) << COUNTER_BITS).then(|| ahead.ceiling_wanted())
    }

    /// Says that `ceiling` is on disk.
    pub fn reserved(&mut self, ceiling: i64) {
        self.ceiling = self.ceiling.max(ceiling);
    }

    /// Sets a clock that is ahead of the wall clock back to it, after a person has corrected the
    /// wall clock. Stamps repeat or run backwards this once. Answers the ceiling that has to be on
    /// disk before the next stamp is used, or nothing if the clock was not ahead.
    #[must_use]
    pub fn step_back(&mut self, now_ms: i64) -> Option<i64> {
        let back = stamp(now_ms) - 1;
        if self.last <= back {
            return None;
        }
        // The ceiling in memory goes down first: whatever a crash leaves on disk, old or new,
        // nothing was used above it.
        *self = Self { last: back, ceiling: back };
        Some(self.ceiling_wanted())
    }

    /// How far the clock is ahead of the wall clock, in milliseconds; 0 when it is not.
    pub fn ahead_ms(&self, now_ms: i64) -> i64 {
        ((self.last >> COUNTER_BITS) - believed(now_ms)).max(0)
    }

    fn ceiling_wanted(&self) -> i64 {
        self.last.saturating_add(RESERVE_MS << COUNTER_BITS)
    }
}

/// The instant in a stamp, to the millisecond.
pub fn time_of(hlc: i64) -> DateTime<Utc> {
    // 48 bits of milliseconds are always within chrono's range.
    DateTime::from_timestamp_millis(hlc >> COUNTER_BITS).unwrap_or_default()
}

/// The first stamp of a millisecond.
fn stamp(now_ms: i64) -> i64 {
    believed(now_ms) << COUNTER_BITS
}

fn believed(now_ms: i64) -> i64 {
    now_ms.clamp(0, LATEST_WALL_MS)
}

#[cfg(test)]
mod tests;
