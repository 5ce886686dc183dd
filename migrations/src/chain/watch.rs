//! How far a store is that has joined: the snapshot that it gets, the documents that it sends, and when
//! both directions are at work.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::Order;
use super::node::{Node, told as told_of};
use super::pair::Pair;
use crate::console::Console;

/// How often it is looked at, and how often it is told.
const LOOK: Duration = Duration::from_secs(1);
const TELL: Duration = Duration::from_secs(5);

/// What is said after so long is a fault, and no beginning.
const SETTLED: Duration = Duration::from_secs(30);

/// How often both compare, as pg_cron does each minute.
const COMPARE: Duration = Duration::from_secs(5);

/// What was there before the first step.
pub struct Before {
    /// Documents of the store, which central is to have.
    documents: i64,
    /// Since when a snapshot counts, by the clock of the store.
    at: String,
    /// For a renewal: the moment before the first step, by the clocks of central and of the store. Whoever
    /// streams since then has logged in with the new password.
    renewed: Option<[String; 2]>,
}

/// How it is.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Documents of the store that central has.
    pub documents: i64,
    /// Parts of the snapshot that the store has.
    pub parts: i64,
    /// Rows that the two share, once the snapshot is complete.
    pub rows: Option<i64>,
    pub is_running: bool,
    /// What `sync.status` says, where it is not running.
    pub advice: Option<String>,
    /// How many there are, as far as that is known.
    pub parts_in_all: Option<i64>,
    pub is_complete: bool,
}

const DOCUMENTS: &str = "select count(*) from wire.doc d where d.node_id = $1";

/// The newest snapshot of central.
const SNAPSHOT: &str = "
    select l.parts::bigint, l.expected_parts::bigint, l.completed_at is not null
      from sync.snapshot l
     where l.node_id = $1 and l.started_at >= $2::text::timestamptz
     order by l.completed_at is not null desc, l.started_at desc limit 1";

const LEFT: &str = "select count(*) from sync.outgoing o where o.to_node = $1 and o.kind = 'snapshot'";

/// Both rows of the peer. A node compares a minute after it has joined; what it then requests comes by
/// itself, and the line is at work meanwhile.
const STATUS: &str = "
    select count(*) filter (where s.state = 'running') = 2,
           (array_agg(format('at %s, %s: %s, %s', $2::text, s.direction, s.state, s.advice)
                      order by s.state = 'running', s.direction))[1]
      from sync.status s join org.node n on n.node_code = s.peer
     where n.node_id = $1";

const NOW: &str = "select clock_timestamp()::text";

/// Streams of a peer that began since then.
const STREAMS: &str = "
    select exists (select from pg_catalog.pg_stat_replication r
                    where r.usename = $1 and r.backend_start > $2::text::timestamptz)";

impl Before {
    /// `is_new` where a snapshot of before is none of what is watched; `renews` where both are to connect again.
    pub async fn of(pair: &Pair, is_new: bool, renews: bool) -> Result<Self, tokio_postgres::Error> {
        let Some(store) = &pair.store else {
            return Ok(Self { documents: 0, at: "infinity".to_owned(), renewed: None });
        };
        let renewed = match renews {
            false => None,
            true => {
                let central = pair.central.client.query_one(NOW, &[]).await?.get(0);
                Some([central, store.client.query_one(NOW, &[]).await?.get(0)])
            }
        };
        let since = "select coalesce((select p.added_at from sync.peer p where p.node_id = $1 and not $2), clock_timestamp())::text";
        let at = store.client.query_one(since, &[&pair.central.node_id, &is_new]).await?.get(0);
        let documents = store.client.query_one(DOCUMENTS, &[&store.node_id]).await?.get(0);
        Ok(Self { documents, at, renewed })
    }
}

/// Looks until both directions run and all that was there has arrived, or patience ends.
pub async fn until_running(
    pair: &Pair,
    before: &Before,
    order: &Order,
    console: &mut Console<'_>,
) -> Result<Seen, tokio_postgres::Error> {
    let Some(store) = &pair.store else { return Ok(Seen::default()) };
    let (started, mut told, mut compared) = (Instant::now(), Instant::now(), None::<Instant>);
    let (mut last, mut first) = (Seen::default(), None);
    loop {
        match look(pair, store, before).await {
            Ok(seen) => last = seen,
            // A statement may fail once, as the victim of a deadlock; a session that is closed stays so.
            Err(error) if pair.nodes().any(|node| node.client.is_closed()) => {
                last.advice = Some(format!("the connection was lost: {}", told_of(&error)));
                last.is_running = false;
                return Ok(last);
            }
            Err(_) => {}
        }
        let first = *first.get_or_insert(last.documents);
        if last.is_running || started.elapsed() >= order.patience {
            break;
        }
        if told.elapsed() >= TELL {
            let _ = writeln!(console.err, "{}", progress(&last, first, before, started.elapsed()));
            told = Instant::now();
        }
        if compared.is_none_or(|at| at.elapsed() >= COMPARE) {
            for node in pair.nodes() {
                let _ = node.client.batch_execute("select sync.reconcile()").await;
            }
            compared = Some(Instant::now());
        }
        tokio::time::sleep(LOOK).await;
    }
    // What came before the row that it needs waits for pg_cron's next minute, or for this.
    for node in pair.nodes() {
        let _ = node.client.batch_execute("select sync.replay_waiting()").await;
    }
    if last.is_complete {
        last.rows = Some(store.client.query_one("select count(*) from sync.head", &[]).await?.get(0));
    }
    Ok(last)
}

async fn look(pair: &Pair, store: &Node, before: &Before) -> Result<Seen, tokio_postgres::Error> {
    let central = &pair.central;
    let documents = central.client.query_one(DOCUMENTS, &[&pair.store_id]).await?.get(0);
    let snapshot = store.client.query_opt(SNAPSHOT, &[&central.node_id, &before.at]).await?;
    let left: i64 = central.client.query_one(LEFT, &[&pair.store_id]).await?.get(0);
    let here = central.client.query_one(STATUS, &[&pair.store_id, &central.code]).await?;
    let there = store.client.query_one(STATUS, &[&central.node_id, &store.code]).await?;
    let running = |row: &tokio_postgres::Row| row.get::<_, Option<bool>>(0).unwrap_or_default();
    let is_complete = snapshot.as_ref().is_some_and(|row| row.get(2));
    let parts = snapshot.as_ref().map_or(0, |row| row.get(0));
    let expected = snapshot.and_then(|row| row.get(1));
    let has_all = documents >= before.documents;
    let late = match &before.renewed {
        Some(since) => connects_no_more(pair, store, since).await?,
        None => None,
    };
    let advice = match (running(&here), running(&there)) {
        _ if late.is_some() => late,
        (false, _) => here.get(1),
        (true, false) => there.get(1),
        (true, true) if !is_complete => {
            Some(format!("the snapshot of {} is not complete in {}", central.code, store.code))
        }
        (true, true) if !has_all => Some(format!("documents of {} are still on their way", store.code)),
        (true, true) => None,
    };
    let is_running = advice.is_none();
    Ok(Seen {
        documents,
        parts,
        rows: None,
        is_running,
        advice,
        parts_in_all: expected.or((left > 0).then_some(parts + left)),
        is_complete,
    })
}

/// Which of the two has not connected again since then.
async fn connects_no_more(
    pair: &Pair,
    store: &Node,
    since: &[String; 2],
) -> Result<Option<String>, tokio_postgres::Error> {
    let central = &pair.central;
    for (at, peer, since) in [(central, store, &since[0]), (store, central, &since[1])] {
        let login = peer.login().await?;
        if !at.client.query_one(STREAMS, &[&login, since]).await?.get::<_, bool>(0) {
            return Ok(Some(format!(
                "{} has not connected to {} with the new password; its log says why",
                peer.code, at.code
            )));
        }
    }
    Ok(None)
}

fn progress(seen: &Seen, first: i64, before: &Before, since: Duration) -> String {
    let mut text = format!("{:>5.0} s  snapshot: ", since.as_secs_f64());
    let _ = match (seen.is_complete, seen.parts, seen.parts_in_all) {
        (true, ..) => write!(text, "complete"),
        (false, 0, None) => write!(text, "none yet"),
        (false, parts, None) => write!(text, "{parts} parts"),
        (false, parts, Some(all)) => write!(text, "{parts} of {all} parts"),
    };
    let rate = u64::try_from((seen.documents - first).max(0)).map_or(0.0, as_float) / since.as_secs_f64().max(0.1);
    let _ = write!(text, ";  documents: {} of {}", seen.documents, before.documents.max(seen.documents));
    if before.documents > 0 {
        let _ = write!(text, " ({} %, {rate:.0} a second)", (seen.documents * 100 / before.documents).min(100));
    }
    // At first a worker starts, and a server that is new is told from one that was restored.
    if let Some(advice) = seen.advice.as_ref().filter(|_| since >= SETTLED) {
        let _ = write!(text, ";  {advice}");
    }
    text
}

#[allow(clippy::cast_precision_loss, reason = "it is shown without decimals")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_percent_and_rate() {
        let seen = Seen {
            documents: 1500,
            parts: 2,
            parts_in_all: Some(5),
            advice: Some("at CENTRAL: …".to_owned()),
            ..Seen::default()
        };
        let before = Before { documents: 2000, at: String::new(), renewed: None };
        assert_eq!(
            progress(&seen, 500, &before, Duration::from_secs(40)),
            "   40 s  snapshot: 2 of 5 parts;  documents: 1500 of 2000 (75 %, 25 a second);  at CENTRAL: …"
        );
    }

    #[test]
    fn a_store_that_has_sold_nothing_has_no_percent() {
        let before = Before { documents: 0, at: String::new(), renewed: None };
        let seen = Seen { is_complete: true, ..Seen::default() };
        assert_eq!(
            progress(&seen, 0, &before, Duration::from_secs(5)),
            "    5 s  snapshot: complete;  documents: 0 of 0"
        );
    }
}
