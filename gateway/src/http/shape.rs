//! Whether a JSON value has the shape that its schema says: all faults at once, each with its
//! pointer. The schema is the one that the OpenAPI document shows, so that both say the same.
//!
//! It knows the words that our own types produce, and no others.

use serde_json::{Map, Value};

use super::problem::Fault;

/// The faults of a value; none when it has the shape.
pub fn faults(schema: &Value, value: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found
}

fn check(schema: &Value, value: &Value, pointer: &str, found: &mut Vec<Fault>) {
    let Some(schema) = schema.as_object() else { return };
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        // Ours are "this or null": the faults of the first are the ones to tell.
        let fits = choices.iter().any(|choice| faults(choice, value).is_empty());
        if let (false, Some(first)) = (fits, choices.first()) {
            check(first, value, pointer, found);
        }
        return;
    }
    if let Some(wanted) = schema.get("type")
        && !is_of(wanted, value)
    {
        found.push(Fault::new(pointer, "type", format!("It takes {}.", said(wanted))));
        return;
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<_> = choices.iter().map(Value::to_string).collect();
        found.push(Fault::new(pointer, "choice", format!("It takes one of {}.", choices.join(", "))));
        return;
    }
    match value {
        Value::Object(members) => check_object(schema, members, pointer, found),
        Value::Array(items) => {
            if schema.get("maxItems").and_then(Value::as_u64).is_some_and(|most| items.len() as u64 > most) {
                found.push(Fault::new(pointer, "too_many", "It has too many elements."));
            } else if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    check(schema, item, &format!("{pointer}/{index}"), found);
                }
            }
        }
        Value::String(text) => check_text(schema, text, pointer, found),
        Value::Number(number) => {
            let (number, bound) = (number.as_f64(), |word: &str| schema.get(word).and_then(Value::as_f64));
            let below = bound("minimum").zip(number).is_some_and(|(least, number)| number < least);
            let above = bound("maximum").zip(number).is_some_and(|(most, number)| number > most);
            if below || above {
                found.push(Fault::new(pointer, "range", "It is out of range."));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn check_object(schema: &Map<String, Value>, members: &Map<String, Value>, pointer: &str, found: &mut Vec<Fault>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            found.push(Fault::new(format!("{pointer}/{required}"), "required", "It is missing."));
        }
    }
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in members {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => check(schema, value, &pointer, found),
            None if closed => found.push(Fault::new(pointer, "unknown", "There is no such member.")),
            None => {
                if let Some(schema) = schema.get("additionalProperties") {
                    check(schema, value, &pointer, found);
                }
            }
        }
    }
}

fn check_text(schema: &Map<String, Value>, text: &str, pointer: &str, found: &mut Vec<Fault>) {
    // PostgreSQL has no such character, and no value of ours needs it.
    if text.contains('\0') {
        found.push(Fault::new(pointer, "character", "It contains U+0000."));
        return;
    }
    let length = text.chars().count() as u64;
    let bound = |word: &str| schema.get(word).and_then(Value::as_u64);
    if bound("minLength").is_some_and(|least| length < least) || bound("maxLength").is_some_and(|most| length > most) {
        found.push(Fault::new(pointer, "length", "It is too short or too long."));
        return;
    }
    let fits = match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => text.len() == 36 && uuid::Uuid::try_parse(text).is_ok(),
        Some("date") => is_date(text),
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        _ => true,
    };
    if !fits {
        found.push(Fault::new(pointer, "format", "It is not written as it should be."));
    }
}

/// Four digits of year, so that no date is beyond what PostgreSQL and clients can write.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.parse::<chrono::NaiveDate>().is_ok()
        && text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    match wanted {
        Value::Array(choices) => choices.iter().any(|choice| is_of(choice, value)),
        Value::String(name) => match (name.as_str(), value) {
            ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
            ("object", Value::Object(_))
            | ("array", Value::Array(_))
            | ("string", Value::String(_))
            | ("number", Value::Number(_))
            | ("boolean", Value::Bool(_))
            | ("null", Value::Null) => true,
            _ => false,
        },
        _ => true,
    }
}

fn said(wanted: &Value) -> String {
    match wanted {
        Value::Array(choices) => choices.iter().map(said).collect::<Vec<_>>().join(" or "),
        Value::String(name) => name.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_faults_come_at_once() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["name", "why"],
            "properties": {
                "name": {"type": "string", "maxLength": 3},
                "day": {"type": ["string", "null"], "format": "date"},
                "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                "role": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
                "why": {"type": "string"},
            },
        });
        let value = json!({"name": "long", "day": "2026-02-30", "ids": ["x"], "role": "c", "a/b": 1});
        let mut found: Vec<_> = faults(&schema, &value).into_iter().map(|f| (f.pointer, f.code)).collect();
        found.sort();
        let expected = [
            ("/a~1b", "unknown"),
            ("/day", "format"),
            ("/ids/0", "format"),
            ("/name", "length"),
            ("/role", "choice"),
            ("/why", "required"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        assert!(faults(&schema, &json!({"name": "abc", "why": "x", "role": null, "day": null})).is_empty());
    }

    #[test]
    fn a_fraction_is_no_integer() {
        let schema = json!({"type": "integer", "minimum": 1, "maximum": 200});
        for value in [json!(1.5), json!(0), json!(201), json!("1"), json!(1e30)] {
            assert_eq!(faults(&schema, &value).len(), 1, "{value}");
        }
        assert!(faults(&schema, &json!(200)).is_empty());
    }
}
