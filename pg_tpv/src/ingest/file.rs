//! A file and what the core makes of it alone.

use chrono::NaiveDate;
use tpv_core::receipt::Verdict;

pub struct File<'a> {
    pub name: Option<&'a str>,
    /// The day on which it arrived, if it comes out of the archive.
    pub archived_on: Option<NaiveDate>,
    pub raw: &'a [u8],
    pub verdict: Verdict,
}
