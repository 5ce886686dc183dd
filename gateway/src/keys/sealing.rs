//! The key that the argon2id strings of a store's staff are sealed to (libsodium's sealed box:
//! X25519, XSalsa20-Poly1305). Central seals with the public half; only this store opens.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_box::aead::OsRng;
use crypto_box::{PublicKey, SecretKey};

/// What comes before the 32 bytes of an X25519 key in PKCS#8 (RFC 8410, 7).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

pub struct SealingKey {
    secret: SecretKey,
    /// A box of our own, which is opened where there is none: it takes as long.
    dummy: String,
}

impl SealingKey {
    /// PKCS#8 of a new key.
    pub fn generate() -> Vec<u8> {
        [PKCS8_HEAD.as_slice(), &SecretKey::generate(&mut OsRng).to_bytes()].concat()
    }

    pub fn from_pkcs8(pkcs8: &[u8]) -> anyhow::Result<Self> {
        let secret = pkcs8.strip_prefix(&PKCS8_HEAD).context("it is no X25519 key in PKCS#8")?;
        let secret = SecretKey::from(<[u8; 32]>::try_from(secret).context("the key has another length")?);
        let dummy = seal(&STANDARD.encode(secret.public_key().as_bytes()), &[b'x'; 97])?;
        Ok(Self { secret, dummy })
    }

    pub fn public_text(&self) -> String {
        STANDARD.encode(self.secret.public_key().as_bytes())
    }

    /// What is in the box, if it was sealed for us. Without a box it takes as long, and answers
    /// none.
    pub fn open(&self, sealed: Option<&str>) -> Option<String> {
        let bytes = STANDARD.decode(sealed.unwrap_or(&self.dummy)).ok()?;
        let opened = self.secret.unseal(&bytes).ok()?;
        sealed.and(String::from_utf8(opened).ok())
    }
}

/// Seals for the gateway with this public key.
pub fn seal(public_key: &str, text: &[u8]) -> anyhow::Result<String> {
    let bytes: [u8; 32] =
        STANDARD.decode(public_key)?.try_into().ok().context("the public key of a gateway has 32 bytes")?;
    let sealed = PublicKey::from(bytes).seal(&mut OsRng, text).ok().context("nothing was sealed")?;
    Ok(STANDARD.encode(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_gateway_opens_a_box() {
        let (here, there) =
            (SealingKey::from_pkcs8(&SealingKey::generate()), SealingKey::from_pkcs8(&SealingKey::generate()));
        let (here, there) = (here.unwrap(), there.unwrap());
        let sealed = seal(&here.public_text(), b"$argon2id$...").unwrap();
        assert_eq!(here.open(Some(&sealed)).as_deref(), Some("$argon2id$..."));
        assert_eq!(there.open(Some(&sealed)), None);
        assert_eq!(here.open(None), None);
        assert_eq!(here.open(Some("bm90IGEgYm94")), None);
    }
}
