//! `tpv-migrate status --central`: the whole chain as central sees it, a row for each store.

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::node::{Node, told};
use crate::connection::Connection;
use crate::console::{Console, SUCCESS};

/// Somebody should look at a store.
const TO_DO: u8 = super::NOT_YET;

/// A direction is in `sync.status`; the chain shows both of a store in one row.
const CHAIN: &str = "
    select r.peer, r.state, s.state, s.lag_bytes, r.lag_operations, s.lag_operations,
           extract(epoch from r.silent_for)::float8,
           to_char(r.received_until at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), r.version,
           case when r.advice = 'nothing to do' then s.advice else r.advice end
      from sync.status r
      join sync.status s on s.peer = r.peer and s.direction = 'sends'
     where r.direction = 'receives'
     order by r.peer";

#[derive(Debug, Serialize)]
struct Line {
    store: String,
    receives: String,
    sends: String,
    lag_bytes: Option<i64>,
    operations_missing_here: Option<i64>,
    operations_missing_there: Option<i64>,
    silent_seconds: Option<f64>,
    received_until: Option<String>,
    version: Option<String>,
    advice: String,
}

pub async fn show(connection: &Connection, as_json: bool, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let central = Node::open(connection, "--central", "central").await?;
    let rows = central.client.query(CHAIN, &[]).await.map_err(|error| anyhow::anyhow!(told(&error)))?;
    let lines: Vec<Line> = rows
        .iter()
        .map(|row| Line {
            store: row.get(0),
            receives: row.get(1),
            sends: row.get(2),
            lag_bytes: row.get(3),
            operations_missing_here: row.get(4),
            operations_missing_there: row.get(5),
            silent_seconds: row.get(6),
            received_until: row.get(7),
            version: row.get(8),
            advice: row.get(9),
        })
        .collect();
    let to_do = lines.iter().filter(|line| line.advice != "nothing to do").count();
    let text = if as_json {
        let all = json!({ "central": central.code, "version": central.extension, "schema": central.schema,
                          "stores": lines, "stores_to_look_at": to_do });
        format!("{all:#}\n")
    } else {
        format!("{} (pg_tpv {}, schema {})\n{}", central.code, central.extension, central.schema, table(&lines))
    };
    console.out.write_all(text.as_bytes()).context("the chain could not be shown")?;
    Ok(if to_do == 0 { SUCCESS } else { TO_DO })
}

fn table(lines: &[Line]) -> String {
    let head =
        ["store", "from it", "to it", "WAL kept", "behind", "heard", "complete until", "version"].map(str::to_owned);
    let mut cells = vec![head];
    cells.extend(lines.iter().map(cells_of));
    let widths: Vec<usize> = (0..cells[0].len())
        .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (nth, row) in cells.iter().enumerate() {
        let columns: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(&format!("{}  ", columns.join("  ")));
        text.push_str(nth.checked_sub(1).map_or("what to do", |nth| lines[nth].advice.as_str()));
        text.push('\n');
    }
    let to_do = lines.iter().filter(|line| line.advice != "nothing to do").count();
    text + &match (lines.len(), to_do) {
        (0, _) => "no store has joined\n".to_owned(),
        (all, 0) => format!("{all} stores, nothing to do\n"),
        (all, some) => format!("{all} stores, {some} to look at\n"),
    }
}

fn cells_of(line: &Line) -> [String; 8] {
    let unknown = || "-".to_owned();
    let behind = match (line.operations_missing_here, line.operations_missing_there) {
        (None, None) => unknown(),
        (here, there) => format!("{}/{}", here.unwrap_or_default(), there.unwrap_or_default()),
    };
    [
        line.store.clone(),
        line.receives.clone(),
        line.sends.clone(),
        line.lag_bytes.map_or_else(unknown, bytes),
        behind,
        line.silent_seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s ago")),
        line.received_until.clone().unwrap_or_else(unknown),
        line.version.clone().unwrap_or_else(unknown),
    ]
}

fn bytes(bytes: i64) -> String {
    match bytes {
        i64::MIN..0 => "-".to_owned(),
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_row_and_the_last_line_counts() {
        let line = |store: &str, advice: &str| Line {
            store: store.to_owned(),
            receives: "running".to_owned(),
            sends: "running".to_owned(),
            lag_bytes: Some(1024),
            operations_missing_here: Some(0),
            operations_missing_there: Some(7),
            silent_seconds: Some(2.4),
            received_until: None,
            version: Some("0.2.0".to_owned()),
            advice: advice.to_owned(),
        };
        let text = table(&[line("S01", "nothing to do"), line("S02", "do this")]);
        assert_eq!(
            text,
            "store  from it  to it    WAL kept  behind  heard    complete until  version  what to do\n\
             S01    running  running  1024 B    0/7     2 s ago  -               0.2.0    nothing to do\n\
             S02    running  running  1024 B    0/7     2 s ago  -               0.2.0    do this\n\
             2 stores, 1 to look at\n"
        );
    }
}
