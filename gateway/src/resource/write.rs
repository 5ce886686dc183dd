//! Writes: one call of a function of schema `own`, in one transaction with the record of its
//! Idempotency-Key. The same request again gets the stored answer, and has no second effect.

use std::borrow::Cow;
use std::marker::PhantomData;

use ring::digest::{Context, SHA256};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use warp::http::HeaderValue;
use warp::http::header::{HeaderName, IF_MATCH};

use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::http::answer::Reply;
use crate::http::problem::{Fault, Outcome, Problem};
use crate::http::request::Call;

/// What a function answered, and whether it did so before.
pub struct Done<A> {
    pub answer: A,
    replayed: bool,
}

#[derive(serde::Deserialize)]
struct Told<A> {
    answer: A,
    replayed: bool,
}

impl<A> Done<A> {
    /// Marks an answer that was stored.
    pub fn reply<T: serde::Serialize>(self, make: impl FnOnce(A) -> Reply<T>) -> Reply<T> {
        let reply = make(self.answer);
        if !self.replayed {
            return reply;
        }
        reply.with(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"))
    }
}

/// The members of a body as they came, in the shape of `T`: what is left out and what is null are
/// two things, which a struct would confuse.
pub struct Members<T>(pub Map<String, Value>, PhantomData<T>);

impl<'de, T> Deserialize<'de> for Members<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(|members| Self(members, PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Members<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Calls `own.<verb>`.
pub async fn once<A: DeserializeOwned>(call: &Call, verb: &'static str, arguments: Value) -> Outcome<Done<A>> {
    let key = key(call)?;
    let fingerprint = fingerprint(call, verb, &arguments);
    // As text: a number of JSON would become a float on its way.
    let sql = "select own.once($1, $2, $3, $4)::text";
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&key, &fingerprint, &verb, &arguments];
    let rows = call.app.database.ask(call.person()?, Mode::Write, sql, &parameters).await?;
    let text: &str = get(rows.first().ok_or_else(Problem::internal)?, 0)?;
    let told: Told<A> = serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, verb, "a function of own answers something else than the gateway knows");
        Problem::internal()
    })?;
    Ok(Done { answer: told.answer, replayed: told.replayed })
}

fn key(call: &Call) -> Outcome<Option<String>> {
    let Some(value) = call.request.headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim_matches('"');
    let fits = (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        let fault = Fault::new("/Idempotency-Key", "format", "The header takes 1 to 200 visible characters.");
        return Err(Problem::invalid(vec![fault]).into());
    }
    Ok(Some(key.to_owned()))
}

/// What makes two requests the same: what is done to what, in which version, and how. The order of
/// members and the blanks of the body are not part of it.
fn fingerprint(call: &Call, verb: &str, arguments: &Value) -> Vec<u8> {
    let version = call.header(IF_MATCH).unwrap_or_default();
    let mut context = Context::new(&SHA256);
    for part in [call.request.method.as_str(), &call.request.path, version, verb, &arguments.to_string()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}
