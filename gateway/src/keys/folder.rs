//! The keys folder: PEM files that nobody but the gateway's user can read.
//!
//! | file | is |
//! | --- | --- |
//! | `sign-<kid>.pem` | an Ed25519 key for access tokens |
//! | `sealing.pem` | the X25519 key for sealed passwords |
//! | `mac.key` | 32 bytes in base64, for what only this gateway reads again |

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ring::rand::SecureRandom;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

use super::mac::MacKey;
use super::sealing::SealingKey;
use super::signing::SigningKey;

const SEALING: &str = "sealing.pem";
const MAC: &str = "mac.key";

/// Makes what is missing. Answers what was made.
pub fn init(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<Vec<String>> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| no_folder(folder))?;
    let mut made = Vec::new();
    if signing(folder)?.is_empty() {
        made.push(rotate(folder, now)?);
    }
    if !folder.join(SEALING).exists() {
        write(folder, SEALING, &pem(&SealingKey::generate()))?;
        made.push(SEALING.to_owned());
    }
    if !folder.join(MAC).exists() {
        let mut secret = [0; 32];
        ring::rand::SystemRandom::new().fill(&mut secret).ok().context("no random bytes for a key")?;
        write(folder, MAC, &format!("{}\n", STANDARD.encode(secret)))?;
        made.push(MAC.to_owned());
    }
    Ok(made)
}

/// Makes a new signing key. Answers its file.
pub fn rotate(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<String> {
    let (kid, pkcs8) = SigningKey::generate(now)?;
    let name = format!("sign-{kid}.pem");
    write(folder, &name, &pem(&pkcs8))?;
    Ok(name)
}

/// The signing keys, newest first.
pub fn signing(folder: &Path) -> anyhow::Result<Vec<SigningKey>> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| no_folder(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(kid) = name.strip_prefix("sign-").and_then(|rest| rest.strip_suffix(".pem")) {
            let pkcs8 = pkcs8(folder, &name)?;
            keys.push(SigningKey::from_pkcs8(kid, &pkcs8).with_context(|| format!("{name} cannot be used"))?);
        }
    }
    keys.sort_by(|a, b| b.made_at.cmp(&a.made_at).then_with(|| b.kid.cmp(&a.kid)));
    Ok(keys)
}

pub fn sealing(folder: &Path) -> anyhow::Result<SealingKey> {
    SealingKey::from_pkcs8(&pkcs8(folder, SEALING)?).with_context(|| format!("{SEALING} cannot be used"))
}

pub fn mac(folder: &Path) -> anyhow::Result<MacKey> {
    let secret = STANDARD.decode(read(folder, MAC)?.trim()).with_context(|| format!("{MAC} is no base64"))?;
    if secret.len() < 32 {
        bail!("{MAC} has less than 32 bytes");
    }
    Ok(MacKey::new(&secret))
}

fn pkcs8(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let pem = read(folder, name)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
    let key = key.ok().with_context(|| format!("{name} is no private key in PEM"))?;
    Ok(key.secret_pkcs8_der().to_vec())
}

fn read(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    let shown = path.display();
    let mode = fs::metadata(&path)
        .with_context(|| format!("{shown} cannot be read; tpv-gateway key init makes what is missing"))?
        .mode();
    if mode & 0o077 != 0 {
        bail!("{shown} can be read by others; it takes mode 600");
    }
    fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    let shown = path.display();
    // A key that is there is never written over.
    let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file.with_context(|| format!("{shown} cannot be made"))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("{shown} cannot be written"))
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn no_folder(folder: &Path) -> String {
    format!("--keys {} is no folder that can be read", folder.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_made_is_read_and_never_made_twice() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("keys");
        let now = Utc::now();
        assert_eq!(init(&folder, now).unwrap().len(), 3);
        assert_eq!(init(&folder, now).unwrap(), Vec::<String>::new());
        let first = signing(&folder).unwrap()[0].kid.clone();
        rotate(&folder, now + chrono::Duration::seconds(5)).unwrap();
        let keys = signing(&folder).unwrap();
        assert_eq!((keys.len(), keys[1].kid.as_str()), (2, first.as_str()));
        assert!(sealing(&folder).is_ok() && mac(&folder).is_ok());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), Utc::now()).unwrap();
        fs::set_permissions(folder.path().join(MAC), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(mac(folder.path()).err().unwrap().to_string().contains("600"));
    }
}
