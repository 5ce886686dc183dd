//! What a line of the route table is made of. The types of a handler's input and answer are the
//! schemas of the document, so that neither can be forgotten.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use warp::http::{Method, StatusCode};

use crate::http::answer::{Answer, Reply};
use crate::http::download::Download;
use crate::http::negotiate::Form;
use crate::http::problem::Outcome;
use crate::http::request::Call;

/// Who may call. What a permission is worth is decided by the database (`sec.permission`, and the
/// grants of schema `own`); the name here is for the document, and a test holds both equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Anybody who is logged in.
    Person,
    /// Whoever is logged in with a role that has this permission.
    With(&'static str),
}

pub type Running = Pin<Box<dyn Future<Output = Outcome<Answer>> + Send>>;

/// A handler behind its types: the schema is that of its input.
pub type Run = Box<dyn Fn(Call, &Value) -> Running + Send + Sync>;

pub struct Route {
    pub method: Method,
    /// With parameters in braces; also the label of metrics.
    pub path: &'static str,
    pub access: Access,
    pub about: &'static str,
    pub success: StatusCode,
    /// Of the answer, when there is one.
    pub form: Form,
    /// The answer may be kept by a client that asks again whether it still holds.
    pub cacheable: bool,
    /// Takes an Idempotency-Key.
    pub idempotent: bool,
    /// Needs If-Match.
    pub versioned: bool,
    /// Inlined; of the query for GET, of the body for all others.
    pub input: Value,
    pub input_schema: fn(&mut SchemaGenerator) -> Schema,
    /// None for an answer without a body, and for a file.
    pub answer_schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub run: Run,
}

/// No parameters, or no body.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The answer is a head alone.
#[derive(Debug)]
pub struct NoContent;

/// What a handler answers with.
pub trait Output: Serialize {
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema>;
}

impl<T: Serialize + JsonSchema> Output for T {
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        let is_nothing = T::schema_name() == NoContent::schema_name();
        (!is_nothing).then_some(SchemaGenerator::subschema_for::<T>)
    }
}

impl Serialize for NoContent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl JsonSchema for NoContent {
    fn schema_name() -> Cow<'static, str> {
        "NoContent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "null" })
    }
}

/// A GET whose query is a `Q`.
pub fn get<Q, A, F, R>(path: &'static str, access: Access, handler: F, about: &'static str) -> Route
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    A: Output + 'static,
    F: Fn(Call, Q) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Outcome<Reply<A>>> + Send + 'static,
{
    let run = move |call: Call, schema: &Value| -> Running {
        let input = call.query::<Q>(schema);
        Box::pin(async move { handler(call, input?).await?.into_answer() })
    };
    route::<Q, A>(Method::GET, path, access, about, Box::new(run))
}

/// A GET whose answer is always the same JSON.
pub fn same(path: &'static str, access: Access, answer: fn() -> Outcome<Answer>, about: &'static str) -> Route {
    let run = move |call: Call, schema: &Value| -> Running {
        let input = call.query::<Nothing>(schema);
        Box::pin(async move { input.and_then(|_| answer()) })
    };
    route::<Nothing, Value>(Method::GET, path, access, about, Box::new(run))
}

/// A GET whose answer is a file.
pub fn download<F, R>(path: &'static str, access: Access, handler: F, about: &'static str) -> Route
where
    F: Fn(Call, Nothing) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Outcome<Download>> + Send + 'static,
{
    let run = move |call: Call, schema: &Value| -> Running {
        let input = call.query::<Nothing>(schema);
        Box::pin(async move { Ok(handler(call, input?).await?.into_answer()) })
    };
    let route = route::<Nothing, NoContent>(Method::GET, path, access, about, Box::new(run));
    Route { form: Form::Bytes, success: StatusCode::OK, ..route }
}

/// Any other method, whose body is a `B`.
pub fn send<B, A, F, R>(method: Method, path: &'static str, access: Access, handler: F, about: &'static str) -> Route
where
    B: DeserializeOwned + JsonSchema + Send + 'static,
    A: Output + 'static,
    F: Fn(Call, B) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Outcome<Reply<A>>> + Send + 'static,
{
    let run = move |call: Call, schema: &Value| -> Running {
        let input = call.json::<B>(schema);
        Box::pin(async move { handler(call, input?).await?.into_answer() })
    };
    route::<B, A>(method, path, access, about, Box::new(run))
}

pub fn post<B, A, F, R>(path: &'static str, access: Access, handler: F, about: &'static str) -> Route
where
    B: DeserializeOwned + JsonSchema + Send + 'static,
    A: Output + 'static,
    F: Fn(Call, B) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Outcome<Reply<A>>> + Send + 'static,
{
    send(Method::POST, path, access, handler, about)
}

impl Route {
    pub fn creates(self) -> Self {
        Self { success: StatusCode::CREATED, ..self }
    }

    pub fn cacheable(self) -> Self {
        Self { cacheable: true, ..self }
    }

    /// Takes an Idempotency-Key.
    pub fn once(self) -> Self {
        Self { idempotent: true, ..self }
    }

    /// Needs If-Match.
    pub fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }

    /// Whether a body may be left out: nothing in it is needed.
    pub fn body_is_optional(&self) -> bool {
        self.input.get("required").is_none()
    }

    pub fn takes_body(&self) -> bool {
        self.method != Method::GET && self.input.get("properties").is_some()
    }
}

fn route<I: JsonSchema, A: Output>(
    method: Method,
    path: &'static str,
    access: Access,
    about: &'static str,
    run: Run,
) -> Route {
    let answer_schema = A::schema();
    Route {
        method,
        path,
        access,
        about,
        form: Form::Json,
        success: if answer_schema.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT },
        cacheable: false,
        idempotent: false,
        versioned: false,
        input: inlined::<I>(),
        input_schema: SchemaGenerator::subschema_for::<I>,
        answer_schema,
        run,
    }
}

/// The schema in one piece, as it is checked.
fn inlined<I: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<I>().to_value()
}
