//! The refresh token: session and counter, and a MAC over both. Nothing else is needed: whether it
//! holds is decided by the row of the session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::keys::mac::MacKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    pub session: Uuid,
    pub counter: i32,
}

impl Refresh {
    /// The same token each time: a client whose answer was lost gets it again.
    pub fn write(self, key: &MacKey) -> String {
        let mut bytes = self.session.as_bytes().to_vec();
        bytes.extend(self.counter.to_be_bytes());
        bytes.extend(key.sign("refresh", &[&bytes]));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` unless this gateway wrote it.
    pub fn read(key: &MacKey, token: &str) -> Option<Self> {
        if token.len() != 70 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (plain, mac) = bytes.split_at_checked(20)?;
        if !key.verifies("refresh", &[plain], mac) {
            return None;
        }
        let (session, counter) = plain.split_at_checked(16)?;
        Some(Self { session: Uuid::from_slice(session).ok()?, counter: i32::from_be_bytes(counter.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(session: u128, counter: i32) {
            let (key, refresh) = (MacKey::for_test(), Refresh { session: Uuid::from_u128(session), counter });
            prop_assert_eq!(Refresh::read(&key, &refresh.write(&key)), Some(refresh));
        }

        #[test]
        fn a_changed_token_is_nobodys(at in 0..52usize, by in 1..255u8) {
            let key = MacKey::for_test();
            let token = Refresh { session: Uuid::from_u128(1), counter: 3 }.write(&key);
            let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
            bytes[at] ^= by;
            prop_assert_eq!(Refresh::read(&key, &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn nonsense_is_refused(token in ".{0,100}") {
            prop_assert_eq!(Refresh::read(&MacKey::for_test(), &token), None);
        }
    }
}
