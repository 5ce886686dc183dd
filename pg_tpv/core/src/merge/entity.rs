use std::collections::{BTreeMap, BTreeSet};

use super::alias::{choose_alias, choose_existence};
use super::element::{Element, choose_element};
use super::erasure::stays;
use super::{ALIAS, Choice, Context, ERASED, EXISTS, Head, Operation, Rule, Rules, SetRule, advance, choose, heads};
use crate::json::Value;

/// What a node keeps of one entity: the heads of each register, by version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity(pub BTreeMap<String, Vec<Head>>);

impl Entity {
    /// From all the operations on the entity: the specification.
    pub fn of<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Self {
        let operations: Vec<_> = operations.into_iter().collect();
        let registers: BTreeSet<_> = operations.iter().flat_map(|operation| operation.patch.keys()).collect();
        let heads = |register: &String| (register.clone(), heads(operations.iter().copied(), register));
        Self(registers.into_iter().map(heads).collect()).settled()
    }

    /// Adds one operation, whenever and however often it comes. `is_named` answers whether an
    /// operation in the journal names it for a register; see `advance` in `heads.rs`.
    pub fn advance(&mut self, operation: &Operation, mut is_named: impl FnMut(&str) -> bool) {
        let is_erased = self.is_erased() || operation.erases();
        for register in operation.patch.keys().filter(|register| !is_erased || stays(register)) {
            let heads = advance(self.heads(register), operation, register, || is_named(register));
            self.0.insert(register.clone(), heads);
        }
        if is_erased {
            self.0.retain(|register, _| stays(register));
        }
    }

    /// Whether somebody erased it: then it has no values any more, whatever arrives.
    pub fn is_erased(&self) -> bool {
        !self.heads(ERASED).is_empty()
    }

    /// Without values, if it was erased.
    pub(super) fn settled(mut self) -> Self {
        if self.is_erased() {
            self.0.retain(|register, _| stays(register));
        }
        self
    }

    /// The heads of a register; none if nobody has written it.
    pub fn heads(&self, register: &str) -> &[Head] {
        self.0.get(register).map_or(&[], Vec::as_slice)
    }

    /// The node that owns the entity: the number that was first written into `register`.
    pub fn owner(&self, register: &str) -> Option<i32> {
        let first = choose(&Rule::FirstWrite, self.heads(register), Context::default())?;
        first.value.as_number()?.parse().ok()
    }

    /// Whether a register has more than one head.
    pub fn is_contested(&self) -> bool {
        self.0.values().any(|heads| heads.len() > 1)
    }

    /// Whether nothing is known of the entity's existence: what is here waits for its create.
    pub fn waits(&self) -> bool {
        self.heads(EXISTS).is_empty()
    }

    /// The heads that count where no rule chooses. In a table of central's that is central's head,
    /// of which there is at most one.
    fn entitled(&self, register: &str, context: Context) -> &[Head] {
        let heads = self.heads(register);
        let centrals = heads.iter().position(|head| head.version.node_id == context.central);
        match centrals.filter(|_| context.is_centrals) {
            Some(place) => &heads[place..=place],
            None => heads,
        }
    }

    /// Chooses among the heads of each register: what the entity is, under these rules.
    pub fn resolve(&self, rules: &Rules, context: Context) -> Merged {
        let columns = self.0.iter().filter(|(register, _)| !register.starts_with('@'));
        let choice = |(register, heads): (&String, &Vec<Head>)| {
            let choice = match Element::of(register) {
                Some(_) => choose_element(heads, self.entitled(register, context)),
                None => choose(rules.of(register), heads, context),
            };
            Some((register.clone(), choice?))
        };
        let existence = choose_existence(self.entitled(EXISTS, context));
        Merged {
            existence: existence.map(|choice| {
                if self.is_erased() { Choice::of(self.heads(EXISTS), Value::Bool(false)) } else { choice }
            }),
            alias: choose_alias(self.entitled(ALIAS, context)),
            columns: columns.filter_map(choice).collect(),
        }
    }
}

/// What an entity is.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// `true` or `false`; `None` while its create has not arrived.
    pub existence: Option<Choice>,
    /// The key that it became, or `null`; `None` if nobody wrote that.
    pub alias: Option<Choice>,
    /// The columns, the groups and the elements of sets, also under a tombstone.
    pub columns: BTreeMap<String, Choice>,
}

impl Merged {
    /// Whether it is there to be shown.
    pub fn exists(&self) -> bool {
        self.existence.as_ref().and_then(|choice| choice.value.as_bool()) == Some(true)
    }

    /// Whether it waits for its create.
    pub fn waits(&self) -> bool {
        self.existence.is_none()
    }

    /// The elements of a set that are there, sorted by bytes.
    pub fn elements(&self, column: &str, rule: SetRule) -> Vec<&str> {
        let is_there = |choice: &Choice| choice.value == Value::Bool(true);
        let of_column = self.columns.iter().filter(|(_, choice)| is_there(choice));
        let of_column = of_column.filter_map(|(register, _)| Element::of(register));
        of_column
            .filter(|element| (element.column, element.rule) == (column, rule))
            .map(|element| element.name)
            .collect()
    }

    /// The key that it became.
    pub fn became(&self) -> Option<&str> {
        self.alias.as_ref()?.value.as_str()
    }
}

/// What an entity is, given all the operations on it.
pub fn merge<'o>(operations: impl IntoIterator<Item = &'o Operation>, rules: &Rules, context: Context) -> Merged {
    Entity::of(operations).resolve(rules, context)
}
