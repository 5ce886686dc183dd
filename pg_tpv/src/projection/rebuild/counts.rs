//! What became of the rows of each projection.

use tpv_core::rebuild::Differences;

/// The projections that are compared, as the answer names them.
#[derive(Clone, Copy, Debug)]
pub enum Projection {
    Receipt,
    Line,
    Event,
    EarlyEvent,
    DayClose,
    Key,
    Quarantine,
}

pub const PROJECTIONS: [(Projection, &str); 7] = [
    (Projection::Receipt, "receipt"),
    (Projection::Line, "receipt_line"),
    (Projection::Event, "receipt_event"),
    (Projection::EarlyEvent, "early_event"),
    (Projection::DayClose, "day_close"),
    (Projection::Key, "receipt_key"),
    (Projection::Quarantine, "quarantine"),
];

/// What became of the rows of a projection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub looked_at: usize,
    pub missing: usize,
    pub wrong: usize,
    pub unexplained: usize,
    pub busy: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Counts(pub [Count; PROJECTIONS.len()]);

impl Counts {
    pub fn of(&mut self, projection: Projection) -> &mut Count {
        &mut self.0[projection as usize]
    }

    pub fn add<K>(&mut self, projection: Projection, differences: &Differences<K>) {
        let count = self.of(projection);
        count.missing += differences.missing.len();
        count.wrong += differences.wrong.len();
        count.unexplained += differences.unexplained.len();
    }

    pub fn merge(&mut self, other: &Self) {
        for (to, from) in self.0.iter_mut().zip(&other.0) {
            to.looked_at += from.looked_at;
            to.missing += from.missing;
            to.wrong += from.wrong;
            to.unexplained += from.unexplained;
            to.busy += from.busy;
        }
    }
}
