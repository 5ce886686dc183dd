//! A node's tables beside the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use postgres::{Client, SimpleQueryMessage};

use super::figures::{Amounts, BucketKey, Figures};
use crate::life::money::{cents_text, milli_text, rate_text};

/// Something that a node says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// With its schema.
    pub table: &'static str,
    /// The row, by its key.
    pub row: String,
    /// The column; none where the whole row is missing, or should not be there.
    pub column: Option<&'static str>,
    /// What is true.
    pub expected: String,
    /// What the node says.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, column, expected, found } = self;
        match column {
            Some(column) => write!(to, "{table} {row}: {column} is {found}, and should be {expected}"),
            None => write!(to, "{table} {row}: {found}, and should be {expected}"),
        }
    }
}

/// A table: its name, the columns of its key, and the others that are compared.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: &'static [&'static str],
    rows: fn(&Figures) -> Rows,
}

/// Texts as PostgreSQL writes them; a null is `null`.
type Rows = BTreeMap<Vec<String>, Vec<String>>;

const TABLES: [Table; 6] = [
    Table {
        name: "rollup.bucket",
        key: &["node_id", "business_date", "department"],
        columns: &["receipts", "lines", "guessed_lines", "is_closed"],
        rows: buckets,
    },
    Table {
        name: "rollup.sales_hour",
        key: &["node_id", "business_date", "department", "hour"],
        columns: &["tickets", "voided", "lines", "units", "gross", "net", "tax", "without_rate", "guessed_tax"],
        rows: hours,
    },
    Table {
        name: "rollup.item_day",
        key: &["node_id", "business_date", "department", "item"],
        columns: &["lines", "sold", "returned", "gross", "net", "without_rate"],
        rows: item_days,
    },
    Table {
        name: "rollup.item",
        key: &["node_id", "department", "item"],
        columns: &["description", "first_on", "last_on"],
        rows: items,
    },
    Table {
        name: "rollup.tax_day",
        key: &["node_id", "business_date", "department", "tax_rate", "source"],
        columns: &["receipts", "lines", "gross", "net", "tax"],
        rows: taxes,
    },
    Table {
        name: "rollup.terminal_day",
        key: &["node_id", "business_date", "department", "terminal"],
        columns: &[
            "accepted",
            "released",
            "held",
            "voided",
            "late",
            "lines",
            "gross",
            "net",
            "tax",
            "without_rate",
            "held_total",
            "voided_total",
        ],
        rows: terminals,
    },
];

/// Where the roll-ups of a node differ from the figures: of each table at most `most` rows. Only
/// rows of nodes are looked at that the figures have, unless `all_nodes`.
pub fn differences(node: &mut Client, figures: &Figures, all_nodes: bool, most: usize) -> Result<Vec<Difference>> {
    let nodes: BTreeSet<String> = figures.bucket.keys().map(|key| key.node_id.to_string()).collect();
    let mut all = Vec::new();
    for table in &TABLES {
        let mut found = read(node, table)?;
        found.retain(|key, _| all_nodes || nodes.contains(&key[0]));
        compare(table, &(table.rows)(figures), &found, most, &mut all);
    }
    Ok(all)
}

fn compare(table: &Table, expected: &Rows, found: &Rows, most: usize, all: &mut Vec<Difference>) {
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    for key in keys.into_iter().filter(|key| expected.get(*key) != found.get(*key)).take(most) {
        note(table, key, expected.get(key), found.get(key), all);
    }
}

/// The differences as text for people: the first `most`, and how many more.
pub fn report(differences: &[Difference], most: usize) -> String {
    let mut lines: Vec<String> = differences.iter().take(most).map(ToString::to_string).collect();
    if let Some(more) = differences.len().checked_sub(most).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn note(
    table: &Table,
    key: &[String],
    expected: Option<&Vec<String>>,
    found: Option<&Vec<String>>,
    all: &mut Vec<Difference>,
) {
    let row = table.key.iter().zip(key).map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    let difference = |column, expected: &str, found: &str| Difference {
        table: table.name,
        row: row.clone(),
        column,
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let words =
        |row: &[String]| table.columns.iter().zip(row).map(|(n, v)| format!("{n} {v}")).collect::<Vec<_>>().join(" ");
    match (expected, found) {
        (Some(expected), Some(found)) => {
            let pairs = table.columns.iter().zip(expected.iter().zip(found));
            let differing = pairs.filter(|(_, (expected, found))| expected != found);
            all.extend(differing.map(|(column, (expected, found))| difference(Some(*column), expected, found)));
        }
        (Some(expected), None) => all.push(difference(None, &words(expected), "is missing")),
        (None, Some(found)) => all.push(difference(None, "absent", &format!("has {}", words(found)))),
        (None, None) => {}
    }
}

fn read(node: &mut Client, table: &Table) -> Result<Rows> {
    let columns = table.key.iter().chain(table.columns).map(|column| match *column {
        "is_closed" => "case when is_closed then 'yes' else 'no' end".to_owned(),
        column => format!("coalesce({column}::text, 'null')"),
    });
    let sql = format!("select {} from {}", columns.collect::<Vec<_>>().join(", "), table.name);
    let mut rows = Rows::new();
    for message in node.simple_query(&sql)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let mut values = (0..row.len()).map(|column| row.get(column).unwrap_or("null").to_owned());
        let key = values.by_ref().take(table.key.len()).collect();
        rows.insert(key, values.collect());
    }
    Ok(rows)
}

fn of_bucket(key: &BucketKey, more: &[String]) -> Vec<String> {
    let mut all = vec![key.node_id.to_string(), key.date.to_string(), key.department.to_owned()];
    all.extend_from_slice(more);
    all
}

fn numbers<const N: usize>(of: [i64; N]) -> Vec<String> {
    of.map(|number| number.to_string()).into()
}

fn cents<const N: usize>(of: [i64; N]) -> Vec<String> {
    of.map(cents_text).into()
}

fn all_amounts(of: Amounts) -> [i64; 4] {
    [of.gross, of.net, of.tax, of.without_rate]
}

fn buckets(figures: &Figures) -> Rows {
    let row = |of: &super::Bucket| {
        let closed = if of.is_closed { "yes" } else { "no" };
        [numbers([of.receipts, of.lines, of.guessed_lines]), vec![closed.to_owned()]].concat()
    };
    figures.bucket.iter().map(|(key, of)| (of_bucket(key, &[]), row(of))).collect()
}

fn hours(figures: &Figures) -> Rows {
    let row = |of: &super::Hour| {
        let amounts = cents(all_amounts(of.amounts));
        [numbers([of.tickets, of.voided, of.lines, of.units]), amounts, cents([of.guessed_tax])].concat()
    };
    figures.sales_hour.iter().map(|((key, hour), of)| (of_bucket(key, &[hour.to_string()]), row(of))).collect()
}

fn item_days(figures: &Figures) -> Rows {
    let row = |of: &super::ItemDay| {
        let quantities = vec![of.lines.to_string(), milli_text(of.sold), milli_text(of.returned)];
        [quantities, cents([of.amounts.gross, of.amounts.net, of.amounts.without_rate])].concat()
    };
    figures.item_day.iter().map(|((key, item), of)| (of_bucket(key, std::slice::from_ref(item)), row(of))).collect()
}

fn items(figures: &Figures) -> Rows {
    let row = |of: &super::ItemSeen| vec![of.description.clone(), of.first_on.to_string(), of.last_on.to_string()];
    let key =
        |(node, department, item): &(i32, &str, String)| vec![node.to_string(), (*department).to_owned(), item.clone()];
    figures.item.iter().map(|(of, seen)| (key(of), row(seen))).collect()
}

fn taxes(figures: &Figures) -> Rows {
    let row = |of: &super::TaxDay| [numbers([of.receipts, of.lines]), cents([of.gross, of.net, of.tax])].concat();
    let rate = |rate: &Option<i64>| rate.map_or_else(|| "null".to_owned(), rate_text);
    let key = |(key, of, source): &(BucketKey, Option<i64>, &str)| of_bucket(key, &[rate(of), (*source).to_owned()]);
    figures.tax_day.iter().map(|(of, tax)| (key(of), row(tax))).collect()
}

fn terminals(figures: &Figures) -> Rows {
    let row = |of: &super::TerminalDay| {
        let counts = numbers([of.accepted, of.released, of.held, of.voided, of.late, of.lines]);
        [counts, cents(all_amounts(of.amounts)), cents([of.held_total, of.voided_total])].concat()
    };
    figures.terminal_day.iter().map(|((key, code), of)| (of_bucket(key, std::slice::from_ref(code)), row(of))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::truth::Truth;
    use crate::life::{Life, Plan};

    #[test]
    fn what_differs_is_told_by_table_row_and_column() {
        let life = Life::new(1, &Plan::small("2026-03-02".parse().unwrap()));
        let figures = Truth::of(&life, &life.events()).figures();
        let told = |table: &Table, found: &Rows| {
            let mut all = Vec::new();
            compare(table, &(table.rows)(&figures), found, 9, &mut all);
            all
        };
        for table in &TABLES {
            let same = (table.rows)(&figures);
            assert!(!same.is_empty() && same.values().all(|row| row.len() == table.columns.len()));
            assert_eq!(told(table, &same), []);
            let mut other = same.clone();
            let first = same.keys().next().unwrap();
            other.get_mut(first).unwrap()[1] = "9999".to_owned();
            let last = same.keys().next_back().unwrap();
            other.remove(last);
            let mut more = last.clone();
            more[0] = "99".to_owned();
            other.insert(more, same[last].clone());
            let told = told(table, &other);
            assert_eq!(told.len(), 3, "{told:?}");
            let columns: Vec<_> = told.iter().filter_map(|difference| difference.column).collect();
            assert_eq!(columns, [table.columns[1]]);
            assert!(report(&told, 2).ends_with("and 1 more"));
        }
    }
}
