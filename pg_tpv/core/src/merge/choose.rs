use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Head, Rule, Version};
use crate::json::Value;

/// What a choice depends on beside the heads. It must be the same on every node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Central's node id.
    pub central: i32,
    /// Whether the table is central's: then, where central wrote whether the entity exists, only
    /// its value counts.
    pub is_centrals: bool,
    /// The node that owns the entity, if one does.
    pub owner: Option<i32>,
}

/// The value of a register and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The value.
    pub value: Value,
    /// The heads that hold it, or that it was made of.
    pub winners: BTreeSet<Version>,
    /// The heads that hold something else: what the list of conflicts shows.
    pub losers: BTreeSet<Version>,
    /// A person has to look at it.
    pub needs_review: bool,
    /// The SQL function that has to choose. The value is provisional until [`Choice::of`] is given
    /// the answer.
    pub evaluate: Option<String>,
}

/// Chooses among heads, in any order. The value of a single head stands as it was written, whatever
/// the rule: what a writer has just stored is never changed. `None` without heads.
pub fn choose(rule: &Rule, heads: &[Head], context: Context) -> Option<Choice> {
    let head = match (rule, heads) {
        (_, []) => return None,
        (_, [only]) => only,
        _ => best(rule, heads, context)?,
    };
    let mut choice = Choice::of(heads, head.value.clone());
    if !choice.losers.is_empty() {
        choice.needs_review = *rule == Rule::Review;
        if let Rule::Custom(function) = rule {
            choice.evaluate = Some(function.clone());
        }
    }
    Some(choice)
}

impl Choice {
    /// The choice of `value`, whoever chose it. Heads with the same value have won; if there are
    /// none, the value was made of all.
    pub fn of(heads: &[Head], value: Value) -> Self {
        let text = value.to_canonical();
        let (winners, losers): (Vec<_>, Vec<_>) = heads.iter().partition(|head| head.value.to_canonical() == text);
        let versions = |heads: Vec<&Head>| heads.into_iter().map(|head| head.version).collect::<BTreeSet<_>>();
        let (mut winners, mut losers) = (versions(winners), versions(losers));
        if winners.is_empty() {
            std::mem::swap(&mut winners, &mut losers);
        }
        Self { value, winners, losers, needs_review: false, evaluate: None }
    }
}

fn best<'h>(rule: &Rule, heads: &'h [Head], context: Context) -> Option<&'h Head> {
    let by_rule = |a: &Head, b: &Head| match rule {
        Rule::FirstWrite => b.age().cmp(&a.age()),
        Rule::CentralWins => of_node(a, b, Some(context.central)),
        Rule::OwnerWins => of_node(a, b, context.owner),
        Rule::Greatest(scale) => scale.prefer(&a.value, &b.value, true),
        Rule::Least(scale) => scale.prefer(&a.value, &b.value, false),
        Rule::LastWrite | Rule::Review | Rule::Custom(_) => Ordering::Equal,
    };
    heads.iter().max_by(|a, b| by_rule(a, b).then_with(|| a.age().cmp(&b.age())))
}

fn of_node(a: &Head, b: &Head, node: Option<i32>) -> Ordering {
    let is_its = |head: &Head| Some(head.version.node_id) == node;
    is_its(a).cmp(&is_its(b))
}
