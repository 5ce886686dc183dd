//! Where a list goes on: the key of the last row that was sent, signed, so that it is ours.
//!
//! It is bound to the list and its filter. It is no right: what a person sees is decided anew for
//! each page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::problem::{Fault, Outcome, Problem};
use crate::keys::mac::MacKey;

const MAC_BYTES: usize = 16;

pub fn encode<K: Serialize>(key: &MacKey, list: &str, last: &K) -> Outcome<String> {
    let last = serde_json::to_vec(last).map_err(|_| Problem::internal())?;
    let mut bytes = mac(key, list, &last);
    bytes.extend(last);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub fn decode<K: DeserializeOwned>(key: &MacKey, list: &str, cursor: &str) -> Outcome<K> {
    // A text like any other to a reader of the document: what is wrong is its value.
    let refused = || Problem::invalid(vec![Fault::new("/cursor", "cursor", "It is not of this list and filter.")]);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (given, last) = bytes.split_at_checked(MAC_BYTES).ok_or_else(refused)?;
    if !bool::from(given.ct_eq(&mac(key, list, last))) {
        return Err(refused().into());
    }
    serde_json::from_slice(last).map_err(|_| refused().into())
}

fn mac(key: &MacKey, list: &str, last: &[u8]) -> Vec<u8> {
    let mut mac = key.sign("cursor", &[list.as_bytes(), last]);
    mac.truncate(MAC_BYTES);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let key = MacKey::for_test();
        let cursor = encode(&key, "/v1/products?q=a", &("x", 7)).unwrap();
        let back: (String, i32) = decode(&key, "/v1/products?q=a", &cursor).unwrap();
        assert_eq!(back, ("x".to_owned(), 7));
        assert!(decode::<(String, i32)>(&key, "/v1/products?q=b", &cursor).is_err());
    }

    proptest! {
        #[test]
        fn a_changed_cursor_is_refused(at in 0..40usize, by in 1..255u8) {
            let key = MacKey::for_test();
            let mut bytes = URL_SAFE_NO_PAD.decode(encode(&key, "l", &"some text that is long").unwrap()).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= by;
            prop_assert!(decode::<String>(&key, "l", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }
    }
}
