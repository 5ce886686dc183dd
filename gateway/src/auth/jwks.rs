//! `GET /.well-known/jwks.json` (RFC 7517, RFC 8037): the public keys of this gateway.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::answer::Reply;
use crate::http::problem::Outcome;
use crate::http::request::Call;
use crate::route::Nothing;

#[derive(Serialize, JsonSchema)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Serialize, JsonSchema)]
pub struct Key {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    use_: &'static str,
    kid: String,
    x: String,
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<KeySet>> {
    let key = |key: &crate::keys::signing::SigningKey| Key {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        use_: "sig",
        kid: key.kid.clone(),
        x: key.public_text(),
    };
    Ok(Reply::ok(KeySet { keys: call.app.keys.published().iter().map(key).collect() }))
}
