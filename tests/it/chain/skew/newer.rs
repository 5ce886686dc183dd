//! How a node becomes newer than others, and what is asked then.

use std::time::Duration;

use tpv_lab::chain::Chain;
use tpv_lab::cluster::Cluster;
use tpv_lab::wait::until_true;

use crate::support::{SOON, all_say, run, until_at};

/// pg_cron begins a job with the minute, and a machine under load is late.
pub const A_MINUTE_AND_A_BIT: Duration = Duration::from_secs(100);

/// Runs statements as a migration does.
#[track_caller]
pub fn migrate(at: &Cluster, statements: &[&str]) {
    let mut owner = at.connect().unwrap();
    owner.batch_execute("set role tpv_owner; set search_path = ''").unwrap();
    for statement in statements {
        owner.batch_execute(statement).unwrap();
    }
}

/// What the next version's migrations do.
pub const LOYALTY: &str = "alter table party.customer add column loyalty text not null default 'none'";
pub const WEIGHT: &str = "alter table catalog.product add column weight_g integer";
pub const BRAND: &[&str] = &[
    "create table catalog.brand (brand_id uuid primary key default tpv.uuid7(), name text not null, deleted boolean not null default false)",
    "create unique index brand_name on catalog.brand (name) where not deleted",
    "select sync.track('catalog.brand', 'central')",
];
pub const NOTE: &[&str] = &[
    "create table party.note (note_id uuid primary key default tpv.uuid7(), customer_id uuid not null, note text not null)",
    "select sync.track('party.note')",
];

/// Waits until operations about a table wait at a node for that reason.
#[track_caller]
pub fn waits(at: &Cluster, kind: &str, code: &str, how_many: usize) {
    let waiting =
        "select coalesce(string_agg(code, ' '), '') from sync.quarantine where resolved_at is null and kind = $1";
    let wanted = vec![code; how_many].join(" ");
    let mut dba = at.connect().unwrap();
    let mut seen = String::new();
    until_true(&format!("{kind} waits"), SOON, || {
        seen = dba.query_one(waiting, &[&kind]).unwrap().get(0);
        seen == wanted
    })
    .unwrap_or_else(|error| panic!("{error:#}: {seen}"));
}

/// What pg_cron calls each minute.
#[track_caller]
pub fn replay(at: &Cluster) {
    run(at, &["set role tpv_cron; select sync.replay_waiting()"]);
    until_at(at, "select not exists (select from sync.quarantine where resolved_at is null)");
}

/// Every node has the same rows, heads and conflicts, nothing waits, and no operation is missing.
#[track_caller]
pub fn all_are_alike(chain: &Chain, tables: &[(&str, &str)]) {
    chain.converge().unwrap();
    for (table, key) in tables {
        let rows = format!("select string_agg(to_jsonb(t)::text, e'\\n' order by {key}) from {table} t");
        assert_ne!(all_say(chain, &rows), "", "{table} has rows");
    }
    all_say(
        chain,
        "select string_agg(table_name || ' ' || key || ' ' || heads, e'\\n' order by table_name, key) from sync.head",
    );
    all_say(
        chain,
        "select string_agg(concat_ws(' ', key, column_name, node_id, seq, value, chosen), ',' order by key, column_name, node_id, seq) \
         from sync.sibling",
    );
    assert_eq!(all_say(chain, "select string_agg(q::text, ', ') from sync.quarantine q where resolved_at is null"), "");
}

pub const CUSTOMERS: (&str, &str) = ("party.customer", "customer_id");
pub const PRODUCTS: (&str, &str) = ("catalog.product", "product_id");

/// A trigger of a newer version's library: it changes what this node writes, after this node took
/// it in.
pub fn writes_newer(at: &Cluster, table: &str, what: &str) {
    run(
        at,
        &[
            &format!(
                "create function public.newer() returns trigger language plpgsql as $$ begin {what} return new; end $$"
            ),
            &format!("create trigger _150_newer before insert on {table} for each row execute function public.newer()"),
        ],
    );
}

/// No library that knows it is here: its look is changed to what this one knows, where it waits.
pub fn learns(at: &Cluster, statement: &str) {
    run(at, &[&format!("set pg_tpv.maintenance = on; {statement}")]);
}
