//! What a person may see: stores, departments of them, and for some only the sales of certain days.
//!
//! It is asked for each row of a scan, so it is a comparison of numbers and short texts.

use chrono::NaiveDate;

use crate::json::Value;
use crate::problem::Problem;

/// Days since 2000-01-01, as PostgreSQL counts dates. Its two infinities are the ends of the range.
pub type Day = i32;

/// All that a person may see in one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<Part>);

/// A store or the chain, a department or all of them, from a day to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// None is the whole chain.
    node: Option<i32>,
    /// None is the whole store.
    department: Option<String>,
    from: Day,
    to: Day,
}

impl Scope {
    /// Reads `[{"node": 2, "department": "PESC", "from": "2026-01-01", "to": null}]`. What is null
    /// or missing limits nothing.
    ///
    /// # Errors
    /// All that cannot be read, at once. A scope that is read half would show too much or too
    /// little.
    pub fn read(value: &Value) -> Result<Self, Vec<Problem>> {
        let Some(parts) = value.as_array() else {
            return Err(vec![Problem::new("TYPE", "", "a scope is an array")]);
        };
        let mut faults = Vec::new();
        let read =
            parts.iter().enumerate().map(|(nth, part)| Part::read(part, &format!("/{nth}"), &mut faults)).collect();
        if faults.is_empty() { Ok(Self(read)) } else { Err(faults) }
    }

    /// Whether a row of this store, this department and this day may be seen. A row of no department
    /// is for those who have the whole store, one of no store for those who have the chain. A row
    /// without a day is not judged by days.
    pub fn covers(&self, node: Option<i32>, department: Option<&str>, day: Option<Day>) -> bool {
        self.0.iter().any(|part| {
            part.is_of(node)
                && part.department.as_deref().is_none_or(|own| department == Some(own))
                && day.is_none_or(|day| (part.from..=part.to).contains(&day))
        })
    }

    /// Whether anything of this store may be seen. Of no store: whether the chain may.
    pub fn covers_node(&self, node: Option<i32>) -> bool {
        self.0.iter().any(|part| part.is_of(node))
    }
}

impl Part {
    fn is_of(&self, node: Option<i32>) -> bool {
        self.node.is_none_or(|own| node == Some(own))
    }

    fn read(value: &Value, place: &str, faults: &mut Vec<Problem>) -> Self {
        let mut part = Self { node: None, department: None, from: Day::MIN, to: Day::MAX };
        let Some(members) = value.as_object() else {
            faults.push(Problem::new("TYPE", place, "a part of a scope is an object"));
            return part;
        };
        for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let is_read = match key.as_str() {
                "node" => read_into(&mut part.node, value.as_number().and_then(|node| node.parse().ok()).map(Some)),
                "department" => read_into(&mut part.department, value.as_str().map(|code| Some(code.to_owned()))),
                "from" => read_into(&mut part.from, value.as_str().and_then(day)),
                "to" => read_into(&mut part.to, value.as_str().and_then(day)),
                _ => false,
            };
            if !is_read {
                faults.push(Problem::new("TYPE", format!("{place}/{key}"), "it is no part of a scope"));
            }
        }
        if part.department.is_some() && part.node.is_none() {
            faults.push(Problem::new("MISSING", format!("{place}/node"), "a department is one of a store"));
        }
        part
    }
}

fn read_into<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn day(text: &str) -> Option<Day> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Day::try_from(date.signed_duration_since(NaiveDate::from_ymd_opt(2000, 1, 1)?).num_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn scope(text: &str) -> Scope {
        Scope::read(&json::read(text, 16).unwrap()).unwrap()
    }

    #[test]
    fn nothing_covers_nothing() {
        let none = scope("[]");
        assert!(
            !none.covers(Some(1), Some("01"), None) && !none.covers_node(Some(1)) && !none.covers(None, None, None)
        );
    }

    #[test]
    fn the_chain_covers_every_store_and_what_is_of_none() {
        let chain = scope(r#"[{"node": null, "department": null, "from": null, "to": null}]"#);
        assert!(
            chain.covers(Some(7), Some("01"), Some(0)) && chain.covers(None, None, None) && chain.covers_node(None)
        );
    }

    #[test]
    fn a_store_covers_its_departments_and_what_is_of_none_of_them() {
        let store = scope(r#"[{"node": 2}]"#);
        assert!(
            store.covers(Some(2), Some("01"), None) && store.covers(Some(2), None, None) && store.covers_node(Some(2))
        );
        assert!(!store.covers(Some(3), Some("01"), None) && !store.covers(None, None, None));
        assert!(!store.covers_node(Some(3)) && !store.covers_node(None));
    }

    #[test]
    fn a_department_covers_neither_another_one_nor_the_store() {
        let fish = scope(r#"[{"node": 2, "department": "PESC"}]"#);
        assert!(fish.covers(Some(2), Some("PESC"), None) && fish.covers_node(Some(2)));
        assert!(!fish.covers(Some(2), Some("CARN"), None));
        assert!(!fish.covers(Some(2), None, None), "the row of a till");
        assert!(!fish.covers(Some(3), Some("PESC"), None), "the same code in another store");
    }

    #[test]
    fn days_are_counted_with_their_ends() {
        let lease = scope(r#"[{"node": 2, "department": "PESC", "from": "2000-01-02", "to": "2000-01-04"}]"#);
        let sees: Vec<Day> = (0..6).filter(|day| lease.covers(Some(2), Some("PESC"), Some(*day))).collect();
        assert_eq!(sees, [1, 2, 3]);
        assert!(!lease.covers(Some(2), Some("PESC"), Some(Day::MAX)), "infinity");
        assert!(lease.covers(Some(2), Some("PESC"), None), "what has no day");
    }

    #[test]
    fn several_parts_add_up_each_with_its_own_days() {
        let two = scope(r#"[{"node": 2, "department": "A", "to": "2000-01-02"}, {"node": 3, "department": "B"}]"#);
        assert!(two.covers(Some(2), Some("A"), Some(1)) && two.covers(Some(3), Some("B"), Some(9)));
        assert!(!two.covers(Some(2), Some("B"), Some(1)) && !two.covers(Some(2), Some("A"), Some(9)));
    }

    #[test]
    fn what_cannot_be_read_is_refused_all_at_once() {
        let text = r#"[{"node": "2"}, 3, {"node": 2, "from": "2026-02-30", "dept": "A"}, {"department": "A"}]"#;
        let faults = Scope::read(&json::read(text, 16).unwrap()).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/0/node", "/1", "/2/from", "/2/dept", "/3/node"]);
        assert!(Scope::read(&Value::Null).is_err());
    }
}
