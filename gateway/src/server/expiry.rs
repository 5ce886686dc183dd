//! When a certificate ends, and that somebody hears of it in time.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

const A_DAY_S: i64 = 86_400;
/// So long before its end a certificate is told of. `TpvCertificateEnds` in
/// `examples/monitoring/alerts.yaml` has the same number.
const SOON_S: i64 = 14 * A_DAY_S;

/// When the first of a chain, the server's own, ends. Those of authorities behind it may end earlier
/// and do no harm: clients find another way to one that they trust. None if it cannot be read.
pub fn ends_unix_s(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let certificate = Certificate::from_der(chain.first()?).ok()?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

pub fn now_unix_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// Says once a day that a certificate ends, or that nobody knows when it does.
#[derive(Debug, Default)]
pub struct Reminder {
    /// Of which end, and when.
    said: Option<(Option<i64>, i64)>,
}

impl Reminder {
    pub fn remind(&mut self, ends_unix_s: Option<i64>, now_unix_s: i64) {
        if !self.is_due(ends_unix_s, now_unix_s) {
            return;
        }
        match ends_unix_s.map(|end| end - now_unix_s) {
            None => tracing::warn!("when the certificate ends that clients are shown cannot be read"),
            Some(left_s) if left_s > 0 => {
                tracing::warn!(days_left = left_s / A_DAY_S, "the certificate that clients are shown ends soon");
            }
            Some(_) => tracing::error!("the certificate that clients are shown has ended"),
        }
    }

    fn is_due(&mut self, ends_unix_s: Option<i64>, now_unix_s: i64) -> bool {
        let is_said = self.said.is_some_and(|(end, at)| end == ends_unix_s && now_unix_s - at < A_DAY_S);
        let is_due = ends_unix_s.is_none_or(|end| end - now_unix_s < SOON_S) && !is_said;
        if is_due {
            self.said = Some((ends_unix_s, now_unix_s));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_of_for_two_weeks_and_once_a_day() {
        let mut reminder = Reminder::default();
        let end = 100 * A_DAY_S;
        let mut is_due = |now| reminder.is_due(Some(end), now);
        assert!(!is_due(end - SOON_S), "two weeks are left");
        assert!(is_due(end - SOON_S + 1));
        assert!(!is_due(end - SOON_S + A_DAY_S), "it was said a day ago, less a second");
        assert!(is_due(end - SOON_S + A_DAY_S + 1));
        assert!(is_due(end + 1), "it has ended");
    }

    #[test]
    fn a_new_certificate_that_ends_soon_is_told_of_at_once() {
        let mut reminder = Reminder::default();
        assert!(reminder.is_due(Some(A_DAY_S), 0));
        assert!(reminder.is_due(Some(2 * A_DAY_S), 10));
        assert!(!reminder.is_due(Some(400 * A_DAY_S), 20));
        assert!(reminder.is_due(None, 30), "it cannot be read");
        assert!(!reminder.is_due(None, 40));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        assert_eq!(ends_unix_s(&[]), None);
        assert_eq!(ends_unix_s(&[CertificateDer::from(vec![0x30, 0])]), None);
    }
}
