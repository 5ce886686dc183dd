//! What the nodes answer: central's report, what each shows of one customer and one product, and
//! digests.

use anyhow::Result;
use chrono::{DateTime, Utc};
use postgres::{Client, Row};
use serde_json::Value;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::node::Node;

/// A connection of the DBA to each node.
pub struct Queries {
    nodes: Vec<(Node, Client)>,
}

/// What central knows of one store.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub code: String,
    pub receipts: i64,
    pub sales: String,
    /// Everything the store recorded before is at central.
    pub until: Option<DateTime<Utc>>,
    /// The same, compared row by row; none where central's `sync.status` does not have it.
    pub verified: Option<DateTime<Utc>>,
    /// `running`, or what is not.
    pub state: String,
}

/// What one node shows.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub code: &'static str,
    pub address: String,
    pub consent: String,
    pub tags: String,
    pub price: String,
}

/// One of the values that were written at the same time.
#[derive(Clone, Debug)]
pub struct Sibling {
    pub column: String,
    pub code: String,
    pub value: String,
    pub chosen: bool,
    pub rule: String,
}

const REPORT: &str = "
select n.node_code, coalesce(r.receipts, 0), to_char(coalesce(r.sales, 0), 'FM999,999,990.00'), s.received_until, s.state,
       (to_jsonb(s) ->> 'verified_until')::timestamptz
  from org.node n
  join sync.status s on s.peer = n.node_code and s.direction = 'receives'
  left join (select node_id, count(*) as receipts, sum(total) filter (where state in ('accepted', 'released')) as sales
               from sales.receipt group by 1) r on r.node_id = n.node_id
 order by n.node_id";

const SHOWN: &str = "
select concat(c.street, ', ', c.postcode, ' ', c.city), c.consent,
       (select string_agg(tag, ', ' order by tag) from jsonb_array_elements_text(c.tags) tag),
       (select round(catalog.price_at($2, n.node_id), 2)::text from sync.this_node n)
  from (select) one left join party.customer c on c.customer_id = $1";

const SIBLINGS: &str = "
select s.column_name, n.node_code, s.value, s.chosen, coalesce(p.rule ->> 'rule', p.rule #>> '{}', 'last_write')
  from sync.sibling s
  join org.node n using (node_id)
  left join sync.policy p on p.table_name = s.table_name and p.column_name = s.column_name and not p.deleted
 where s.key = $1::uuid::text
 order by s.column_name, s.node_id";

/// One query over all shared tables and the conflicts on record.
const DIGEST: &str = "
select 'select md5(concat_ws('','', (select string_agg(concat_ws('' '', table_name, key, column_name, node_id, seq, value, chosen), '','' '
    || 'order by table_name, key, column_name, node_id, seq) from sync.sibling), '
    || string_agg(format('(select md5(string_agg(t::text, ''|'' order by t::text)) from %s t)', table_name), ', ' order by table_name)
    || '))'
  from sync.tracked_table";

impl Sibling {
    /// What became of it, and why.
    pub fn shown_as(&self) -> &'static str {
        match (self.chosen, self.rule.as_str()) {
            (false, _) => "kept",
            (true, "last_write") => "shown: the later",
            (true, "least") => "shown: the stricter",
            (true, _) => "shown",
        }
    }
}

impl Queries {
    pub fn connect<'c>(nodes: impl Iterator<Item = (Node, &'c Cluster)>) -> Result<Self> {
        Ok(Self { nodes: nodes.map(|(node, at)| Ok((node, at.connect()?))).collect::<Result<_>>()? })
    }

    /// Central's connection.
    pub fn central(&mut self) -> &mut Client {
        &mut self.nodes[0].1
    }

    /// The connection to a store, by its place in `STORES`.
    pub fn store(&mut self, store: usize) -> &mut Client {
        &mut self.nodes[store + 1].1
    }

    /// What central reports of each store.
    pub fn report(&mut self) -> Result<Vec<Report>> {
        let report = |row: &Row| Report {
            code: row.get(0),
            receipts: row.get(1),
            sales: row.get(2),
            until: row.get(3),
            state: row.get(4),
            verified: row.get(5),
        };
        Ok(self.central().query(REPORT, &[])?.iter().map(report).collect())
    }

    /// What each node shows, central first.
    pub fn shown(&mut self, customer: Uuid, product: Uuid) -> Result<Vec<Shown>> {
        let text = |row: &Row, at| row.get::<_, Option<String>>(at).unwrap_or_default();
        let ask = |(node, dba): &mut (Node, Client)| {
            let row = dba.query_one(SHOWN, &[&customer, &product])?;
            let address = Some(text(&row, 0)).filter(|address| address.len() > 3).unwrap_or_default();
            Ok(Shown { code: node.code, address, consent: text(&row, 1), tags: text(&row, 2), price: text(&row, 3) })
        };
        self.nodes.iter_mut().map(ask).collect()
    }

    /// The conflicts about a customer that central has on record.
    pub fn siblings(&mut self, customer: Uuid) -> Result<Vec<Sibling>> {
        let sibling = |row: &Row| Sibling {
            column: row.get(0),
            code: row.get(1),
            value: words(&row.get::<_, Option<Value>>(2).unwrap_or_default()),
            chosen: row.get(3),
            rule: row.get(4),
        };
        Ok(self.central().query(SIBLINGS, &[&customer])?.iter().map(sibling).collect())
    }

    /// Whether all nodes have the same rows in all shared tables, and the same conflicts on record.
    pub fn agree(&mut self) -> Result<bool> {
        let mut digests = Vec::new();
        for (_, dba) in &mut self.nodes {
            let sql: String = dba.query_one(DIGEST, &[])?.get(0);
            digests.push(dba.query_one(&sql, &[])?.get::<_, String>(0));
        }
        Ok(digests.iter().all(|digest| *digest == digests[0]))
    }

    /// The sum of what one query of one number answers at each node.
    pub fn sum(&mut self, query: &str) -> Result<i64> {
        self.nodes.iter_mut().map(|(_, dba)| Ok(dba.query_one(query, &[])?.try_get::<_, i64>(0)?)).sum()
    }

    /// What one query of one number answers at a store.
    pub fn count_at(&mut self, store: usize, query: &str) -> Result<i64> {
        Ok(self.store(store).query_one(query, &[])?.try_get(0)?)
    }
}

/// A value as people write it; an address in the order of a letter.
fn words(value: &Value) -> String {
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => format!("{}, {} {}", part("street"), part("postcode"), part("city")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_is_written_in_the_order_of_a_letter() {
        let address = json!({"city": "Madrid", "street": "Gran Vía 12", "postcode": "28013", "country": "ES"});
        assert_eq!(words(&address), "Gran Vía 12, 28013 Madrid");
        assert_eq!(words(&json!("none")), "none");
    }
}
