//! What is tracked, and by which rules.

use std::collections::BTreeMap;

use pgrx::datum::Array;
use tpv_core::json::{self, Value};
use tpv_core::merge::{
    ALIAS, Context, Decider, Element, Entity, Merged, Operation, Patch, Rule, Rules, SetRule, who_decides,
};

use crate::postgres::sql;

/// The table of policies, which is tracked itself.
pub const POLICY: &str = "sync.policy";

/// A tracked table.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// With its schema.
    pub table_name: String,
    pub key_column: String,
    /// As SQL writes it.
    pub key_type: String,
    /// All columns that can be written.
    pub columns: Vec<String>,
    /// Columns that are one value, by the name of their group.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Columns that are sets: each element is a register of its own.
    pub sets: BTreeMap<String, SetRule>,
    /// What each column is where there is no value, as SQL writes it: its default, null, or the
    /// least of its type.
    pub blanks: Vec<String>,
    /// How one of several concurrent values is chosen.
    pub rules: Rules,
    /// Central's node id; 0 while central is not known here.
    pub central: i32,
    /// Whether only central writes the table.
    pub is_centrals: bool,
    /// Who decides about its rows.
    pub decider: Decider,
    /// The column with the number of the node that a row belongs to, or `@exists`, where a store's
    /// rows of before it joined count.
    pub own_column: Option<String>,
    /// The column that holds the node which owns the row.
    pub owner_column: Option<String>,
    /// Whether a row may be an alias of another.
    pub has_aliases: bool,
}

/// Only names that are tracked are looked up: a peer may send any text as one.
const TRACKED: &str = r"
    select t.key_column, t.groups::text,
      array(select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = to_regclass(t.table_name) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             order by a.attnum),
      array(select p.column_name from sync.policy p where p.table_name = t.table_name and not p.deleted order by 1),
      array(select p.rule::text from sync.policy p where p.table_name = t.table_name and not p.deleted
             order by p.column_name),
      coalesce((select n.node_id from org.node n where n.kind = 'central' order by 1 limit 1), 0),
      (select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
        where a.attrelid = to_regclass(t.table_name) and a.attname = t.key_column),
      t.owner_column, t.duplicates <> '{}', t.writer = 'central', t.sets::text,
      array(select case when not a.attnotnull then 'null' when a.atthasdef then 'default'
                     when y.typcategory = 'S' then '''''' when y.typcategory = 'N' then '0' when y.typcategory = 'B' then 'false'
                     when y.typcategory = 'D' then '''epoch''' when y.typcategory = 'A' or y.typname in ('json', 'jsonb') then '''{}'''
                     when y.typname = 'uuid' then '''00000000-0000-0000-0000-000000000000''' when y.typname = 'bytea' then ''''''
                     else 'null' end
              from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
             where a.attrelid = to_regclass(t.table_name) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             order by a.attnum),
      t.own_column
    from sync.tracked_table t where t.table_name = $1 and to_regclass(t.table_name) is not null";

impl Tracked {
    /// Reads it from the tables. [`Tracked::find`] remembers it.
    pub(super) fn look_up(table_name: &str) -> Option<Self> {
        sql::row(TRACKED, &[table_name.into()], |row| {
            let texts =
                |place| row.must::<Array<'_, &str>>(place).iter().flatten().map(str::to_owned).collect::<Vec<_>>();
            // A rule of a newer version: until this node is upgraded too, the last writer wins
            // here.
            let rule = |rule: String| Rule::from_text(&rule).unwrap_or_default();
            let (is_centrals, own_column) = (row.must(10), row.get::<String>(13));
            let mut tracked = Self {
                table_name: table_name.to_owned(),
                key_column: row.must(1),
                key_type: row.must(7),
                columns: texts(3),
                groups: groups(&row.must::<String>(2)),
                sets: sets(&row.must::<String>(11)),
                blanks: texts(12),
                rules: Rules(texts(4).into_iter().zip(texts(5).into_iter().map(rule)).collect()),
                central: row.must(6),
                is_centrals,
                decider: who_decides(is_centrals, own_column.is_some()),
                own_column,
                owner_column: row.get(8),
                has_aliases: row.must(9),
            };
            tracked.complete_rules();
            tracked
        })
    }

    /// Central's tables default to `central_wins`: a store may have written one before it joined.
    /// The owner column is `first_write`.
    fn complete_rules(&mut self) {
        if self.is_centrals {
            for register in self.names() {
                self.rules.0.entry(register).or_insert(Rule::CentralWins);
            }
        }
        if let Some(column) = &self.owner_column {
            self.rules.0.insert(column.clone(), Rule::FirstWrite);
        }
    }

    /// The registers of the table that have a policy: groups in place of their columns, and no
    /// sets.
    pub fn names(&self) -> Vec<String> {
        let alone = self.columns.iter().filter(|column| !self.is_reserved(column) && !self.sets.contains_key(*column));
        let alone = alone.filter(|column| self.group_of(column).is_none());
        alone.chain(self.groups.keys()).cloned().collect()
    }

    /// The group that a column belongs to.
    pub fn group_of(&self, column: &String) -> Option<&String> {
        self.groups.iter().find(|(_, columns)| columns.contains(column)).map(|(group, _)| group)
    }

    /// Columns that are no register: the key, and those that follow from @exists and @alias.
    fn is_reserved(&self, column: &str) -> bool {
        column == self.key_column || column == TOMBSTONE || (self.has_aliases && column == ALIAS_OF)
    }

    /// What the choice among heads depends on.
    pub fn context(&self, entity: &Entity) -> Context {
        let owner = self.owner_column.as_ref().and_then(|column| entity.owner(column));
        Context { central: self.central, is_centrals: self.is_centrals, owner }
    }

    /// The operation, reduced to what its node may change in this table.
    pub fn entitled(&self, operation: Operation) -> Operation {
        if self.is_centrals { operation.subject_to(self.central) } else { operation }
    }

    /// Chooses among the heads of each register. Rules that are SQL functions are still to be
    /// called.
    pub fn resolve(&self, entity: &Entity) -> Merged {
        entity.resolve(&self.rules, self.context(entity))
    }

    /// The key that a row is an alias of: null when it is none, `None` where the table has no
    /// aliases.
    pub fn alias_in<'v>(&self, image: &'v Value) -> Option<&'v Value> {
        image.get(ALIAS_OF).filter(|_| self.has_aliases)
    }

    /// The registers of a row's image: groups in place of their columns, without the key and
    /// without the tombstone.
    pub fn registers(&self, image: &Value) -> Patch {
        let mut patch = Patch::new();
        let Some(members) = image.as_object() else { return patch };
        for (column, value) in members {
            if self.is_reserved(column) {
                continue;
            }
            if let Some(rule) = self.sets.get(column) {
                let elements = value.as_array().unwrap_or_default().iter().filter_map(Value::as_str);
                patch.extend(elements.map(|element| (rule.register(column, element), Value::Bool(true))));
                continue;
            }
            match self.group_of(column) {
                None => _ = patch.insert(column.clone(), value.clone()),
                Some(group) => {
                    let group = patch.entry(group.clone()).or_insert_with(|| Value::Object(Vec::new()));
                    if let Value::Object(members) = group {
                        members.push((column.clone(), value.clone()));
                        members.sort_by(|(a, _), (b, _)| a.cmp(b));
                    }
                }
            }
        }
        patch
    }

    /// The columns of this node's table that a register stands for, with their values, and whether
    /// the table has them all. A column of a group is written by its group only; key and tombstone
    /// are written by no register. A column of the group that its writer did not know has no value
    /// and gets its default, since the row is a function of the heads.
    pub fn columns_of(&self, register: &str, value: &Value) -> (Vec<ColumnValue>, bool) {
        let mut written: Vec<ColumnValue> = match (self.groups.get(register), value) {
            _ if register == ALIAS => vec![(ALIAS_OF.to_owned(), Some(value.clone()))],
            (Some(_), Value::Object(members)) => {
                members.iter().map(|(column, value)| (column.clone(), Some(value.clone()))).collect()
            }
            _ => vec![(register.to_owned(), Some(value.clone()))],
        };
        let all = written.len();
        written.retain(|(column, _)| self.writes(register, column));
        let complete = written.len() == all;
        for column in self.groups.get(register).into_iter().flatten() {
            if self.columns.contains(column) && written.iter().all(|(other, _)| other != column) {
                written.push((column.clone(), None));
            }
        }
        (written, complete)
    }

    /// The set that a register is an element of, and the element: where this node's table has such
    /// a set.
    pub fn element<'r>(&self, register: &'r str) -> Option<Element<'r>> {
        let element = Element::of(register)?;
        let is_set = self.sets.get(element.column) == Some(&element.rule);
        (is_set && self.columns.iter().any(|column| column == element.column)).then_some(element)
    }

    /// What is written into a row of which nothing is kept: column and SQL, without the key, the
    /// tombstone and the alias.
    pub fn blank_columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.columns.iter().zip(&self.blanks);
        pairs.filter(|(column, _)| !self.is_reserved(column)).map(|(column, blank)| (column.as_str(), blank.as_str()))
    }

    fn writes(&self, register: &str, column: &String) -> bool {
        let its_own = match register == ALIAS {
            true => self.has_aliases,
            false => {
                !self.is_reserved(column)
                    && !self.sets.contains_key(column)
                    && self.group_of(column).unwrap_or(column) == register
            }
        };
        its_own && self.columns.contains(column)
    }
}

/// A column and its value; none for its default.
pub type ColumnValue = (String, Option<Value>);

/// The column that says which row this one is an alias of.
const ALIAS_OF: &str = "alias_of";

/// The column that says that a row is deleted.
pub const TOMBSTONE: &str = "deleted";

fn sets(text: &str) -> BTreeMap<String, SetRule> {
    let sets = json::read(text, 8).ok();
    let members = sets.as_ref().and_then(Value::as_object).unwrap_or_default();
    members.iter().filter_map(|(column, word)| Some((column.clone(), SetRule::from_word(word.as_str()?)?))).collect()
}

fn groups(text: &str) -> BTreeMap<String, Vec<String>> {
    let groups = json::read(text, 8).ok();
    let members = groups.as_ref().and_then(Value::as_object).unwrap_or_default();
    let names = |columns: &Value| {
        columns.as_array().unwrap_or_default().iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    members.iter().map(|(group, columns)| (group.clone(), names(columns))).collect()
}
