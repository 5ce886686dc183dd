//! The password of a peer's login: drawn here, kept by the two servers, and never printed.

use std::fmt;

use postgres_protocol::password::scram_sha_256;
use uuid::Uuid;

/// What stands before it in a connection that has one.
const WORD: &str = " password=";

/// A password. It has no text but where a server is told it.
pub struct Secret(String);

impl Secret {
    /// 244 random bits, as hexadecimal digits: it needs no quotes anywhere.
    pub fn draw() -> Self {
        Self(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// What the server that it opens keeps of it. The password itself never goes there.
    pub fn verifier(&self) -> String {
        scram_sha_256(self.0.as_bytes())
    }

    /// A connection that uses it.
    pub fn with(&self, conninfo: &str) -> String {
        format!("{conninfo}{WORD}{}", self.0)
    }

    /// A server's error may quote the statement that failed.
    pub fn hide(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// What a session is told before it has to do with passwords: neither the server's log nor its
/// statistics keep it. And a server notices within a second that the program was killed.
pub const KEEP_NOTHING: &str = "\
    set log_statement = none; set log_min_duration_statement = -1; set log_min_duration_sample = -1; \
    set log_min_error_statement = panic; set log_error_verbosity = terse; set log_parameter_max_length = 0; \
    set log_parameter_max_length_on_error = 0; set log_transaction_sample_rate = 0; set track_activities = off; \
    set debug_print_parse = off; set debug_print_rewritten = off; set debug_print_plan = off; \
    set client_connection_check_interval = '1s'; set pg_stat_statements.track = none; set auto_explain.log_min_duration = -1; set pgaudit.log = none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::draw();
        assert_eq!(format!("{secret:?}"), "***");
        let error = format!("connection '{}'", secret.with("host=x"));
        assert_eq!(secret.hide(&error), "connection 'host=x password=***'");
        assert!(secret.verifier().starts_with("SCRAM-SHA-256$4096:"));
    }
}
