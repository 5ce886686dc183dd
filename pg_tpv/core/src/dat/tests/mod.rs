mod faults;
mod legacy;
mod numbers;
mod paths;
mod properties;
mod records;
mod text;

use super::render::Rendered;
use super::{Profile, RenderError, render};
use crate::json::{Value, read};

/// Real baskets as terminals write them; from the Complete Journey sample (CC0).
const RECEIPTS: &str = include_str!("receipts.ndjson");

fn json(text: &str) -> Value {
    read(text, 16).unwrap()
}

fn profile(text: &str) -> Profile {
    Profile::from_json(&json(text)).unwrap()
}

fn rendered(profile_json: &str, receipt: &str) -> Result<Rendered, RenderError> {
    render(&profile(profile_json), &json(receipt))
}

/// The bytes as text, each byte a character.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What one field makes of a receipt with one line `{"x": value}`.
fn one_field(field: &str, value: &str) -> Result<String, RenderError> {
    let field = format!(r#"{{"fields":[{{"name":"x",{field}}}]}}"#);
    rendered(&field, &format!(r#"{{"items":[{{"x":{value}}}]}}"#)).map(|it| latin(&it.bytes))
}

/// The stable code of the refusal, its pointer, or what was rendered all the same.
fn refusal<T: std::fmt::Debug>(result: Result<T, RenderError>) -> (&'static str, String) {
    let error = result.unwrap_err();
    (error.code(), error.pointer)
}
