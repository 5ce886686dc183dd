//! `GET /v1/scan/{code}`: what was scanned or keyed in, and what it costs here and now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::database::decimal::Decimal;
use crate::http::answer::Reply;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;

/// A product, as a code means it in a department of a store.
#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Scanned {
    product_id: Uuid,
    sku: String,
    description: String,
    unit: String,
    /// gtin; rule for a restricted number by its rule; or local.
    how: String,
    gtin14: Option<String>,
    /// The unit price with tax that holds now at this store; null when there is none.
    price: Option<Decimal>,
    /// Percent.
    tax_rate: Option<Decimal>,
    /// What the label itself says: price, weight or count.
    label_kind: Option<String>,
    label_value: Option<Decimal>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The department that scans; rules and codes may be its own.
    #[schemars(length(min = 1, max = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    /// The store; this one when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u16>,
}

pub async fn show(call: Call, place: Place) -> Outcome<Reply<Scanned>> {
    let mut arguments = json!(place);
    if let Some(members) = arguments.as_object_mut() {
        members.insert("code".to_owned(), json!(call.parameter(0)));
    }
    let rows = call.app.database.ask(call.person()?, Mode::Read, "select own.scan($1)::text", &[&arguments]).await?;
    let text: &str = get(rows.first().ok_or_else(Problem::internal)?, 0)?;
    let scanned: Scanned = serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, "own.scan answers something else than the gateway knows");
        Problem::internal()
    })?;
    Ok(Reply::ok(scanned))
}
