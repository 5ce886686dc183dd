//! The watcher's way to a database across a network: encrypted, and to nobody whom the authority
//! does not vouch for.

use std::fs;
use std::path::PathBuf;

use tpv_lab::machine::Authority;
use tpv_lab::store::Receipts;
use tpv_lab::store::Rig;
use tpv_lab::store::http;
use tpv_lab::store::{Watcher, WatcherOptions};
use tpv_lab::wait::until_true;

use crate::support::{SOON, nothing_is_lost};

/// A store whose server speaks TLS under this name, and a watcher that trusts this authority alone.
fn across_the_network(server: &Authority, name: &str, trusted: &Authority) -> (Rig, WatcherOptions) {
    let mut rig = Rig::idle().unwrap();
    let (certificate, key) = server.server(name, None).unwrap();
    let port = rig.cluster.serve_tls(&certificate, &key).unwrap();
    let file: PathBuf = rig.cluster.folder.join("authority.pem");
    fs::write(&file, &trusted.certificate).unwrap();
    let mut options = rig.watcher_options(&["--database-ca-file", file.to_str().unwrap()]);
    options.database_url = format!("postgresql://tpv_watcher@127.0.0.1:{port}/tpv?sslmode=require");
    (rig, options)
}

#[test]
fn receipts_flow_over_tls() {
    let authority = Authority::new("trusted").unwrap();
    let (mut rig, options) = across_the_network(&authority, "127.0.0.1", &authority);
    rig.watcher = Some(Watcher::start(&rig.lab, &options).unwrap());
    let mut receipts = Receipts::new(1);
    let inputs: Vec<_> = (0..40).map(|turn| receipts.good(&tpv_lab::store::terminal(turn))).collect();
    for input in &inputs {
        rig.spool.drop_file(input).unwrap();
    }
    for input in &inputs {
        rig.spool.wait_dat(&input.dat_name(), SOON).unwrap();
    }
    let sql = "select count(*), bool_and(s.ssl) from pg_stat_ssl s join pg_stat_activity a using (pid) \
               where a.usename = 'tpv_watcher'";
    let row = rig.dba().unwrap().query_one(sql, &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0) > 0, row.get(1)), (true, Some(true)));
    nothing_is_lost(&rig, &inputs);
}

/// The watcher keeps its files, and says what is wrong with the server's certificate.
fn refused(server: &Authority, name: &str, trusted: &Authority, why: &str) {
    let (rig, options) = across_the_network(server, name, trusted);
    let input = Receipts::new(2).good("T01");
    rig.spool.drop_file(&input).unwrap();
    let mut watcher = Watcher::spawn(&rig.lab, &options).unwrap();
    let said = || fs::read_to_string(&options.log).is_ok_and(|log| log.contains(why));
    until_true("it says what is wrong", SOON, said).unwrap_or_else(|late| {
        panic!("{late}: {}", fs::read_to_string(&options.log).unwrap_or_default());
    });
    let answer = watcher.listen().and_then(|at| http::get(at, "/readyz").ok()).unwrap();
    assert_eq!(answer.0, 503, "{answer:?}");
    assert!(watcher.ended().is_none() && rig.spool.waiting() == 1);
    let sql = "select count(*) from pg_stat_activity where usename = 'tpv_watcher'";
    assert_eq!(rig.dba().unwrap().query_one(sql, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn a_server_that_another_authority_vouches_for_is_refused() {
    let (stranger, trusted) = (Authority::new("stranger").unwrap(), Authority::new("trusted").unwrap());
    refused(&stranger, "127.0.0.1", &trusted, "invalid peer certificate: UnknownIssuer");
}

#[test]
fn a_server_with_a_certificate_for_another_name_is_refused() {
    let authority = Authority::new("trusted").unwrap();
    refused(&authority, "central.example", &authority, "invalid peer certificate: certificate not valid for name");
}
