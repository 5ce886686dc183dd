//! What goes wrong, which alarms must fire then, and which may.

/// Rules whose fault is not caused here.
pub const NOT_CAUSED: [&str; 0] = [];

/// What goes wrong.
pub enum Fault {
    /// Statements at a node, and those that mend it.
    At(Where, &'static [&'static str], &'static [&'static str]),
    HeldReceipt,
    RefusedFile,
    UnfinishedFile,
    LateWithdrawal,
    WatcherKilled,
    ClockAhead,
    DatabaseDown,
    SlowDisk,
    FsyncFails,
    FsyncAlwaysFails,
    CertificateEnds,
    GatewayKilled,
    GatewayWithoutDatabase,
    PasswordsGuessed,
}

#[derive(Clone, Copy)]
pub enum Where {
    Central,
    Store,
}

use Where::{Central, Store};

/// A fault, the alarms that must fire, and those that may.
pub const FAULTS: [(&str, Fault, &[&str], &[&str]); 24] = [
    ("a receipt is held", Fault::HeldReceipt, &["TpvReceiptsHeld"], &[]),
    ("a file is refused", Fault::RefusedFile, &["TpvFilesQuarantined"], &[]),
    ("a terminal does not finish its file", Fault::UnfinishedFile, &["TpvFilesWait"], &[]),
    ("the checkout was quicker than a withdrawal", Fault::LateWithdrawal, &["TpvWithdrawalFailed"], &[]),
    (
        "a document waits",
        Fault::At(
            Central,
            &[
                "insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
               values (100, gen_random_uuid(), current_date, 'riddle', tpv.hlc_now(), 1, 'by hand', 1, decode(repeat('00', 32), 'hex'), '{}', sha256('{}'))",
                "insert into sync.quarantine (node_id, kind, code, detail) values (100, 'riddle', 'UNKNOWN_KIND', 'it is a riddle')",
            ],
            &["select sync.dismiss(quarantine_id, 'a test') from sync.quarantine where resolved_at is null"],
        ),
        &["TpvQuarantine"],
        &[],
    ),
    (
        "a trigger was disabled",
        Fault::At(Central, &["alter table wire.op disable trigger _900_refuse"], &["select sync.mend_triggers()"]),
        &["TpvSetupFault"],
        &[],
    ),
    (
        "nothing is summed up",
        Fault::At(
            Store,
            &[
                "alter system set pg_tpv.fold_interval = 0",
                "select pg_reload_conf()",
                "select pg_sleep(2)",
                "insert into sync.touched (at, entity) values (now() - interval '1 hour', 'org.test')",
            ],
            &["alter system reset pg_tpv.fold_interval", "select pg_reload_conf()"],
        ),
        &["TpvSumsBehind"],
        &["TpvSetupFault"],
    ),
    (
        "partitions were not made",
        Fault::At(
            Central,
            &["do $$ begin for months in 2 .. 3 loop \
               execute format('drop table wire.doc_%s', to_char(current_date + make_interval(months => months), 'YYYY_MM')); end loop; end $$"],
            &["select wire.maintain_partitions()"],
        ),
        &["TpvPartitionsMissing"],
        &[],
    ),
    (
        "somebody disabled a subscription",
        Fault::At(Central, &["alter subscription tpv_from_s01 disable"], &["alter subscription tpv_from_s01 enable"]),
        &["TpvPeerNotRunning", "TpvPeerSilent", "TpvIncomplete"],
        &["TpvRowsMissing"],
    ),
    (
        "a slot is nearly lost",
        Fault::At(
            Central,
            &["alter system set max_slot_wal_keep_size = '1GB'", "select pg_reload_conf()"],
            &["alter system reset max_slot_wal_keep_size", "select pg_reload_conf()"],
        ),
        &["TpvSlotInDanger"],
        &[],
    ),
    (
        "rows of a peer are missing",
        Fault::At(
            Central,
            &[
                "insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail) values (1, 'broken', 'a test', 1, 1, 'a test')",
            ],
            &["update sync.drift set resolved_at = now() where subject = 'a test'"],
        ),
        &["TpvRowsMissing"],
        &[],
    ),
    (
        "a server was restored",
        Fault::At(Store, &["select sync.notice_restored('a test')"], &["select sync.end_restored('a test')"]),
        &["TpvRestored"],
        &[],
    ),
    (
        "two nodes changed one value that a person decides",
        Fault::At(
            Central,
            &["insert into sync.sibling (table_name, key, column_name, node_id, seq, hlc, value, chosen, review) \
               values ('party.customer', gen_random_uuid()::text, 'credit_limit', 1, 1, 1, '1', true, true)"],
            &["delete from sync.sibling where column_name = 'credit_limit'"],
        ),
        &["TpvConflictsToReview"],
        &[],
    ),
    ("the watcher is killed", Fault::WatcherKilled, &["TpvWatcherDown"], &[]),
    (
        "a clock is wrong",
        Fault::ClockAhead,
        &["TpvClockAhead"],
        &[
            "TpvDatabaseDown",
            "TpvBreakerOpen",
            "TpvPeerNotRunning",
            "TpvPeerSilent",
            "TpvIncomplete",
            "TpvReceiptsHeld",
            "TpvFilesWait",
            "TpvQuarantine",
        ],
    ),
    (
        "a store's database is down",
        Fault::DatabaseDown,
        &["TpvDatabaseDown", "TpvBreakerOpen", "TpvPeerNotRunning"],
        &["TpvPeerSilent", "TpvIncomplete", "TpvFilesWait"],
    ),
    ("the disk of a store is slow", Fault::SlowDisk, &["TpvSlow"], &["TpvFilesWait"]),
    ("an fsync fails now and then", Fault::FsyncFails, &["TpvFsyncFailed"], &["TpvBreakerOpen", "TpvFilesWait"]),
    (
        "each fsync fails, and the watcher starts again and again",
        Fault::FsyncAlwaysFails,
        &["TpvWatcherDown"],
        &["TpvFsyncFailed", "TpvBreakerOpen", "TpvFilesWait", "TpvSlow"],
    ),
    ("the certificate of a gateway ends tomorrow", Fault::CertificateEnds, &["TpvCertificateEnds"], &[]),
    ("a gateway is killed", Fault::GatewayKilled, &["TpvGatewayDown"], &[]),
    ("a gateway is not let into the database", Fault::GatewayWithoutDatabase, &["TpvGatewayFails"], &[]),
    ("somebody guesses passwords", Fault::PasswordsGuessed, &["TpvPasswordsGuessed"], &[]),
    // The last, since they are told for a quarter of an hour.
    (
        "a store lies, and a server was copied",
        Fault::At(
            Central,
            &[
                "insert into sec.audit (event, subject) values ('NOT_ENTITLED', 'node 1, catalog.price'), ('CLONE', 'node 1')",
            ],
            &["delete from sec.audit where event in ('NOT_ENTITLED', 'CLONE')"],
        ),
        &["TpvTampered", "TpvTwoServers"],
        &[],
    ),
];
