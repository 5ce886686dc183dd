//! Receipts whose printed date identifies nothing: a clock that died prints the year 2000 every
//! day, and the numbers begin again.
//!
//! Then the day on which such a receipt first arrived is part of its identity. The same content
//! within ten minutes is one delivery more; later it is another receipt, perhaps, and a person
//! decides. A file of the archive arrived on the day of its folder, so that after a disaster it is
//! the same document.

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, Utc};
use uuid::Uuid;

use super::TerminalContext;
use crate::hash_chain::Hash;
use crate::problem::Problem;
use crate::receipt::Verdict;

/// A receipt that is stored already, under the number of a file.
#[derive(Clone, Debug)]
pub struct StoredReceipt {
    /// The receipt.
    pub receipt_id: Uuid,
    /// SHA-256 of its body.
    pub content_hash: Hash,
    /// How it came, where its printed date identifies nothing.
    pub undated: Option<Undated>,
}

/// How a stored receipt came whose date identifies nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undated {
    /// The day on the store's calendar on which it first arrived.
    pub arrived_on: NaiveDate,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// How long the same content counts as one delivery more.
const REPEATED_WITHIN: Duration = Duration::minutes(10);

/// The day of a file that was taken out of the archive: the last folder of its name that is one,
/// `20261128/T04/91.json`.
pub fn archive_day(file_name: &str) -> Option<NaiveDate> {
    let (folders, _) = file_name.rsplit_once('/')?;
    let day = |folder: &str| {
        let digits = folder.len() == 8 && folder.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| NaiveDate::parse_from_str(folder, "%Y%m%d").ok()).flatten()
    };
    folders.rsplit('/').find_map(day)
}

/// Those of the stored receipts that have this content and no date, each with how it came.
pub(super) fn alike<'k>(
    known: &'k [StoredReceipt],
    verdict: &'k Verdict,
) -> impl Iterator<Item = (Uuid, Undated)> + 'k {
    let same = known.iter().filter(|known| verdict.says(&known.content_hash));
    same.filter_map(|known| Some((known.receipt_id, known.undated?)))
}

/// The stored receipt that this one repeats.
pub(super) fn repeated(
    context: &TerminalContext<'_>,
    known: &[StoredReceipt],
    verdict: &Verdict,
    archived_on: Option<NaiveDate>,
) -> Option<Uuid> {
    let repeats = |undated: &Undated| match archived_on {
        Some(day) => undated.arrived_on == day,
        None => (context.arrival - undated.at).abs() <= REPEATED_WITHIN,
    };
    alike(known, verdict).find(|(_, undated)| repeats(undated)).map(|(id, _)| id)
}

/// Says that the same content came before, and when that was last.
pub(super) fn came_before(
    context: &TerminalContext<'_>,
    known: &[StoredReceipt],
    verdict: &Verdict,
) -> Option<Problem> {
    let last = alike(known, verdict).map(|(_, undated)| undated.at).max()?;
    let at = last.with_timezone(&context.store.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
    let detail = format!("the same content came at {at}, with a printed date that was not believed");
    Some(Problem::new("DATE_RANGE", "/timestamp", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_an_archived_file_is_that_of_its_folder() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 28);
        for name in ["20261128/91.json", "20261128/T04/91.json", "/srv/tpv/archive/20261128/T04/20250101.json"] {
            assert_eq!(archive_day(name), day, "{name}");
        }
        for name in
            ["91.json", "20261128", "20261128.json", "20261328/91.json", "2026112/91.json", "T04/91.json", "", "/"]
        {
            assert_eq!(archive_day(name), None, "{name}");
        }
    }
}
