//! The keys while the gateway runs. Signing keys are looked for again every few seconds, so that
//! `key rotate` needs no restart; at a store the keys of central come from the database.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::DecodingKey;
use parking_lot::RwLock;
use ring::digest::{SHA256, digest};

use super::folder;
use super::mac::MacKey;
use super::sealing::SealingKey;
use super::signing::{self, SigningKey};
use crate::recent::Recent;
use crate::token::access::{self, Ring, Verifying};
use crate::token::claims::{Claims, LEEWAY_S, Person};

pub struct Keyring {
    folder: PathBuf,
    issuer: String,
    central_issuer: Option<String>,
    pub mac: MacKey,
    pub sealing: SealingKey,
    loaded: RwLock<Arc<Loaded>>,
}

struct Loaded {
    own: Vec<SigningKey>,
    /// Name and public key of central's.
    central: Vec<(String, String)>,
    ring: Ring,
    /// Tokens whose signature was found right, by their SHA-256. A signature costs as much as the
    /// rest of a request. It goes with the keys, a few seconds later.
    verified: Recent<[u8; 32], Person>,
}

impl Keyring {
    pub fn open(folder: PathBuf, issuer: String, central_issuer: Option<String>) -> anyhow::Result<Self> {
        let (mac, sealing) = (folder::mac(&folder)?, folder::sealing(&folder)?);
        let loaded = Loaded { own: Vec::new(), central: Vec::new(), ring: Ring::new(), verified: Recent::new(0) };
        let keyring = Self { folder, issuer, central_issuer, mac, sealing, loaded: RwLock::new(Arc::new(loaded)) };
        keyring.reload()?;
        anyhow::ensure!(!keyring.published().is_empty(), "there is no signing key; tpv-gateway key init makes one");
        Ok(keyring)
    }

    /// Reads the folder again.
    pub fn reload(&self) -> anyhow::Result<()> {
        let own = folder::signing(&self.folder)?;
        let central = self.loaded.read().central.clone();
        self.load(own, central);
        Ok(())
    }

    /// Takes over what central has published.
    pub fn set_central(&self, central: Vec<(String, String)>) {
        let own = self.loaded.read().own.clone();
        self.load(own, central);
    }

    fn load(&self, own: Vec<SigningKey>, central: Vec<(String, String)>) {
        let mut ring = Ring::new();
        if let Some(issuer) = &self.central_issuer {
            for (kid, public) in &central {
                match URL_SAFE_NO_PAD.decode(public) {
                    Ok(bytes) if bytes.len() == 32 => {
                        let key = DecodingKey::from_ed_der(&bytes);
                        ring.insert(kid.clone(), Verifying { issuer: issuer.clone(), key, from_central: true });
                    }
                    _ => tracing::warn!(kid, "a key of central's is no Ed25519 key"),
                }
            }
        }
        // After central's: nobody else's key takes the name of one of ours.
        for key in signing::verify(&own, Utc::now()) {
            let verifying = Verifying { issuer: self.issuer.clone(), key: key.decoding(), from_central: false };
            ring.insert(key.kid.clone(), verifying);
        }
        *self.loaded.write() = Arc::new(Loaded { own, central, ring, verified: Recent::new(10_000) });
    }

    /// Our keys that verify.
    pub fn published(&self) -> Vec<SigningKey> {
        let loaded = Arc::clone(&self.loaded.read());
        signing::verify(&loaded.own, Utc::now()).into_iter().cloned().collect()
    }

    /// The names of our keys that verify nothing any more.
    pub fn retired(&self) -> Vec<String> {
        let loaded = Arc::clone(&self.loaded.read());
        let verify: Vec<_> = signing::verify(&loaded.own, Utc::now()).iter().map(|key| &key.kid).collect();
        loaded.own.iter().map(|key| &key.kid).filter(|kid| !verify.contains(kid)).cloned().collect()
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub fn write(&self, claims: &Claims) -> Option<String> {
        let loaded = Arc::clone(&self.loaded.read());
        let key = signing::signs(&loaded.own, Utc::now())?;
        access::write(&key.kid, &key.encoding, claims).ok()
    }

    pub fn read(&self, token: &str) -> Option<Person> {
        let (loaded, now) = (Arc::clone(&self.loaded.read()), Utc::now().timestamp());
        let digest: [u8; 32] = digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()?;
        if let Some(person) = loaded.verified.get(&digest) {
            return (person.expires_at > now - LEEWAY_S).then_some(person);
        }
        let person = access::read(&loaded.ring, token, now)?;
        loaded.verified.put(digest, person);
        Some(person)
    }
}
