//! `GET /openapi.json`: OpenAPI 3.1, made from the route table and the types of the handlers.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::http::negotiate::Form;
use crate::http::path;
use crate::route::{Access, Route};

pub fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes {
        let operation = operation(route, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tpv gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "People log in, see what is theirs, and decide. Every error is a problem (RFC 9457); \
                            every list has an opaque cursor; numbers that must be exact are strings. \
                            A page may have its token as a cookie instead, with X-CSRF-Token; both at once are refused.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path::parameters(route.path).map(path_parameter).collect();
    if route.method == warp::http::Method::GET {
        parameters.extend(query_parameters(&route.input));
        parameters.push(header("If-None-Match", false, "The ETag of what you have."));
    }
    if route.idempotent {
        parameters.push(header("Idempotency-Key", false, "The same request with the same key has one effect."));
    }
    if route.versioned {
        parameters.push(header("If-Match", true, "The ETag that you saw."));
    }
    let mut operation = json!({
        "summary": route.about,
        "operationId": operation_id(route),
        "parameters": parameters,
        "responses": responses(route, generator),
    });
    let members = operation.as_object_mut();
    if let Some(members) = members {
        if route.takes_body() {
            let schema = (route.input_schema)(generator);
            let body = json!({
                "required": !route.body_is_optional(),
                "content": { "application/json": { "schema": schema } },
            });
            members.insert("requestBody".to_owned(), body);
        }
        if route.access != Access::Public {
            members.insert("security".to_owned(), json!([{ "bearer": [] }]));
        }
        if let Access::With(permission) = route.access {
            members.insert("x-permission".to_owned(), json!(permission));
        }
    }
    operation
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let headers = json!({
        "ETag": { "schema": { "type": "string" } },
        "X-Request-Id": { "schema": { "type": "string", "format": "uuid" } },
    });
    let content = match (route.form, route.answer_schema) {
        (Form::Json, Some(schema)) => Some(json!({ "schema": schema(generator) })),
        (Form::Bytes, _) => Some(json!({})),
        (Form::Json, None) => None,
    };
    let success = match content {
        Some(content) => json!({
            "description": "It is done.",
            "headers": headers,
            "content": { route.form.media_type(): content },
        }),
        None => json!({ "description": "It is done." }),
    };
    responses.insert(route.success.as_str().to_owned(), success);
    if route.method == warp::http::Method::GET {
        responses.insert("304".to_owned(), json!({ "description": "You have it." }));
    }
    for (status, about) in refusals(route) {
        let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        responses.insert(status.to_owned(), json!({ "description": about, "content": content }));
    }
    Value::Object(responses)
}

/// What else may come; which of them a route can answer follows from what it takes.
fn refusals(route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut some = vec![
        ("400", "The request cannot be read."),
        ("406", "You do not take the form of the answer."),
        ("414", "The address is too long."),
        ("422", "Values were refused; errors has all of them."),
        ("429", "Too often; Retry-After says how long to wait."),
        ("431", "The head is too large."),
        ("500", "A mistake of ours."),
        ("503", "Not now; Retry-After says when to try again."),
    ];
    let login = route.path.starts_with("/v1/auth/");
    if route.access != Access::Public || login {
        some.push(("401", "You are not logged in, or not any more."));
        some.push(("403", "Your role does not have this permission."));
    }
    if route.path.contains('{') {
        some.push(("404", "There is nothing that you may see."));
    }
    if route.method != warp::http::Method::GET {
        some.push(("408", "The body took too long."));
        some.push(("409", "It does not go with the present state, or is decided elsewhere."));
        some.push(("413", "The body is too large."));
        some.push(("415", "The body is no JSON."));
    }
    if route.versioned {
        some.push(("412", "Somebody changed it meanwhile."));
        some.push(("428", "Name the version that you saw."));
    }
    if route.path == "/v1/auth/password/link" {
        some.push(("410", "The link holds no more."));
    }
    some.sort_unstable();
    some
}

fn path_parameter(name: &str) -> Value {
    let schema = match name {
        "node_id" => json!({ "type": "integer", "minimum": 1, "maximum": 99_999 }),
        "raw_id" | "rejected_id" | "quarantine_id" | "drift_id" | "audit_id" => {
            json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX })
        }
        _ if name.ends_with("_id") => json!({ "type": "string", "format": "uuid" }),
        _ => json!({ "type": "string", "minLength": 1, "maxLength": 100 }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn query_parameters(input: &Value) -> Vec<Value> {
    let Some(properties) = input.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let members = schema.as_object_mut();
        let about = members.and_then(|members| {
            // A parameter is there or not; it is never null.
            let choice = members.get("anyOf").and_then(|choices| choices.get(0)).and_then(Value::as_object).cloned();
            if let Some(choice) = choice {
                members.remove("anyOf");
                members.extend(choice);
            }
            if let Some(kind) = members.get_mut("type")
                && let Some(first) = kind.as_array().and_then(|kinds| kinds.first()).cloned()
            {
                *kind = first;
            }
            members.remove("description")
        });
        let mut parameter = json!({ "name": name, "in": "query", "required": false, "schema": schema });
        if let (Some(about), Some(members)) = (about, parameter.as_object_mut()) {
            members.insert("description".to_owned(), about);
        }
        parameter
    };
    properties.iter().map(parameter).collect()
}

fn header(name: &str, required: bool, about: &str) -> Value {
    // Any If-None-Match is answered: what is not the present version is not.
    let schema = match name {
        "If-None-Match" => json!({ "type": "string" }),
        _ => json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
    };
    json!({ "name": name, "in": "header", "required": required, "description": about, "schema": schema })
}

/// Method and path in words, e.g. `get_v1_receipts_by_node_id`.
fn operation_id(route: &Route) -> String {
    let mut words = vec![route.method.as_str().to_lowercase()];
    for part in route.path.split(['/', '.', '-']).filter(|part| !part.is_empty()) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => words.extend(["by".to_owned(), name.to_owned()]),
            None => words.push(part.to_owned()),
        }
    }
    words.join("_")
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "detail", "instance", "code"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string", "description": "The id of the request, as urn:uuid." },
            "code": { "type": "string", "description": "Stable; for programs." },
            "gateway_url": { "type": "string", "description": "Where it is decided." },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "description": "RFC 6901." },
                        "code": { "type": "string" },
                        "detail": { "type": "string" },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes;

    #[test]
    fn the_document_has_the_routes_of_the_table_and_no_others() {
        let document = document(&routes::all());
        let table: BTreeSet<_> =
            routes::all().iter().map(|r| (r.path.to_owned(), r.method.as_str().to_lowercase())).collect();
        let told: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|m| (path.clone(), m.clone())))
            .collect();
        assert_eq!(table, told);
    }

    #[test]
    fn each_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    for (name, value) in members {
                        match value.as_str() {
                            Some(to) if name == "$ref" => found.push(to.to_owned()),
                            _ => references(value, found),
                        }
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let (document, mut found) = (document(&routes::all()), Vec::new());
        references(&document, &mut found);
        assert!(found.len() > 20);
        for to in found {
            assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let names: BTreeSet<_> = routes::all().iter().map(operation_id).collect();
        assert_eq!(names.len(), routes::all().len());
    }

    #[test]
    fn bodies_are_closed() {
        for route in routes::all() {
            assert_eq!(route.input["additionalProperties"], false, "{} {}", route.method, route.path);
        }
    }
}
