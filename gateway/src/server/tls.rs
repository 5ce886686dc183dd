//! The certificate. Its files are read again while the gateway runs, so that a new one needs no pause.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The certificate that clients are shown from now on. Connections that are open keep theirs.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// # Errors
    /// A file that cannot be read, or files that do not belong together.
    pub fn read(files: &TlsFiles) -> anyhow::Result<Arc<Self>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let current = RwLock::new(Arc::new(read(files, &provider)?));
        Ok(Arc::new(Self { files: files.clone(), provider, current }))
    }

    /// # Errors
    /// None with the versions of TLS that the library has.
    pub fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Shows clients a new certificate once its files are there. While they do not belong together, as when
    /// one of two is written, the old one stays.
    pub async fn keep_reading(self: Arc<Self>) {
        let mut told = String::new();
        loop {
            tokio::time::sleep(LOOK).await;
            let fault = match read(&self.files, &self.provider) {
                Ok(now) => {
                    self.show(now);
                    String::new()
                }
                Err(error) => format!("{error:#}"),
            };
            if !fault.is_empty() && fault != told {
                tracing::error!(error = fault, "the certificate cannot be read again; the one of before stays");
            }
            told = fault;
        }
    }

    fn show(&self, now: CertifiedKey) {
        if self.current.read().cert != now.cert {
            *self.current.write() = Arc::new(now);
            tracing::info!("clients are shown a new certificate");
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.certificate).context("--tls-certificate cannot be read")?.collect();
    let chain = chain.context("--tls-certificate holds something that is no certificate")?;
    anyhow::ensure!(!chain.is_empty(), "--tls-certificate holds no certificate");
    let key = PrivateKeyDer::from_pem_file(&files.key).context("--tls-key holds no private key that can be read")?;
    CertifiedKey::from_der(chain, key, provider).context("--tls-certificate and --tls-key do not belong together")
}
