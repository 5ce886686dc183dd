//! How long files waited: no plan knows when a node recorded them, so the node is asked that, and
//! nothing else.

use std::collections::BTreeMap;

use anyhow::Result;
use postgres::Client;

use super::compare::Difference;

const RECEIPTS: &str = "
select concat_ws(' ', 'node_id', node_id, 'business_date', business_date, 'department', department, 'terminal', terminal),
       (extract(epoch from recorded_at) * 1000000)::bigint, (extract(epoch from printed_at) * 1000000)::bigint
  from sales.receipt";

const FOUND: &str = "
select concat_ws(' ', 'node_id', node_id, 'business_date', business_date, 'department', department, 'terminal', terminal),
       waited_seconds, waited_most::bigint
  from rollup.terminal_day";

/// Where the times of `rollup.terminal_day` are not those of the node's receipts.
pub fn waits(node: &mut Client) -> Result<Vec<Difference>> {
    let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in node.query(RECEIPTS, &[])? {
        let (recorded, printed): (i64, i64) = (row.get(1), row.get(2));
        let waited = ((recorded - printed) / 1_000_000).max(0);
        let (sum, most) = expected.entry(row.get(0)).or_default();
        *sum += waited;
        *most = waited.max(*most);
    }
    let found: BTreeMap<String, (i64, i64)> =
        node.query(FOUND, &[])?.into_iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let text =
        |of: Option<&(i64, i64)>| of.map_or("absent".to_owned(), |(sum, most)| format!("{sum} and {most} at most"));
    let mut rows: Vec<&String> = expected.keys().chain(found.keys()).collect();
    rows.sort_unstable();
    rows.dedup();
    let differing = rows.into_iter().filter(|row| expected.get(*row) != found.get(*row));
    Ok(differing
        .map(|row| Difference {
            table: "rollup.terminal_day",
            row: row.clone(),
            column: Some("waited_seconds"),
            expected: text(expected.get(row)),
            found: text(found.get(row)),
        })
        .collect())
}
