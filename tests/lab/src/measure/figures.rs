//! Numbers as they are shown.

/// Two decimals are as many as a measurement on a shared machine deserves.
pub fn rounded(ms: f64) -> f64 {
    (ms * 100.0).round() / 100.0
}

/// The one in the middle; not a number when there is none.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
