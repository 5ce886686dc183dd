//! Access tokens: written with the key that signs, read with the key that `kid` names. The head of
//! a token chooses nothing else: no algorithm, no address, no key of its own.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use super::claims::{AUDIENCE, Claims, Person, TYPE};

/// A longer one is not looked at.
const MOST_BYTES: usize = 4_096;

/// A key that verifies, and whose it is.
#[derive(Clone)]
pub struct Verifying {
    pub issuer: String,
    pub key: DecodingKey,
    pub from_central: bool,
}

/// All keys that verify, by `kid`.
pub type Ring = HashMap<String, Verifying>;

pub fn write(kid: &str, key: &EncodingKey, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    let header = Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, key)
}

/// Whose token it is. `None` for all others, without a reason: the caller has none to give either.
pub fn read(ring: &Ring, token: &str, now: i64) -> Option<Person> {
    if token.len() > MOST_BYTES {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() || header.zip.is_some() || header.enc.is_some() {
        return None;
    }
    let verifying = ring.get(header.kid.as_deref()?)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[&verifying.issuer]);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
    // The times are asked for below, against the clock that is handed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &verifying.key, &validation).ok()?.claims;
    claims.person(&verifying.issuer, now, verifying.from_central)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;
    use crate::token::claims::tests::claims;
    use crate::token::provider;

    struct Issuer {
        pair: Ed25519KeyPair,
        encoding: EncodingKey,
    }

    impl Issuer {
        fn new() -> Self {
            provider::install();
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
            Self { pair, encoding: EncodingKey::from_ed_der(pkcs8.as_ref()) }
        }
    }

    fn ring_of(issuer: &Issuer) -> Ring {
        let key = DecodingKey::from_ed_der(issuer.pair.public_key().as_ref());
        Ring::from([("k1".to_owned(), Verifying { issuer: "S01".to_owned(), key, from_central: false })])
    }

    /// A token with any head, signed as it should be.
    fn with_head(issuer: &Issuer, head: &Value) -> String {
        let part = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
        let message =
            format!("{}.{}", part(head.to_string().as_bytes()), part(&serde_json::to_vec(&claims()).unwrap()));
        format!("{message}.{}", part(issuer.pair.sign(message.as_bytes()).as_ref()))
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let issuer = Issuer::new();
        let token = write("k1", &issuer.encoding, &claims()).unwrap();
        let person = read(&ring_of(&issuer), &token, 1_001).unwrap();
        assert_eq!(person.session, claims().sid);
        assert_eq!(read(&ring_of(&issuer), &token, 1_700), None);
    }

    #[test]
    fn a_key_signs_for_its_issuer_only() {
        let issuer = Issuer::new();
        let mut ring = ring_of(&issuer);
        ring.get_mut("k1").unwrap().issuer = "CENTRAL".to_owned();
        assert_eq!(read(&ring, &write("k1", &issuer.encoding, &claims()).unwrap(), 1_001), None);
    }

    #[test]
    fn heads_that_say_more_or_less_are_refused() {
        let (issuer, stranger) = (Issuer::new(), Issuer::new());
        let ring = ring_of(&issuer);
        let good = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"});
        assert!(read(&ring, &with_head(&issuer, &good), 1_001).is_some());
        for (member, value) in [
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("eddsa")),
            ("typ", json!("JWT")),
            ("typ", Value::Null),
            ("kid", json!("k2")),
            ("kid", Value::Null),
            ("crit", json!(["exp"])),
        ] {
            let mut head = good.clone();
            head[member] = value;
            assert_eq!(read(&ring, &with_head(&issuer, &head), 1_001), None, "{head}");
        }
        assert_eq!(read(&ring, &with_head(&stranger, &good), 1_001), None);
        // A key in the head is not looked at.
        let x = URL_SAFE_NO_PAD.encode(stranger.pair.public_key().as_ref());
        let mut head = good;
        head["jwk"] = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        assert_eq!(read(&ring, &with_head(&stranger, &head), 1_001), None);
    }

    #[test]
    fn nonsense_is_refused() {
        let issuer = Issuer::new();
        let ring = ring_of(&issuer);
        let token = write("k1", &issuer.encoding, &claims()).unwrap();
        let unsigned = token.rsplit_once('.').unwrap().0;
        for nonsense in
            ["", ".", "..", "a.b.c", unsigned, &format!("{unsigned}."), &format!("{token}.x"), &"a".repeat(5_000)]
        {
            assert_eq!(read(&ring, nonsense, 1_001), None, "{nonsense}");
        }
    }
}
