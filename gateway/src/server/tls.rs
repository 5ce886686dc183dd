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

use super::expiry::{self, Reminder};
use crate::app::App;
use crate::config::TlsFiles;
use crate::metrics::Metrics;

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
    pub async fn keep_reading(self: Arc<Self>, app: Arc<App>) {
        let mut told = String::new();
        let mut reminder = Reminder::default();
        loop {
            self.tell_end(&app.metrics, &mut reminder);
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

    fn tell_end(&self, metrics: &Metrics, reminder: &mut Reminder) {
        let current = Arc::clone(&self.current.read());
        let end = expiry::ends_unix_s(&current.cert);
        match end {
            Some(end) => metrics.certificate_expiry.with_label_values::<&str>(&[]).set(end),
            // No number is better than that of the certificate before.
            None => metrics.certificate_expiry.reset(),
        }
        reminder.remind(end, expiry::now_unix_s());
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
