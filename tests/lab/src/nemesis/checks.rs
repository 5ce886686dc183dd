//! What must be so when all is quiet: nothing is lost, nothing is there twice, and everything
//! follows from what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use postgres::Client;
use uuid::Uuid;

use super::actor::Done;
use super::expected::Expected;
use super::fault::Poison;
use super::servers::{Servers, node};
use crate::node::STORES;

/// Everything that is not as it should be.
pub fn check_all(
    servers: &Servers,
    done: &[Done],
    poison: &[Poison],
    rejoined: &BTreeSet<usize>,
) -> Result<Vec<String>> {
    let mut complaints: Vec<String> = done.iter().flat_map(|done| done.unexpected.iter().take(5).cloned()).collect();
    let mut central = servers.clusters[0].connect()?;
    let expected = Expected::read(&mut central)?;
    complaints.extend(values(&expected, done));
    complaints.extend(operations(servers, &mut central, rejoined)?);
    for (index, at) in servers.nodes().enumerate() {
        let (code, mut dba) = (node(index).code, at.connect()?);
        let found = check(servers, index, &mut dba, &expected, done, poison).with_context(|| code.to_owned())?;
        complaints.extend(found.into_iter().take(30).map(|complaint| format!("{code}: {complaint}")));
        complaints.extend(crashes(&fs::read_to_string(at.log())?).map(|line| format!("{code}: {line}")));
    }
    Ok(complaints)
}

fn check(
    servers: &Servers,
    index: usize,
    dba: &mut Client,
    expected: &Expected,
    done: &[Done],
    poison: &[Poison],
) -> Result<Vec<String>> {
    let mut complaints = expected.check("journal", dba)?;
    complaints.extend(receipts(index, dba, done)?);
    complaints.extend(texts(dba, BROKEN_CHAINS)?);
    complaints.extend(texts(dba, FALSE_ALARMS)?);
    complaints.extend(documents(servers, index, dba)?);
    complaints.extend(quarantine(index, dba, poison)?);
    let (before, waiting) = (projections(dba)?, texts(dba, WAITING)?);
    dba.execute("select from sales.rebuild_projections()", &[])?;
    for (table, digest) in projections(dba)? {
        if before.get(&table) != Some(&digest) {
            complaints.push(format!("{table} was {:?}, a rebuild makes it {digest}", before.get(&table)));
        }
    }
    let still = texts(dba, WAITING)?;
    if still != waiting {
        complaints.push(format!("a rebuild changed what waits: {waiting:?} became {still:?}"));
    }
    Ok(complaints)
}

/// What was acknowledged is in the journal, once.
fn values(expected: &Expected, done: &[Done]) -> Vec<String> {
    let mut complaints = Vec::new();
    for key in done.iter().flat_map(|done| &done.erased) {
        if !expected.is_erased(*key) {
            complaints.push(format!("{key} was erased, and no operation says so"));
        }
    }
    for (key, token) in done.iter().flat_map(|done| &done.tokens) {
        match expected.written.get(token) {
            None if expected.is_erased(*key) => {}
            Some(_) if expected.is_erased(*key) => complaints.push(format!("{token} was erased and is in the journal")),
            None => complaints.push(format!("{token} was answered for, and no operation wrote it")),
            Some(deciding) if deciding.len() > 1 => {
                complaints.push(format!("{token} was written by more than one operation: {deciding:?}"));
            }
            Some(_) => {}
        }
    }
    complaints.extend(expected.fates.get("waiting").map(|count| format!("{count} operations wait for a creation")));
    complaints.truncate(30);
    complaints
}

type Operations = BTreeMap<(i32, i64), String>;

fn operations_at(dba: &mut Client) -> Result<Operations> {
    let all = "select node_id, seq, md5(concat_ws(' ', hlc, table_name, key, patch, base)) from wire.op";
    Ok(dba.query(all, &[])?.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect())
}

/// Central has every operation, numbered without a gap. A store has the same, but for those that
/// came to it as state: when it joined, and up to any number if it joined again.
fn operations(servers: &Servers, central: &mut Client, rejoined: &BTreeSet<usize>) -> Result<Vec<String>> {
    let mut complaints = texts(
        central,
        "select format('operations of node %s are numbered %s to %s, and there are %s', node_id, min(seq), max(seq), count(*)) \
         from wire.op group by node_id having min(seq) <> 1 or max(seq) <> count(*)",
    )?;
    let all = operations_at(central)?;
    for (index, at) in servers.nodes().enumerate().skip(1) {
        let (code, here) = (node(index).code, operations_at(&mut at.connect()?)?);
        let horizon: BTreeMap<i32, i64> = servers.horizons[index].iter().copied().collect();
        let as_state = |node: i32, seq: i64| {
            let again = rejoined.contains(&(index - 1)) && node != super::servers::node(index).id;
            again || horizon.get(&node).is_some_and(|of| seq <= *of)
        };
        let missing = all.keys().filter(|(node, seq)| !here.contains_key(&(*node, *seq)) && !as_state(*node, *seq));
        complaints.extend(missing.take(5).map(|version| format!("{code}: operation {version:?} is missing")));
        let other = here.iter().filter(|(version, digest)| all.get(version) != Some(digest));
        complaints.extend(other.take(5).map(|(version, _)| format!("{code}: operation {version:?} is not central's")));
    }
    Ok(complaints)
}

/// Sales that were acknowledged are at their store and at central, each once, with what an operator
/// decided about them.
fn receipts(index: usize, dba: &mut Client, done: &[Done]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for store in (0..STORES.len()).filter(|store| index == 0 || index == store + 1) {
        let sold: Vec<Uuid> =
            done.iter().flat_map(|done| &done.receipts).filter(|(at, _)| *at == store).map(|(_, id)| *id).collect();
        let mut times = |what: &str, of: &str, ids: &[Uuid], wanted: &str| -> Result<()> {
            let sql = format!(
                "select format('%s %s of node %s: %s times', '{what}', w.id, $1::integer, count(t.id)) \
                 from (select distinct unnest($2::uuid[]) as id) w left join ({of}) t on t.node_id = $1 and t.id = w.id \
                 group by w.id having not count(t.id) {wanted}"
            );
            complaints.extend(dba.query(&sql, &[&node(store + 1).id, &ids])?.iter().map(|row| row.get::<_, String>(0)));
            Ok(())
        };
        times("document", "select node_id, doc_id as id from wire.doc", &sold, "= 1")?;
        times("receipt", "select node_id, receipt_id as id from sales.receipt", &sold, "= 1")?;
        for kind in ["release", "void"] {
            let decided =
                done.iter().flat_map(|done| &done.decided).filter(|(at, _, what)| *at == store && *what == kind);
            let decided: Vec<Uuid> = decided.map(|(_, id, _)| *id).collect();
            let of = format!("select node_id, receipt_id as id from sales.receipt_event where kind = '{kind}'");
            times(kind, &of, &decided, ">= 1")?;
        }
    }
    Ok(complaints)
}

/// A store has its own documents and no others, and central has the same.
fn documents(servers: &Servers, index: usize, dba: &mut Client) -> Result<Vec<String>> {
    let whole = "select count(*) || ' ' || coalesce(md5(string_agg(d::text, ',' order by doc_id, business_date)), '') \
                 from wire.doc d where node_id = $1";
    let mut complaints = Vec::new();
    if index > 0 {
        let id = node(index).id;
        let own: String = dba.query_one(whole, &[&id])?.get(0);
        let central: String = servers.clusters[0].connect()?.query_one(whole, &[&id])?.get(0);
        if own != central {
            complaints.push(format!("documents: {own}, at central: {central}"));
        }
    }
    Ok(complaints)
}

const BROKEN_CHAINS: &str = "select format('hash chain %s of node %s: %s at %s', chain, node_id, reason, broken_seq) \
    from wire.verify_chains() where not intact";

/// Nobody lies here and nothing was restored, however often a server was killed: an alarm that says so is
/// a false one.
const FALSE_ALARMS: &str = "select concat_ws(' ', event, subject, detail) from sec.audit \
     where event in ('BANNED', 'CLONE', 'FORGED_SENDER', 'MORE_REFUSED', 'NOT_ENTITLED', 'NUMBER_REUSED', 'RESTORED', \
                     'RESTORED_SAID', 'SLOT_HOLDS_VACUUM') \
    union all select l::text from sync.life l where state = 'refused' or refusals > 0 \
    union all select r::text from sync.restored r \
    union all select o::text from sync.own_said o \
    union all select p::text from sync.second_place p \
    union all select concat_ws(' ', code, node_id, kind, seq) from sync.quarantine \
     where code in ('BANNED', 'FORGED_SENDER', 'NOT_ENTITLED', 'NUMBER_REUSED')";

const WAITING: &str = "select concat_ws(' ', quarantine_id, node_id, kind, code) from sync.quarantine where resolved_at is null order by quarantine_id";

/// What nobody can read waits, and nothing else does. Only at the store that wrote it such an
/// operation does not wait, since it was never merged there.
fn quarantine(index: usize, dba: &mut Client, poison: &[Poison]) -> Result<Vec<String>> {
    let rows = dba.query(
        "select node_id, seq, code, detail, kind from sync.quarantine where resolved_at is null order by quarantine_id",
        &[],
    )?;
    let mut complaints = Vec::new();
    let codes = ["OPERATION_JSON", "OPERATION_PATCH", "OPERATION_BASE", "UNKNOWN_TABLE", "UNKNOWN_KIND", "BAD_BODY"];
    for row in &rows {
        let (code, detail, kind): (&str, &str, &str) = (row.get(2), row.get(3), row.get(4));
        if !codes.contains(&code) {
            complaints.push(format!("in quarantine: {kind} of node {}: {code} {detail}", row.get::<_, i32>(0)));
        }
    }
    for poison in poison.iter().filter(|poison| index != poison.store + 1) {
        let Poison { store, seq: Some(seq) } = poison else { continue };
        // Where it is an operation at all, and did not come as the state that it left as it was. One of an
        // erased row comes without its values, and can be read then.
        let sql = "select exists (select from wire.op where node_id = $1 and seq = $2 and not sync.is_erased(table_name, key)) \
                   and not exists (select from sync.quarantine where node_id = $1 and seq = $2)";
        let id = node(store + 1).id;
        let lost: bool = dba.query_one(sql, &[&id, seq])?.get(0);
        complaints.extend(lost.then(|| format!("poison {id}.{seq} is not in quarantine")));
    }
    Ok(complaints)
}

fn projections(dba: &mut Client) -> Result<BTreeMap<String, String>> {
    let tables = ["receipt", "receipt_line", "receipt_tax", "receipt_event", "day_close", "receipt_key"];
    tables
        .iter()
        .map(|table| {
            let sql = format!(
                "select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text collate \"C\")), '') from sales.{table} t"
            );
            Ok(((*table).to_owned(), dba.query_one(&sql, &[])?.get(0)))
        })
        .collect()
}

/// Lines of a server's log that no fault of ours explains.
fn crashes(log: &str) -> impl Iterator<Item = &str> {
    let bad = ["PANIC", "signal 11", "signal 6", "TRAP:", "Rust panic", "panicked at"];
    log.lines().filter(move |line| bad.iter().any(|bad| line.contains(bad))).take(5)
}

fn texts(dba: &mut Client, sql: &str) -> Result<Vec<String>> {
    Ok(dba.query(sql, &[])?.iter().map(|row| row.get(0)).collect())
}
