//! Certificates for servers of a test.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A certificate authority that nobody but a test trusts.
#[derive(Debug)]
pub struct Authority {
    /// Its own certificate.
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// One with a key of its own.
    pub fn new(name: &str) -> Result<Self> {
        let mut wanted = CertificateParams::new(Vec::new())?;
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = wanted.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(wanted, key) })
    }

    /// Certificate and key of a server of this name or address. They end in the year 4096, or when it
    /// is said.
    pub fn server(&self, name: &str, end: Option<SystemTime>) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut wanted = CertificateParams::new(vec![name.to_owned()])?;
        if let Some(end) = end {
            wanted.not_after = end.into();
        }
        Ok((wanted.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }

    /// Brings `server.key`, and then `server.pem`, into a folder, as somebody does who renews them.
    pub fn bring(&self, folder: &Path, name: &str, end: Option<SystemTime>) -> Result<()> {
        let (certificate, key) = self.server(name, end)?;
        for (name, text) in [("server.key", key), ("server.pem", certificate)] {
            let draft = folder.join("draft");
            fs::write(&draft, text)?;
            fs::rename(&draft, folder.join(name))?;
        }
        Ok(())
    }
}
