use std::collections::BTreeMap;

use super::{MAX_DEPTH, MergeFault, Scale};
use crate::json::{self, Value};
use crate::problem::Place;

/// How the value of a register is chosen among its heads. It decides only between concurrent
/// values.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rule {
    /// The latest by clock, then by node, then by sequence.
    #[default]
    LastWrite,
    /// The earliest by the same order.
    FirstWrite,
    /// Central's, if it wrote; else the last.
    CentralWins,
    /// That of the node which owns the entity, if it wrote; else the last.
    OwnerWins,
    /// The greatest; of equal ones the last.
    Greatest(Scale),
    /// The least; of equal ones the last.
    Least(Scale),
    /// The last, until a person has looked.
    Review,
    /// The answer of this immutable SQL function for all heads.
    Custom(String),
}

const WORDS: &str = "last_write, first_write, central_wins, owner_wins, greatest, least, review, custom";

impl Rule {
    /// Reads a rule as a word (`last_write`), or as an object where it has more to say:
    /// `{"rule":"least","order":["none","email","all"]}`,
    /// `{"rule":"custom","function":"sync.longest"}`.
    ///
    /// # Errors
    /// What is wrong, and the accepted values.
    pub fn from_text(text: &str) -> Result<Self, MergeFault> {
        let text = text.trim();
        if !text.starts_with(['{', '"']) {
            return Self::from_word(text, &[]);
        }
        let value = json::read(text, MAX_DEPTH).map_err(|source| MergeFault::Json { part: "rule", source })?;
        match &value {
            Value::String(word) => Self::from_word(word, &[]),
            Value::Object(members) => {
                let word = value.get("rule").and_then(Value::as_str);
                Self::from_word(word.ok_or_else(|| unknown(&Place::Root.key("rule")))?, members)
            }
            _ => Err(unknown(&Place::Root)),
        }
    }

    fn from_word(word: &str, members: &[(String, Value)]) -> Result<Self, MergeFault> {
        let option = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let (rule, takes) = match word {
            "last_write" => (Self::LastWrite, None),
            "first_write" => (Self::FirstWrite, None),
            "central_wins" => (Self::CentralWins, None),
            "owner_wins" => (Self::OwnerWins, None),
            "review" => (Self::Review, None),
            "greatest" => (Self::Greatest(scale(option("order"))?), Some("order")),
            "least" => (Self::Least(scale(option("order"))?), Some("order")),
            "custom" => (Self::Custom(function(option("function"))?), Some("function")),
            "union" | "grow_only" => return Err(set()),
            _ if members.is_empty() => return Err(unknown(&Place::Root)),
            _ => return Err(unknown(&Place::Root.key("rule"))),
        };
        match members.iter().find(|(key, _)| key != "rule" && Some(key.as_str()) != takes) {
            None => Ok(rule),
            Some((key, _)) => {
                let accepted =
                    takes.map_or("this rule takes no options".to_owned(), |key| format!("this rule takes {key}"));
                Err(MergeFault::rule(&Place::Root.key(key), accepted))
            }
        }
    }

    /// The rule as it is stored: the word, or canonical JSON where it has more to say.
    pub fn to_text(&self) -> String {
        let (name, value) = match self {
            Self::Greatest(scale) | Self::Least(scale) if scale.order().is_empty() => return self.word().to_owned(),
            Self::Greatest(scale) | Self::Least(scale) => ("order", Value::Array(scale.order().to_vec())),
            Self::Custom(function) => ("function", Value::String(function.clone())),
            _ => return self.word().to_owned(),
        };
        Value::Object(vec![(name.into(), value), ("rule".into(), Value::String(self.word().into()))]).to_canonical()
    }

    /// The word in SQL.
    pub fn word(&self) -> &'static str {
        match self {
            Self::LastWrite => "last_write",
            Self::FirstWrite => "first_write",
            Self::CentralWins => "central_wins",
            Self::OwnerWins => "owner_wins",
            Self::Greatest(_) => "greatest",
            Self::Least(_) => "least",
            Self::Review => "review",
            Self::Custom(_) => "custom",
        }
    }
}

fn unknown(place: &Place<'_>) -> MergeFault {
    MergeFault::rule(place, format!("no such rule; there are {WORDS}"))
}

/// How a set changes is part of what every operation on it says, so it cannot depend on a policy
/// that arrives at its own time.
fn set() -> MergeFault {
    MergeFault::rule(&Place::Root, "union and grow_only are no policies: sync.track declares what is a set")
}

fn scale(order: Option<&Value>) -> Result<Scale, MergeFault> {
    let Some(order) = order else { return Ok(Scale::default()) };
    let values = order.as_array().filter(|values| !values.is_empty());
    let wanted =
        || MergeFault::rule(&Place::Root.key("order"), "this must be an array, from the least to the greatest");
    Scale::new(values.ok_or_else(wanted)?.to_vec())
}

fn function(name: Option<&Value>) -> Result<String, MergeFault> {
    let name = name.and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
    name.ok_or_else(|| {
        MergeFault::rule(&Place::Root.key("function"), "custom needs the name of an immutable function over all heads")
    })
}

/// The rules of one table, by register. A register without one has `last_write`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(pub BTreeMap<String, Rule>);

impl Rules {
    /// The rule of a register.
    pub fn of(&self, register: &str) -> &Rule {
        self.0.get(register).unwrap_or(&Rule::LastWrite)
    }
}
