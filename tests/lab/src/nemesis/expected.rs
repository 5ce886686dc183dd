//! What the journal says must be there, worked out by the pure core: every head, every conflict,
//! every row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use postgres::Client;
use tpv_core::json::{self, Value};
use tpv_core::merge::{self, Element, Entity, Fate, Head, Operation, Rule, Rules, SetRule, Version};
use uuid::Uuid;

use crate::node::CENTRAL;

/// An entity: its table and its key.
type Key = (String, String);

/// What follows from central's journal.
pub struct Expected {
    entities: BTreeMap<Key, Entity>,
    rules: HashMap<String, Rules>,
    tables: Vec<Table>,
    /// How many operations came to what.
    pub fates: BTreeMap<&'static str, u64>,
    /// Each text that an operation wrote, and the operations that decided it. Addresses are written
    /// whole, with what was there before, and whoever restores a loser writes what another wrote:
    /// they do not count. An element of a set counts where it is added.
    pub written: HashMap<String, Vec<Operation>>,
}

struct Table {
    table_name: String,
    key_column: String,
    groups: Value,
    owner_column: Option<String>,
    is_centrals: bool,
    sets: Vec<(String, SetRule)>,
}

const OPERATIONS: &str = "select node_id, seq, hlc, table_name, key, patch, base from wire.op";

impl Expected {
    /// Reads the journal at central, which has every operation.
    pub fn read(central: &mut Client) -> Result<Self> {
        let tables = central.query(
            "select table_name, key_column, groups::text, owner_column, writer = 'central', sets::text from sync.tracked_table",
            &[],
        )?;
        let table = |row: &postgres::Row| {
            let groups = json::read(row.get(2), 8).ok().context("groups")?;
            Ok(Table {
                table_name: row.get(0),
                key_column: row.get(1),
                groups,
                owner_column: row.get(3),
                is_centrals: row.get(4),
                sets: sets(row.get(5)).context("sets")?,
            })
        };
        let tables = tables.iter().map(table).collect::<Result<Vec<_>>>()?;
        let mut expected = Self {
            entities: BTreeMap::new(),
            rules: rules(central)?,
            tables,
            fates: BTreeMap::new(),
            written: HashMap::new(),
        };
        let mut operations: BTreeMap<Key, Vec<Operation>> = BTreeMap::new();
        for row in central.query(OPERATIONS, &[])? {
            let version = Version { node_id: row.get(0), seq: row.get(1) };
            let (table_name, key): (String, String) = (row.get(3), row.get(4));
            let operation = Operation::from_text(version, row.get(2), row.get(5), row.get(6));
            let table = expected.tables.iter().find(|table| table.table_name == table_name);
            match operation.ok().zip(table) {
                Some((operation, table)) => {
                    let counts = if table.is_centrals { operation.subject_to(CENTRAL.id) } else { operation };
                    operations.entry((table_name, key)).or_default().push(counts);
                }
                None => *expected.fates.entry("unreadable").or_default() += 1,
            }
        }
        for (key, operations) in operations {
            expected.count(&operations);
            expected.entities.insert(key, Entity::of(&operations));
        }
        expected.complete_rules();
        Ok(expected)
    }

    /// In tables of central's central wins; the owner of a row is the first one.
    fn complete_rules(&mut self) {
        for table in &self.tables {
            let rules = self.rules.entry(table.table_name.clone()).or_default();
            let entities = self.entities.iter().filter(|((of, _), _)| table.is_centrals && *of == table.table_name);
            for register in entities.flat_map(|(_, state)| state.0.keys()) {
                rules.0.entry(register.clone()).or_insert(Rule::CentralWins);
            }
            rules.0.extend(table.owner_column.clone().map(|column| (column, Rule::FirstWrite)));
        }
    }

    fn resolve(&self, table_name: &str, state: &Entity) -> merge::Merged {
        let table = self.tables.iter().find(|table| table.table_name == table_name);
        let owner = table.and_then(|table| state.owner(table.owner_column.as_ref()?));
        let is_centrals = table.is_some_and(|table| table.is_centrals);
        let context = merge::Context { central: CENTRAL.id, is_centrals, owner };
        match self.rules.get(table_name) {
            Some(rules) => state.resolve(rules, context),
            None => state.resolve(&Rules::default(), context),
        }
    }

    fn count(&mut self, operations: &[Operation]) {
        for fate in merge::fates(operations).into_values() {
            let name = match fate {
                Fate::Head => "head",
                Fate::Superseded => "superseded",
                Fate::Waiting => "waiting",
            };
            *self.fates.entry(name).or_default() += 1;
        }
        for operation in operations {
            let restores = operation.patch.len() == 1 && operation.base.values().any(|seen| seen.len() > 1);
            let mut decided: BTreeSet<&str> = operation.patch.values().filter_map(Value::as_str).collect();
            let mut texts = BTreeSet::new();
            operation.patch.values().for_each(|value| collect(value, &mut texts));
            let added = operation.patch.iter().filter(|(_, value)| **value == Value::Bool(true));
            for element in added.filter_map(|(register, _)| Element::of(register)) {
                decided.insert(element.name);
                texts.insert(element.name.to_owned());
            }
            for text in texts {
                let counts = !restores && decided.contains(text.as_str());
                let deciding = self.written.entry(text).or_default();
                deciding.extend(counts.then(|| operation.clone()));
            }
        }
    }

    /// Whether a customer was erased.
    pub fn is_erased(&self, key: Uuid) -> bool {
        self.entities.get(&("party.customer".to_owned(), key.to_string())).is_some_and(Entity::is_erased)
    }

    /// Everything at a node that the journal does not say.
    pub fn check(&self, node: &str, dba: &mut Client) -> Result<Vec<String>> {
        let mut complaints = self.heads(dba)?;
        complaints.extend(self.siblings(dba)?);
        complaints.extend(dba.query(LEFT, &[])?.iter().map(|row| row.get(0)));
        for table in &self.tables {
            complaints.extend(self.rows(table, dba)?);
        }
        Ok(complaints.into_iter().map(|complaint| format!("{node}: {complaint}")).collect())
    }

    fn heads(&self, dba: &mut Client) -> Result<Vec<String>> {
        let stored = dba.query(
            "select table_name, key, heads, waits from sync.head join sync.tracked_table using (table_name)",
            &[],
        )?;
        let stored: BTreeMap<Key, (String, bool)> =
            stored.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect();
        let wanted = self.entities.iter().map(|(key, entity)| (key.clone(), (heads_text(entity), entity.waits())));
        Ok(differences("heads", &wanted.collect(), &stored))
    }

    fn siblings(&self, dba: &mut Client) -> Result<Vec<String>> {
        let rows = dba.query(
            "select table_name, key, column_name, node_id, seq, hlc, value::text, chosen, review from sync.sibling",
            &[],
        )?;
        let stored = rows.iter().map(|row| {
            let (node, seq, hlc): (i32, i64, i64) = (row.get(3), row.get(4), row.get(5));
            let (table, key, register): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let (chosen, review): (bool, bool) = (row.get(7), row.get(8));
            let place = format!("{table} {key} {register} {node}.{seq}");
            (place, format!("{hlc} {} {chosen} {review}", canonical(row.get(6))))
        });
        let mut wanted = BTreeMap::new();
        for ((table, key), state) in &self.entities {
            let merged = self.resolve(table, state);
            for (register, choice) in &merged.columns {
                let heads = state.heads(register);
                if heads.len() < 2 || (choice.losers.is_empty() && !choice.needs_review) {
                    continue;
                }
                for Head { version: Version { node_id, seq }, hlc, value } in heads {
                    let chosen = choice.winners.contains(&Version { node_id: *node_id, seq: *seq });
                    let text = format!("{hlc} {} {chosen} {}", value.to_canonical(), choice.needs_review);
                    wanted.insert(format!("{table} {key} {register} {node_id}.{seq}"), text);
                }
            }
        }
        Ok(differences("conflict", &wanted, &stored.collect()))
    }

    fn rows(&self, table: &Table, dba: &mut Client) -> Result<Vec<String>> {
        let Table { table_name, key_column, .. } = table;
        let sql = format!("select {key_column}::text, to_jsonb(t)::text from {table_name} t");
        let mut complaints = Vec::new();
        let mut rows: HashMap<String, String> =
            dba.query(&sql, &[])?.iter().map(|row| (row.get(0), row.get(1))).collect();
        for ((_, key), state) in self.entities.iter().filter(|((of, _), _)| of == table_name) {
            let Some(row) = rows.remove(key) else {
                complaints.extend((!state.waits()).then(|| format!("{table_name} {key}: there is no row")));
                continue;
            };
            let row = json::read(&row, 64).ok().context("a row")?;
            let merged = self.resolve(table_name, state);
            if state.is_erased() {
                complaints.extend(left_in_row(key, &row));
                continue;
            }
            let mut wanted = vec![("deleted".to_owned(), Value::Bool(!merged.exists()))];
            for (register, choice) in &merged.columns {
                if Element::of(register).is_some() {
                    continue;
                }
                match (table.groups.get(register), &choice.value) {
                    (Some(_), Value::Object(members)) => wanted.extend(members.iter().cloned()),
                    _ => wanted.push((register.clone(), choice.value.clone())),
                }
            }
            for (column, rule) in &table.sets {
                let elements = merged.elements(column, *rule).into_iter();
                let elements = elements.map(|element| Value::String(element.to_owned())).collect();
                wanted.push((column.clone(), Value::Array(elements)));
            }
            for (column, value) in wanted {
                let shown = row.get(&column).map(Value::to_canonical).unwrap_or_default();
                if shown != value.to_canonical() {
                    let value = value.to_canonical();
                    complaints.push(format!("{table_name} {key}: {column} is {shown}, the journal says {value}"));
                }
            }
        }
        complaints.extend(rows.keys().map(|key| format!("{table_name} {key}: a row that nobody decided")));
        Ok(complaints)
    }
}

/// What a node still has of an erased row, beside its row.
const LEFT: &str = "select format('%s %s was erased, and %s has %s', h.table_name, h.key, l.place, l.what) \
    from sync.head h cross join lateral ( \
      select 'wire.op', patch || base from wire.op o where o.table_name = h.table_name and o.key = h.key \
        and (patch || base) ~ '\"[^@\"][^\"]*\":' \
      union all select 'sync.sibling', s.column_name from sync.sibling s \
        where s.table_name = h.table_name and s.key = h.key and s.column_name not like '@%' \
      union all select 'sync.resolution', r.value::text from sync.resolution r \
        where r.table_name = h.table_name and r.key = h.key and r.value <> 'null' \
      union all select 'sync.quarantine', q.refused ->> 'patch' from sync.quarantine q \
        where q.kind = h.table_name and q.refused ->> 'key' = h.key and q.refused ? 'patch') l (place, what) \
    where h.heads::jsonb ? '@erased'";

/// What the row of an erased customer has and should not have.
fn left_in_row(key: &str, row: &Value) -> Vec<String> {
    let blank = [("deleted", "true"), ("name", "\"\""), ("tags", "[]"), ("consent", "\"none\""), ("alias_of", "")];
    let is_blank = |(column, value): &(String, Value)| match blank.iter().find(|(name, _)| name == column) {
        Some((_, "")) => true,
        Some((_, blank)) => value.to_canonical() == *blank,
        None => value.is_null() || column == "customer_id",
    };
    let left = row.as_object().unwrap_or_default().iter().filter(|member| !is_blank(member));
    left.map(|(column, value)| format!("{key} was erased, and has {column} {}", value.to_canonical())).collect()
}

fn sets(text: &str) -> Option<Vec<(String, SetRule)>> {
    let sets = json::read(text, 8).ok()?;
    let set = |(column, word): &(String, Value)| Some((column.clone(), SetRule::from_word(word.as_str()?)?));
    sets.as_object()?.iter().map(set).collect()
}

fn rules(central: &mut Client) -> Result<HashMap<String, Rules>> {
    let mut rules: HashMap<String, Rules> = HashMap::new();
    for row in central.query("select table_name, column_name, rule::text from sync.policy where not deleted", &[])? {
        let rule = Rule::from_text(row.get(2)).ok().context("a rule")?;
        rules.entry(row.get(0)).or_default().0.insert(row.get(1), rule);
    }
    Ok(rules)
}

/// As `sync.head` has it.
fn heads_text(entity: &Entity) -> String {
    let number = |number: i64| Value::Number(number.to_string());
    let head = |head: &Head| {
        let Version { node_id, seq } = head.version;
        Value::Array(vec![number(node_id.into()), number(seq), number(head.hlc), head.value.clone()])
    };
    let register =
        |(name, heads): (&String, &Vec<Head>)| (name.clone(), Value::Array(heads.iter().map(head).collect()));
    Value::Object(entity.0.iter().map(register).collect()).to_canonical()
}

fn canonical(text: Option<&str>) -> String {
    text.and_then(|text| json::read(text, 64).ok()).map_or_else(|| "null".to_owned(), |value| value.to_canonical())
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = texts.insert(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, texts)),
        Value::Object(members) => members.iter().for_each(|(_, value)| collect(value, texts)),
        _ => {}
    }
}

fn differences<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    wanted: &BTreeMap<K, V>,
    stored: &BTreeMap<K, V>,
) -> Vec<String> {
    let keys: BTreeSet<&K> = wanted.keys().chain(stored.keys()).collect();
    let differ = keys.into_iter().filter(|key| wanted.get(key) != stored.get(key));
    differ.map(|key| format!("{what} {key:?}: {:?}, the journal says {:?}", stored.get(key), wanted.get(key))).collect()
}
