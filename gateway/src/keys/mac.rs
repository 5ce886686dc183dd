//! The key that signs what only this gateway reads again: refresh tokens, cursors, CSRF tokens.

use ring::hmac;
use subtle::ConstantTimeEq;

pub struct MacKey(hmac::Key);

impl MacKey {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// HMAC-SHA256 over a purpose and parts. Lengths are in it, so that no part runs into the next.
    pub fn sign(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        self.over(purpose, parts).as_ref().to_vec()
    }

    fn over(&self, purpose: &str, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    /// In constant time.
    pub fn verifies(&self, purpose: &str, parts: &[&[u8]], given: &[u8]) -> bool {
        self.over(purpose, parts).as_ref().ct_eq(given).into()
    }

    #[cfg(test)]
    pub fn for_test() -> Self {
        Self::new(&[7; 32])
    }
}
