//! The same views without roll-ups: those of `bi`, over views of receipts and lines that stand in for
//! the tables of `rollup`.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use postgres::Client;

const STAND_INS: &str = include_str!("straight.sql");

/// The tables that there are stand-ins for.
const TABLES: [&str; 4] = ["sales_hour", "item_day", "tax_day", "terminal_day"];

/// In the order in which they were made, so that each comes after those that it reads.
const VIEWS: &str = "
select c.relname::text, pg_get_viewdef(c.oid) from pg_class c
 where c.relnamespace = 'bi'::regnamespace and c.relkind = 'v' order by c.oid";

/// The views of `bi` that read roll-ups, made once more without.
#[derive(Debug)]
pub struct Straight {
    views: BTreeSet<String>,
}

impl Straight {
    /// Makes them.
    pub fn make(dba: &mut Client) -> Result<Self> {
        dba.batch_execute(STAND_INS).context("making views without roll-ups")?;
        let mut straight = Self { views: BTreeSet::new() };
        dba.batch_execute("set search_path = pg_catalog")?;
        for row in dba.query(VIEWS, &[])? {
            let (name, definition): (String, String) = (row.get(0), row.get(1));
            let text = TABLES.iter().fold(definition.clone(), |text, table| moved(&text, "rollup", "straight", table));
            let text = straight.rewritten(&text);
            if text != definition {
                dba.batch_execute(&format!("create view straight_bi.{name} as {text}"))
                    .with_context(|| format!("making {name} without roll-ups"))?;
                straight.views.insert(name);
            }
        }
        dba.batch_execute(
            "reset search_path; grant usage on schema straight, straight_bi to tpv_analyst; \
                           grant select on all tables in schema straight_bi to tpv_analyst",
        )?;
        Ok(straight)
    }

    /// The same question to views without roll-ups; none where it asks for no view with any.
    pub fn question(&self, sql: &str) -> Option<String> {
        Some(self.rewritten(sql)).filter(|text| text != sql)
    }

    fn rewritten(&self, sql: &str) -> String {
        self.views.iter().fold(sql.to_owned(), |text, view| moved(&text, "bi", "straight_bi", view))
    }
}

/// The text with `from.name` as `to.name`, where that is the whole name.
fn moved(text: &str, from: &str, to: &str, name: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let old = format!("{from}.{name}");
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(&old) {
        let (before, found) = rest.split_at(at);
        let after = &found[old.len()..];
        let before_it = before.chars().next_back().or_else(|| out.chars().next_back());
        // `rollup.item_day.gross` is a column of the table.
        let ends = |letter: char| is_part(letter) && letter != '.';
        let is_whole = !before_it.is_some_and(is_part) && !after.chars().next().is_some_and(ends);
        out.push_str(before);
        out.push_str(&if is_whole { format!("{to}.{name}") } else { old.clone() });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_moved() {
        let text = "from bi.sales s join bi.sales_by_day d join (bi.sales) x join obi.sales where bi.sales.gross > 0";
        assert_eq!(
            moved(text, "bi", "straight_bi", "sales"),
            "from straight_bi.sales s join bi.sales_by_day d join (straight_bi.sales) x join obi.sales where straight_bi.sales.gross > 0"
        );
    }
}
