//! Compares a slice, and writes the differences.

use std::collections::BTreeSet;
use std::time::Duration;

use pgrx::check_for_interrupts;
use uuid::Uuid;

use super::counts::{Counts, Projection};
use super::receipts::Receipts;
use super::slice::{Compared, Documents, Slice};
use super::{day, mend, number};

/// How many receipts are compared at once, and how many are locked and written at once.
const COMPARED: usize = 500;
const MENDED: usize = 100;

/// How often, and after which time, a receipt that was busy is looked at again.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

impl Slice {
    /// Compares the slice, and unless it is a dry run writes the differences: of at most `left`
    /// receipts. Those that a table has refused before come last, when nothing else is left to
    /// write; what it refuses again counts for none.
    pub fn rebuild(self, dry_run: bool, left: &mut usize, counts: &mut Counts) {
        let mut documents = self.documents();
        counts.of(Projection::Receipt).looked_at += documents.receipts.len();
        let ids: Vec<Uuid> = self.receipts(&documents).into_iter().collect();
        let (mut compared, mut differing, mut last) = (Compared::default(), Vec::new(), Vec::new());
        let refused = day::refused(self);
        // Whoever writes finds out whether a table still refuses them.
        let left_out = if dry_run { refused.clone() } else { BTreeSet::new() };
        for ids in ids.chunks(COMPARED) {
            check_for_interrupts!();
            let receipts = Receipts::read(self, ids, &documents.about, &left_out);
            counts.merge(&receipts.looked_at());
            documents.faults.extend(receipts.faults());
            receipts.keys(&mut compared.keys);
            compared.of_another_day.extend(receipts.of_another_day());
            let different = receipts.different();
            if dry_run {
                different.iter().for_each(|id| counts.merge(&receipts.differences(*id)));
            }
            let was_refused = |id: &Uuid| {
                let mut about = receipts.all.get(id).into_iter().flat_map(|one| &one.events);
                refused.contains(id) || about.any(|document| refused.contains(&document.doc_id))
            };
            let (again, new): (Vec<Uuid>, Vec<Uuid>) = different.into_iter().partition(was_refused);
            last.extend(again);
            differing.extend(new);
            if !dry_run && differing.len() >= *left {
                break;
            }
        }
        let mut all = differing.len() < *left || dry_run;
        if !dry_run {
            // What is written stays locked until the caller ends the transaction, so it does that
            // first, and calls again.
            let are_tried = all && (differing.is_empty() || *left == usize::MAX);
            differing.truncate(*left);
            *left -= differing.len();
            self.mend(differing, &documents, &mut compared, counts);
            if are_tried {
                all = self.mend_refused(&last, left, &documents, &mut compared, counts);
            } else {
                compared.refused.extend(&refused);
            }
        }
        // Else the next call compares the slice again, and comes to these when it has all of it.
        if all {
            number::compare(self, &compared, dry_run, counts);
            day::close(self, &documents.closings, dry_run, counts);
            compared.refused.extend(left_out);
            day::quarantine(self, &documents, &compared, dry_run, counts);
        }
    }

    /// Tries what a table has refused before. Answers whether it came to the end.
    fn mend_refused(
        self,
        ids: &[Uuid],
        left: &mut usize,
        documents: &Documents,
        compared: &mut Compared,
        counts: &mut Counts,
    ) -> bool {
        for ids in ids.chunks(MENDED) {
            if *left == 0 {
                return false;
            }
            let not_written = |compared: &Compared| compared.refused.len() + compared.busy.len();
            let before = not_written(compared);
            self.mend(ids.to_vec(), documents, compared, counts);
            let written = ids.len().saturating_sub(not_written(compared) - before);
            *left = left.saturating_sub(written);
        }
        true
    }

    /// Writes the differences of these receipts, some at a time; those that are busy a little
    /// later, and each on its own.
    fn mend(self, ids: Vec<Uuid>, documents: &Documents, compared: &mut Compared, counts: &mut Counts) {
        let mut again = Vec::new();
        for ids in ids.chunks(MENDED) {
            check_for_interrupts!();
            match mend::together(self, ids, &documents.about) {
                Some((done, busy)) => {
                    counts.merge(&done);
                    again.extend(busy);
                }
                None => again.extend(ids),
            }
        }
        for attempt in 0..TRIES {
            if again.is_empty() {
                break;
            }
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            again.retain(|id| {
                check_for_interrupts!();
                let mended = mend::alone(self, *id, &documents.about, &mut compared.refused);
                mended.inspect(|done| counts.merge(done)).is_none()
            });
        }
        counts.of(Projection::Receipt).busy += again.len();
        compared.busy.extend(again);
    }
}
