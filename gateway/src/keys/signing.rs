//! The keys that sign access tokens: which one signs, which ones verify.
//!
//! The name of a key begins with the second it was made in. A new one waits a minute before it
//! signs, so that others have heard of it; an old one verifies for an hour more, and no token lives
//! that long.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::signature::{Ed25519KeyPair, KeyPair};

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    pub made_at: DateTime<Utc>,
    pub encoding: EncodingKey,
    pub public: [u8; 32],
}

impl SigningKey {
    /// A new key: PKCS#8 for the file, and its name.
    pub fn generate(now: DateTime<Utc>) -> anyhow::Result<(String, Vec<u8>)> {
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).ok().context("no random bytes for a key")?;
        let key = Self::from_pkcs8("", pkcs8.as_ref())?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &key.public);
        let tail: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok((format!("{}-{tail}", now.format(FORMAT)), pkcs8.as_ref().to_vec()))
    }

    pub fn from_pkcs8(kid: &str, pkcs8: &[u8]) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok().context("it is no Ed25519 key in PKCS#8")?;
        let public = pair.public_key().as_ref().try_into().context("its public half has another length")?;
        // A key that somebody brought from elsewhere is as old as can be.
        let made_at = made_at(kid).unwrap_or_default();
        Ok(Self { kid: kid.to_owned(), made_at, encoding: EncodingKey::from_ed_der(pkcs8), public })
    }

    pub fn decoding(&self) -> DecodingKey {
        DecodingKey::from_ed_der(&self.public)
    }

    pub fn public_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public)
    }
}

/// The key that signs at this moment, of keys that are sorted newest first: the newest that is a
/// minute old; the oldest of all when none is.
pub fn signs(keys: &[SigningKey], now: DateTime<Utc>) -> Option<&SigningKey> {
    keys.iter().find(|key| now - key.made_at >= Duration::minutes(1)).or(keys.last())
}

/// Those that verify: the one that signs, newer ones, and those that were replaced less than an
/// hour ago.
pub fn verify(keys: &[SigningKey], now: DateTime<Utc>) -> Vec<&SigningKey> {
    let replaced_at = |index: usize| index.checked_sub(1).and_then(|newer| keys.get(newer)).map(|newer| newer.made_at);
    let recent = |index| replaced_at(index).is_none_or(|at| now - at < Duration::minutes(61));
    keys.iter().enumerate().filter(|(index, _)| recent(*index)).map(|(_, key)| key).collect()
}

fn made_at(kid: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(kid.split('-').next()?, FORMAT).ok().map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(at: DateTime<Utc>) -> SigningKey {
        let (kid, pkcs8) = SigningKey::generate(at).unwrap();
        SigningKey::from_pkcs8(&kid, &pkcs8).unwrap()
    }

    #[test]
    fn a_new_key_waits_and_an_old_one_goes_on_verifying() {
        let start = made_at("20260629T100000Z").unwrap();
        let after = |seconds| start + Duration::seconds(seconds);
        let keys = [key(after(1_000)), key(start)];
        let kid = |now| signs(&keys, now).map(|key| key.kid.clone());
        let verify = |now| verify(&keys, now).len();
        assert_eq!((kid(after(1_059)), verify(after(1_059))), (Some(keys[1].kid.clone()), 2));
        assert_eq!((kid(after(1_060)), verify(after(1_060))), (Some(keys[0].kid.clone()), 2));
        assert_eq!(verify(after(1_000 + 3_659)), 2);
        assert_eq!(verify(after(1_000 + 3_660)), 1);
    }

    #[test]
    fn the_first_key_signs_at_once() {
        let start = made_at("20260629T100000Z").unwrap();
        let keys = [key(start)];
        assert!(signs(&keys, start).is_some());
        assert_eq!(verify(&keys, start).len(), 1);
    }
}
