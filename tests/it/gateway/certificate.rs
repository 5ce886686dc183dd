//! The gateway's own certificate, and a new one while it runs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tpv_lab::gateway::Gateway;
use tpv_lab::store::Rig;
use tpv_lab::wait::until_true;

use crate::store::tls::Authority;
use crate::support::SOON;

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Somebody who trusts this authority alone.
fn connect(gateway: &Gateway, trusted: &Authority) -> std::io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.certificate.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut connection = StreamOwned::new(session, TcpStream::connect(gateway.address)?);
    ask(&mut connection)?;
    Ok(connection)
}

fn ask(connection: &mut Connection) -> std::io::Result<()> {
    connection.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: s01.test\r\n\r\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"]}") {
        let mut part = [0; 4096];
        let count = connection.read(&mut part)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&part[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// As somebody does who brings new files: the one, and then the other.
fn write(folder: &Path, authority: &Authority) {
    let (certificate, key) = authority.server("127.0.0.1");
    for (name, text) in [("server.key", key), ("server.pem", certificate)] {
        let draft = folder.join("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(&draft, folder.join(name)).unwrap();
    }
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_open_connections_stay() {
    let (before, after) = (Authority::new("before"), Authority::new("after"));
    let rig = Rig::idle().unwrap();
    let folder = rig.cluster.folder.join("tls");
    fs::create_dir(&folder).unwrap();
    write(&folder, &before);
    let file = |name: &str| folder.join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let arguments = ["--tls-certificate", &certificate, "--tls-key", &key];
    let gateway = Gateway::start(&rig.lab, &rig.cluster, "https://s01.test", &arguments).unwrap();
    let mut open = connect(&gateway, &before).unwrap();
    assert!(connect(&gateway, &after).is_err(), "it has no certificate of that authority");

    // Files that do not belong together change nothing, and are told.
    fs::write(folder.join("server.key"), after.server("127.0.0.1").1).unwrap();
    until_true("it says so", SOON * 2, || gateway.log().contains("do not belong together")).unwrap();
    connect(&gateway, &before).unwrap();

    write(&folder, &after);
    until_true("new connections see it", SOON * 2, || connect(&gateway, &after).is_ok()).unwrap();
    assert!(connect(&gateway, &before).is_err());
    ask(&mut open).unwrap();
}
