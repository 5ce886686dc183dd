//! `POST /v1/gateway-keys`: an admin registers the key of a store's gateway at central.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::write::once;
use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::NoContent;

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayKey {
    /// The code of the store's node.
    #[schemars(length(min = 1, max = 20))]
    node: String,
    /// What `tpv-gateway key show` says there.
    #[schemars(length(min = 44, max = 44))]
    public_key: String,
}

pub async fn register(call: Call, key: GatewayKey) -> Outcome<Reply<NoContent>> {
    let done = once::<Value>(&call, "register_gateway_key", json!(key)).await?;
    Ok(done.reply(|_| Reply::nothing()))
}
