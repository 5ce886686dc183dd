//! What the server of a peer may ask for over its replication connection.

/// Whether a replication command belongs to logical replication, or only asks what there is.
/// `BASE_BACKUP` is a copy of all files, `START_REPLICATION` without `LOGICAL` the whole
/// write-ahead log: of every database, with every password's hash.
///
/// The words are PostgreSQL's (`repl_gram.y`), which takes them in capitals only. A name of a slot
/// has no blank in it; one in quotes that has is none that PostgreSQL finds.
pub fn is_logical(command: &str) -> bool {
    let words: Vec<&str> = command.split([' ', '\t', '\n', '\r', ';']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [
            "IDENTIFY_SYSTEM" | "SHOW" | "DROP_REPLICATION_SLOT" | "READ_REPLICATION_SLOT" | "ALTER_REPLICATION_SLOT",
            ..,
        ] => true,
        ["CREATE_REPLICATION_SLOT", _, "TEMPORARY", kind, ..] | ["CREATE_REPLICATION_SLOT", _, kind, ..] => {
            *kind == "LOGICAL"
        }
        ["START_REPLICATION", "SLOT", _, kind, ..] => *kind == "LOGICAL",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_logical;

    #[test]
    fn a_subscription_may_ask_for_what_it_needs() {
        for command in [
            "IDENTIFY_SYSTEM",
            "SHOW wal_segment_size",
            "CREATE_REPLICATION_SLOT \"tpv_up_s01\" LOGICAL pgoutput (SNAPSHOT 'nothing')",
            "CREATE_REPLICATION_SLOT \"pg_16423_sync_1\" TEMPORARY LOGICAL pgoutput USE_SNAPSHOT",
            "START_REPLICATION SLOT \"tpv_up_s01\" LOGICAL 0/0 (proto_version '3', publication_names '\"tpv_up\"')",
            "DROP_REPLICATION_SLOT tpv_up_s01 WAIT",
            "ALTER_REPLICATION_SLOT tpv_up_s01 ( FAILOVER true );",
        ] {
            assert!(is_logical(command), "{command}");
        }
    }

    #[test]
    fn nothing_that_hands_out_the_whole_server_is_logical() {
        for command in [
            "",
            ";",
            "BASE_BACKUP",
            "BASE_BACKUP;",
            "BASE_BACKUP (LABEL 'LOGICAL')",
            "\n\tBASE_BACKUP LABEL 'x' FAST",
            "START_REPLICATION 0/0",
            "START_REPLICATION PHYSICAL 0/0",
            "START_REPLICATION SLOT x PHYSICAL 0/0",
            "START_REPLICATION SLOT \"LOGICAL\" 0/0",
            "START_REPLICATION SLOT x 0/0 TIMELINE 1",
            "CREATE_REPLICATION_SLOT x PHYSICAL RESERVE_WAL",
            "CREATE_REPLICATION_SLOT x TEMPORARY PHYSICAL",
            "TIMELINE_HISTORY 1",
            "UPLOAD_MANIFEST",
            "base_backup",
        ] {
            assert!(!is_logical(command), "{command}");
        }
    }
}
