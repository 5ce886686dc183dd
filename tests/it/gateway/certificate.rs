//! The gateway's own certificate, and a new one while it runs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tpv_lab::gateway::Gateway;
use tpv_lab::machine::Authority;
use tpv_lab::store::{Rig, http};
use tpv_lab::wait::until_true;

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

/// A gateway with a certificate of an authority that ends then, and the folder of its files.
fn with_certificate(authority: &Authority, end: Option<SystemTime>) -> (Rig, PathBuf, Gateway) {
    let rig = Rig::idle().unwrap();
    let folder = rig.cluster.folder.join("tls");
    fs::create_dir(&folder).unwrap();
    authority.bring(&folder, "127.0.0.1", end).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let arguments = ["--tls-certificate", &certificate, "--tls-key", &key];
    let gateway = Gateway::start(&rig.lab, &rig.cluster, "https://s01.test", &arguments).unwrap();
    (rig, folder, gateway)
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_open_connections_stay() {
    let (before, after) = (Authority::new("before").unwrap(), Authority::new("after").unwrap());
    let (_rig, folder, gateway) = with_certificate(&before, None);
    let mut open = connect(&gateway, &before).unwrap();
    assert!(connect(&gateway, &after).is_err(), "it has no certificate of that authority");

    // Files that do not belong together change nothing, and are told.
    fs::write(folder.join("server.key"), after.server("127.0.0.1", None).unwrap().1).unwrap();
    until_true("it says so", SOON * 2, || gateway.log().contains("do not belong together")).unwrap();
    connect(&gateway, &before).unwrap();

    after.bring(&folder, "127.0.0.1", None).unwrap();
    until_true("new connections see it", SOON * 2, || connect(&gateway, &after).is_ok()).unwrap();
    assert!(connect(&gateway, &before).is_err());
    ask(&mut open).unwrap();
}

/// What the gauge says, in seconds since 1970; 0 without one.
fn told_end(gateway: &Gateway) -> f64 {
    let (_, text) = http::get(gateway.admin, "/metrics").unwrap();
    let mut numbers =
        text.lines().filter_map(|line| line.strip_prefix("tpv_gateway_certificate_expiry_timestamp_seconds "));
    numbers.next().map_or(0.0, |number| number.parse().unwrap())
}

#[test]
fn the_end_of_a_certificate_is_told_and_follows_a_new_one() {
    let authority = Authority::new("trusted").unwrap();
    let in_days = |days: u64| SystemTime::now() + Duration::from_secs(days * 86_400);
    let as_told = |end: SystemTime| end.duration_since(UNIX_EPOCH).unwrap().as_secs() as f64;
    let (tomorrow, next_year) = (in_days(1), in_days(365));
    let (rig, folder, gateway) = with_certificate(&authority, Some(tomorrow));
    until_true("the end is told", SOON, || told_end(&gateway) == as_told(tomorrow)).unwrap();
    // One day or none: seconds count.
    until_true("a person is warned", SOON, || gateway.log().contains("ends soon days_left=")).unwrap();

    authority.bring(&folder, "127.0.0.1", Some(next_year)).unwrap();
    until_true("the new end is told", SOON * 2, || told_end(&gateway) == as_told(next_year)).unwrap();
    assert_eq!(gateway.log().matches("ends soon").count(), 1);
    drop(gateway);

    let plain = Gateway::start(&rig.lab, &rig.cluster, "https://s01.test", &[]).unwrap();
    assert_eq!(told_end(&plain), 0.0, "there is no certificate");
}
