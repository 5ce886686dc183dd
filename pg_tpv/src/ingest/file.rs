//! A file and what the core makes of it alone.

use tpv_core::receipt::Verdict;

pub struct File<'a> {
    pub name: Option<&'a str>,
    pub raw: &'a [u8],
    pub verdict: Verdict,
}
