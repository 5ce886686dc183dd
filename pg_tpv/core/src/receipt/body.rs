//! The bodies of documents about a receipt. They are canonical JSON, like every body.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::actor::Actor;
use crate::json::{Value, read};
use crate::problem::Problem;

/// What the store decided when a receipt arrived: everything that depends on its arrival, its
/// terminal or the layout, and so does not belong into the receipt itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// What is odd and did not stop it, sorted.
    pub flags: Vec<String>,
    /// Why it is held, the first reason first; empty when it is not.
    pub holds: Vec<Hold>,
    /// When it was printed, where its own text and the store's zone do not say so.
    pub printed_at: Option<DateTime<Utc>>,
    /// The day on which it first arrived, where its printed date identifies nothing.
    pub arrived_on: Option<NaiveDate>,
    /// The receipt that this one undoes. Neither counts: they are no sale and no return.
    pub voids: Option<Uuid>,
}

/// A reason for holding a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Stable code.
    pub code: String,
    /// JSON pointer.
    pub pointer: String,
    /// A sentence.
    pub detail: String,
}

impl From<&Problem> for Hold {
    fn from(problem: &Problem) -> Self {
        Self { code: problem.code.to_owned(), pointer: problem.pointer.clone(), detail: problem.detail.clone() }
    }
}

impl Intake {
    /// Whether there is nothing to record, and so no document.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The body of the document.
    pub fn to_body(&self, about: Uuid) -> String {
        let mut members = vec![member("about", &about.to_string())];
        members.extend(self.arrived_on.map(|day| member("arrivedOn", &day.to_string())));
        if !self.flags.is_empty() {
            let flags = self.flags.iter().map(|flag| Value::String(flag.clone())).collect();
            members.push(("flags".to_owned(), Value::Array(flags)));
        }
        if !self.holds.is_empty() {
            let hold = |hold: &Hold| {
                Value::Object(vec![
                    member("code", &hold.code),
                    member("detail", &hold.detail),
                    member("pointer", &hold.pointer),
                ])
            };
            members.push(("holds".to_owned(), Value::Array(self.holds.iter().map(hold).collect())));
        }
        members.extend(self.printed_at.map(|at| member("printedAt", &at.to_rfc3339())));
        members.extend(self.voids.map(|id| member("voids", &id.to_string())));
        Value::Object(members).to_canonical()
    }

    /// Reads a body. A member that is missing has its default.
    pub fn from_body(body: &str) -> Option<Self> {
        let body = read(body, 8).ok()?;
        let texts = |key: &str| body.get(key).and_then(Value::as_array).unwrap_or_default();
        let flags = texts("flags").iter().filter_map(|flag| flag.as_str().map(str::to_owned)).collect();
        let hold = |hold: &Value| {
            let text = |key: &str| hold.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            Hold { code: text("code"), pointer: text("pointer"), detail: text("detail") }
        };
        let printed_at = body.get("printedAt").and_then(Value::as_str).and_then(|at| at.parse().ok());
        let arrived_on = body.get("arrivedOn").and_then(Value::as_str).and_then(|day| day.parse().ok());
        let voids = body.get("voids").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
        Some(Self { flags, holds: texts("holds").iter().map(hold).collect(), printed_at, arrived_on, voids })
    }
}

/// The body of a release, a void, a withdrawal …: about which receipt, by whom, why. `because_of`
/// names the ticket that undid the receipt, if it was a ticket.
pub fn reason(about: Option<Uuid>, by: &Actor, why: &str, because_of: Option<Uuid>) -> String {
    let mut members = vec![member("by", &by.to_string()), member("why", why)];
    members.extend(about.map(|id| member("about", &id.to_string())));
    members.extend(because_of.map(|id| member("becauseOf", &id.to_string())));
    Value::Object(members).to_canonical()
}

fn member(key: &str, text: &str) -> (String, Value) {
    (key.to_owned(), Value::String(text.to_owned()))
}
