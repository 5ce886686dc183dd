//! What the server of a peer may say over its replication connection.
//!
//! The texts are PostgreSQL's own, of `libpqwalreceiver.c` and `subscriptioncmds.c` of 15 to 18: a
//! subscription says nothing else. Everything that is not in them word for word is refused.

/// What the login of a peer is for: one slot, from which one publication is streamed.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    /// Name of the slot.
    pub slot: &'a str,
    /// Name of the publication.
    pub publication: &'a str,
}

/// Each connection begins with this.
const SEARCH_PATH: &str = "SELECT pg_catalog.set_config('search_path', '', false)";

/// `CREATE SUBSCRIPTION` asks whether the publication is there, and which tables it names; the last
/// one is asked of a publisher of version 16 or later.
const OF_PUBLICATIONS: [&str; 3] = [
    "SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('?')",
    "SELECT DISTINCT t.schemaname, t.tablename, t.attnames FROM pg_catalog.pg_publication_tables t \
     WHERE t.pubname IN ('?')",
    "SELECT DISTINCT n.nspname, c.relname, gpt.attrs FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN (SELECT (pg_get_publication_tables(VARIADIC array_agg(pubname::text))).* FROM pg_publication \
     WHERE pubname IN ('?')) AS gpt ON gpt.relid = c.oid",
];

impl Stream<'_> {
    /// Whether a subscription to this stream gives that replication command.
    pub fn needs_command(self, command: &str) -> bool {
        let command = plain(command);
        command == "IDENTIFY_SYSTEM" || (self.is_named() && (self.is_start(&command) || command == self.no_failover()))
    }

    /// Whether a subscription to this stream gives that statement.
    pub fn needs_statement(self, statement: &str) -> bool {
        let statement = plain(statement);
        let asks = |text: &&str| statement == plain(&text.replace('?', self.publication));
        statement == plain(SEARCH_PATH) || (self.is_named() && OF_PUBLICATIONS.iter().any(asks))
    }

    /// Plain names, which mean the same with quotes and without.
    fn is_named(self) -> bool {
        let is_plain = |name: &str| {
            !name.is_empty() && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
        };
        is_plain(self.slot) && is_plain(self.publication)
    }

    /// From version 17 on `CREATE SUBSCRIPTION` says this of a slot that was there before.
    fn no_failover(self) -> String {
        format!("ALTER_REPLICATION_SLOT {}(FAILOVER false)", self.slot)
    }

    /// `START_REPLICATION SLOT "s" LOGICAL 0/0 (proto_version '3', publication_names '"p"')`.
    fn is_start(self, command: &str) -> bool {
        let begin = format!("START_REPLICATION SLOT \"{}\" LOGICAL ", self.slot);
        let position_and_options = command.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(')'));
        let Some((position, options)) = position_and_options.and_then(|rest| rest.split_once('(')) else {
            return false;
        };
        is_position(position) && options.split(',').all(|option| self.is_option(option))
    }

    /// No other publication, and nothing that a subscription of ours does not ask for, such as
    /// messages or transactions before they commit.
    fn is_option(self, option: &str) -> bool {
        let Some((name, value)) = option.split_once(' ') else { return false };
        let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let Some(value) = value else { return false };
        match name {
            "proto_version" => value.bytes().all(|it| it.is_ascii_digit()),
            "publication_names" => value == format!("\"{}\"", self.publication),
            "origin" => matches!(value, "none" | "any"),
            "binary" => value == "true",
            _ => false,
        }
    }
}

/// A place in the WAL, `16/B374D848`.
fn is_position(text: &str) -> bool {
    let is_half = |half: &str| !half.is_empty() && half.bytes().all(|it| it.is_ascii_hexdigit());
    text.split_once('/').is_some_and(|(high, low)| is_half(high) && is_half(low))
}

/// The text with one blank for many, none beside brackets and commas, and no semicolon at its end.
/// No text that is allowed has any of these within quotes, nor a comment.
fn plain(text: &str) -> String {
    let is_blank = |it: char| matches!(it, ' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C');
    let words: Vec<&str> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
    let mut plain = words.join(" ");
    for sign in ["(", ")", ","] {
        plain = plain.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign);
    }
    let end = plain.trim_end_matches([';', ' ']).len();
    plain.truncate(end);
    plain
}

#[cfg(test)]
mod tests {
    use super::Stream;

    const UP: Stream<'_> = Stream { slot: "tpv_up_s01", publication: "tpv_up" };

    /// Recorded from servers of 15 and 17; the others' differ in nothing that is compared.
    #[test]
    fn a_subscription_may_say_what_it_needs() {
        for command in [
            "IDENTIFY_SYSTEM",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_up\"', binary 'true')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 16/B374D848 (proto_version '4', origin 'none', publication_names '\"tpv_up\"', binary 'true')",
            "ALTER_REPLICATION_SLOT tpv_up_s01 ( FAILOVER false );",
        ] {
            assert!(UP.needs_command(command), "{command}");
        }
        for statement in [
            "SELECT pg_catalog.set_config('search_path', '', false);",
            "SELECT t.pubname FROM\n pg_catalog.pg_publication t WHERE\n t.pubname IN ('tpv_up')",
            "SELECT DISTINCT t.schemaname, t.tablename \n, t.attnames\nFROM pg_catalog.pg_publication_tables t\n WHERE t.pubname IN ('tpv_up')",
            "SELECT DISTINCT t.schemaname, t.tablename \n, t.attnames\nFROM pg_catalog.pg_publication_tables t\n WHERE t.pubname IN ( 'tpv_up' )",
            "SELECT DISTINCT n.nspname, c.relname, gpt.attrs\n       FROM pg_class c\n         JOIN pg_namespace n ON n.oid = c.relnamespace\n         JOIN ( SELECT (pg_get_publication_tables(VARIADIC array_agg(pubname::text))).*\n                FROM pg_publication\n                WHERE pubname IN ( 'tpv_up' )) AS gpt\n             ON gpt.relid = c.oid\n",
        ] {
            assert!(UP.needs_statement(statement), "{statement}");
        }
    }

    #[test]
    fn no_other_command_is_needed() {
        for command in [
            "",
            ";",
            "BASE_BACKUP",
            "BASE_BACKUP (LABEL 'LOGICAL')",
            "SHOW data_directory",
            "TIMELINE_HISTORY 1",
            "UPLOAD_MANIFEST",
            "identify_system",
            "READ_REPLICATION_SLOT tpv_up_s01",
            "CREATE_REPLICATION_SLOT \"tpv_up_s01\" LOGICAL pgoutput (SNAPSHOT 'nothing')",
            "CREATE_REPLICATION_SLOT x TEMPORARY LOGICAL test_decoding",
            "CREATE_REPLICATION_SLOT x PHYSICAL RESERVE_WAL",
            "DROP_REPLICATION_SLOT tpv_up_s01",
            "DROP_REPLICATION_SLOT tpv_to_s02 WAIT",
            "ALTER_REPLICATION_SLOT tpv_up_s01 ( FAILOVER true )",
            "ALTER_REPLICATION_SLOT tpv_to_s02 ( FAILOVER false )",
            "START_REPLICATION 0/0",
            "START_REPLICATION PHYSICAL 0/0",
            "START_REPLICATION SLOT \"tpv_up_s01\" PHYSICAL 0/0",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 ()",
            "START_REPLICATION SLOT \"tpv_to_s02\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_up\"')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_to_s02\"')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_up\",\"tpv_to_s02\"')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', messages 'true', publication_names '\"tpv_up\"')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', streaming 'on', publication_names '\"tpv_up\"')",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (\"include-xids\" 'on')",
        ] {
            assert!(!UP.needs_command(command), "{command}");
        }
    }

    #[test]
    fn no_other_statement_is_needed() {
        for statement in [
            "",
            "select 1",
            "BEGIN",
            "SELECT pg_catalog.set_config('role', 'postgres', false)",
            "SELECT pg_catalog.set_config('search_path', '', false); SELECT 1",
            "SELECT pg_catalog.set_config('search_path', ' ', false)",
            "SELECT pg_catalog.set_config('search_path', '', false) -- ;",
            "SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('tpv_to_s02')",
            "SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('tpv_up', 'tpv_to_s02')",
            "SELECT t.pubname FROM pg_catalog.pg_subscription t WHERE t.pubname IN ('tpv_up')",
            "SELECT body FROM wire.doc",
        ] {
            assert!(!UP.needs_statement(statement), "{statement}");
        }
    }

    #[test]
    fn a_login_without_a_slot_of_its_own_may_ask_for_nothing() {
        for (slot, publication) in [("", ""), ("tpv_up_s01", ""), ("", "tpv_up"), ("a\" LOGICAL", "p"), ("a b", "p")] {
            let stream = Stream { slot, publication };
            let start = format!(
                "START_REPLICATION SLOT \"{slot}\" LOGICAL 0/0 (proto_version '3', publication_names '\"{publication}\"')"
            );
            assert!(!stream.needs_command(&start), "{start}");
            assert!(!stream.needs_statement(&OF_ANY.replace('?', publication)));
        }
    }

    const OF_ANY: &str = "SELECT t.pubname FROM pg_catalog.pg_publication t WHERE t.pubname IN ('?')";
}
