//! A request as a handler sees it: decoded, within its limits, and typed.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, Method};

use super::problem::{Fault, Outcome, Problem};
use super::source::Source;
use super::{json, shape};

use crate::app::App;
use crate::token::claims::Person;

#[derive(Debug)]
pub struct Request {
    pub id: Uuid,
    pub method: Method,
    /// As it was asked for, still encoded.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub source: Source,
    /// As all do since HTTP/1.1.
    pub needs_host: bool,
    /// The target was a path, and not the name of a host.
    pub has_path: bool,
}

impl Request {
    /// Only a GET has parameters.
    pub fn without_query(&self) -> Outcome<()> {
        let none = serde_json::json!({ "type": "object", "additionalProperties": false });
        let faults = shape::faults(&none, &Value::Object(parse_query(&none, &self.query)?));
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults).into()) }
    }
}

/// A request on its way to a handler.
pub struct Call {
    pub app: Arc<App>,
    pub request: Request,
    /// The parameters of the path, in their order.
    pub parameters: Vec<String>,
    pub person: Option<Person>,
    pub body: Bytes,
    /// The person is known by cookies, and gets new ones.
    pub by_cookie: bool,
}

impl Call {
    /// Who asks. Routes for persons have somebody.
    pub fn person(&self) -> Outcome<&Person> {
        self.person.as_ref().ok_or_else(|| no_token().into())
    }

    pub fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }

    /// An id that is none names nothing.
    pub fn uuid(&self, index: usize) -> Outcome<Uuid> {
        let text = self.parameter(index);
        let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
        id.ok_or_else(|| Problem::not_found().into())
    }

    pub fn number(&self, index: usize) -> Outcome<i32> {
        self.parameter(index).parse().map_err(|_| Problem::not_found().into())
    }

    pub fn long_number(&self, index: usize) -> Outcome<i64> {
        self.parameter(index).parse().map_err(|_| Problem::not_found().into())
    }

    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.request.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The version that the client saw; without one nothing is changed.
    pub fn if_match(&self) -> Outcome<String> {
        let tag = self.header(header::IF_MATCH).map(str::trim);
        let version = tag.and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')).filter(|tag| !tag.contains('"'));
        version.map(str::to_owned).ok_or_else(|| crate::database::sqlstate::version_needed().into())
    }

    /// The body as JSON of this shape. Where nothing in it is needed, it may be left out.
    pub fn json<B: DeserializeOwned>(&self, schema: &Value) -> Outcome<B> {
        if self.body.is_empty() && schema.get("required").is_none() {
            return typed(schema, Value::Object(Map::new()));
        }
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(unsupported().into());
        }
        let value = json::read(&self.body)
            .map_err(|_| Problem::bad_request("json", "The body is no JSON (RFC 8259), or names a member twice."))?;
        typed(schema, value)
    }

    /// The parameters of the query, each at most once.
    pub fn query<Q: DeserializeOwned>(&self, schema: &Value) -> Outcome<Q> {
        typed(schema, Value::Object(parse_query(schema, &self.request.query)?))
    }
}

pub fn no_token() -> Problem {
    Problem::unauthorized("unauthorized", "Log in, and send the access token as Bearer.")
}

fn unsupported() -> Problem {
    let status = warp::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Problem::new(status, "content_type", "The body is to be application/json.")
        .with(header::ACCEPT, warp::http::HeaderValue::from_static("application/json"))
}

fn typed<T: DeserializeOwned>(schema: &Value, value: Value) -> Outcome<T> {
    let faults = shape::faults(schema, &value);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults).into());
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer: String = error.path().iter().map(|part| format!("/{part}")).collect();
        Problem::invalid(vec![Fault::new(pointer, "value", "It cannot be read as what it should be.")]).into()
    })
}

/// Names and values, percent-decoded; numbers and truth values where the schema has them.
fn parse_query(schema: &Value, query: &str) -> Outcome<Map<String, Value>> {
    let mut members = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(Problem::bad_request("query", "The query is not percent-encoded UTF-8.").into());
        };
        let value = as_type(schema.pointer(&format!("/properties/{name}/type")), value);
        if members.insert(name, value).is_some() {
            return Err(Problem::bad_request("query", "A parameter came twice.").into());
        }
    }
    Ok(members)
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn as_type(wanted: Option<&Value>, text: String) -> Value {
    let takes = |name: &str| match wanted {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(some)) => some.iter().any(|one| one == name),
        _ => false,
    };
    let plain_number = !text.is_empty() && text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.as_str() {
        "true" if takes("boolean") => Value::Bool(true),
        "false" if takes("boolean") => Value::Bool(false),
        _ if takes("integer") && plain_number => text.parse::<u64>().map_or(Value::String(text), Value::from),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        limit: Option<u16>,
        q: Option<String>,
        held: Option<bool>,
    }

    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": {
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 200},
            "q": {"type": ["string", "null"], "maxLength": 20},
            "held": {"type": ["boolean", "null"]},
        }})
    }

    fn read(query: &str) -> Outcome<Filter> {
        typed(&schema(), Value::Object(parse_query(&schema(), query)?))
    }

    #[test]
    fn a_query_is_read_by_its_schema() {
        let filter = read("limit=20&q=a%20b+c&held=true").unwrap();
        assert_eq!(filter, Filter { limit: Some(20), q: Some("a b c".to_owned()), held: Some(true) });
        assert_eq!(read("q=12").unwrap().q.as_deref(), Some("12"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (query, status) in [
            ("limit=0", 422),
            ("limit=-1", 422),
            ("limit=1.5", 422),
            ("limit=99999999999999999999", 422),
            ("held=yes", 422),
            ("offset=1", 422),
            ("q=%00", 422),
            ("q=%ff", 400),
            ("q=a&q=b", 400),
        ] {
            assert_eq!(read(query).unwrap_err().status.as_u16(), status, "{query}");
        }
    }
}
