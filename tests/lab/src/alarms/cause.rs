//! How a fault is caused, kept up while its alarm is waited for, and mended.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;

use super::PATIENCE;
use super::faults::Fault;
use super::faults::Where::{Central, Store};
use super::shop::Shop;
use super::tracer::Tracer;
use crate::gateway::{Client, Gateway, GatewayOptions};
use crate::machine::Authority;
use crate::node::{CENTRAL, STORES};
use crate::store::{Oddity, terminal};
use crate::wait::until_true;

/// Between two requests, or receipts, of a fault that needs some.
const PAUSE: Duration = Duration::from_millis(200);
/// A slow disk is not to be a crowded one, too.
const LONGER: Duration = Duration::from_secs(1);
/// `RestartSec` of the watcher's unit.
const RESTART: Duration = Duration::from_secs(2);
/// The folder of the certificate of the store's gateway.
const TLS: &str = "gateway-tls";
/// How many days a certificate is good for.
const A_YEAR: u64 = 365;

const END_SESSIONS: &str = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tpv_gateway_user'";

impl Shop {
    pub fn cause(&mut self, fault: &Fault) -> Result<()> {
        match fault {
            Fault::At(node, cause, _) => self.at(*node, cause),
            Fault::HeldReceipt => {
                let receipt = self.receipts.odd(Oddity::TotalOff, "T01");
                self.rig.spool.drop_file(&receipt).map(drop)
            }
            Fault::RefusedFile => self.rig.spool.drop_bytes("T01", "garbage.json", b"{\"garbage\": true}").map(drop),
            Fault::UnfinishedFile => {
                let mut file = fs::File::create(self.rig.spool.inbox("T01").join("slow.json"))?;
                file.write_all(b"{\"receiptId\":")?;
                self.unfinished = Some(file);
                Ok(())
            }
            Fault::LateWithdrawal => {
                let receipt = self.receipts.good("T01");
                self.rig.spool.drop_file(&receipt)?;
                fs::remove_file(self.rig.spool.wait_dat(&receipt.dat_name(), PATIENCE)?)?;
                let newest =
                    "select dat.withdraw(receipt_id, 'a test') from sales.receipt order by recorded_at desc limit 1";
                self.at(Store, &[newest])
            }
            Fault::WatcherKilled => self.rig.watcher()?.kill(),
            Fault::ClockAhead => self.restart(true),
            Fault::DatabaseDown => self.rig.cluster.stop_immediate(),
            // Two of them are waited for before a .dat is visible.
            Fault::SlowDisk => self.inject("fsync:delay_enter=800000"),
            // strace counts the calls of each thread.
            Fault::FsyncFails => self.inject("fsync:error=EIO:when=1"),
            // It finds a file as it starts. One that runs already may find first that a folder cannot be
            // synced, and then waits for the disk.
            Fault::FsyncAlwaysFails => {
                self.rig.watcher()?.kill()?;
                self.drop_one()?;
                self.start_again()
            }
            Fault::CertificateEnds => self.new_certificate(1),
            Fault::GatewayKilled => self.gateway_of_store()?.process.kill_group(),
            Fault::GatewayWithoutDatabase => {
                self.visitor = Some(self.log_in()?);
                self.at(Central, &["alter role tpv_gateway_user connection limit 0", END_SESSIONS])
            }
            Fault::PasswordsGuessed => Ok(()),
        }
    }

    pub fn mend(&mut self, fault: &Fault) -> Result<()> {
        match fault {
            Fault::At(node, _, mend) => self.at(*node, mend),
            Fault::HeldReceipt => self.at(Store, &["select sales.release(receipt_id, 'a test') from sales.held"]),
            Fault::RefusedFile | Fault::LateWithdrawal | Fault::PasswordsGuessed => Ok(()),
            Fault::UnfinishedFile => {
                self.unfinished = None;
                fs::remove_file(self.rig.spool.inbox("T01").join("slow.json")).or(Ok(()))
            }
            Fault::WatcherKilled => {
                self.rig.start_watcher(&[])?;
                self.name_watcher()
            }
            Fault::ClockAhead => {
                self.restart(false)?;
                // Its stamps are ahead until somebody takes them back.
                self.at(Store, &["select tpv.hlc_step_back()"])
            }
            Fault::DatabaseDown => {
                self.rig.cluster.start()?;
                self.wait_for_heartbeats()
            }
            Fault::SlowDisk | Fault::FsyncFails => {
                self.tracer = None;
                Ok(())
            }
            Fault::FsyncAlwaysFails => {
                self.rig.watcher = None;
                // They have waited for so long that they would be slow, which is another alarm.
                for file in self.rig.spool.files("in") {
                    fs::remove_file(file)?;
                }
                self.mend(&Fault::WatcherKilled)
            }
            Fault::CertificateEnds => self.new_certificate(A_YEAR),
            Fault::GatewayKilled => self.restart_gateway(),
            Fault::GatewayWithoutDatabase => self.at(Central, &["alter role tpv_gateway_user connection limit -1"]),
        }
    }

    /// What shows only while there is something to do: receipts, requests, logins. None of it is waited
    /// for, and what fails is the fault.
    pub fn keep_up(&mut self, fault: &Fault) {
        let pause = match fault {
            Fault::SlowDisk => LONGER,
            Fault::FsyncAlwaysFails => RESTART,
            _ => PAUSE,
        };
        if self.kept_up.elapsed() < pause {
            return;
        }
        self.kept_up = Instant::now();
        let done = match fault {
            Fault::SlowDisk | Fault::FsyncFails => self.drop_one(),
            Fault::FsyncAlwaysFails => self.drop_one().and_then(|()| self.start_again()),
            Fault::GatewayWithoutDatabase => self.visit(),
            Fault::PasswordsGuessed => self.guess(),
            _ => Ok(()),
        };
        drop(done);
    }

    fn drop_one(&mut self) -> Result<()> {
        self.dropped += 1;
        let receipt = self.receipts.good(&terminal(self.dropped));
        self.rig.spool.drop_file(&receipt).map(drop)
    }

    /// As systemd does with a watcher that ended.
    fn start_again(&mut self) -> Result<()> {
        if self.rig.watcher()?.ended().is_none() {
            return Ok(());
        }
        let options = self.rig.watcher_options(&[]);
        self.rig.watcher = None;
        let mut watcher = Tracer::put_before(&self.rig.lab, options, "fsync:error=EIO")?;
        until_true("the watcher listens, or has ended", PATIENCE, || {
            watcher.listen().is_some() || watcher.ended().is_some()
        })?;
        let address = watcher.listen();
        self.rig.watcher = Some(watcher);
        // One that has ended is looked for where the one before was.
        address.map_or(Ok(()), |address| self.prometheus.name("tpv_watcher", &[address]))
    }

    fn inject(&mut self, injection: &str) -> Result<()> {
        let watcher = self.rig.watcher()?.process;
        self.tracer = Some(Tracer::attach(watcher, injection)?);
        Ok(())
    }

    fn visit(&self) -> Result<()> {
        self.visitor.as_ref().context("nobody logged in")?.get("/v1/me").map(drop)
    }

    fn guess(&self) -> Result<()> {
        let gateway = self.doors.of(CENTRAL)?;
        gateway.client().post("/v1/auth/login", &json!({ "code": "manager", "password": "1234" })).map(drop)
    }

    fn log_in(&self) -> Result<Client> {
        self.doors.staff.of(CENTRAL, "manager")?.log_in(self.doors.of(CENTRAL)?.address)
    }

    fn gateway_of_store(&mut self) -> Result<&mut Gateway> {
        let found = self.doors.gateways.iter_mut().find(|(node, _)| *node == STORES[0]);
        Ok(&mut found.context("the store has no gateway")?.1)
    }

    /// After a crash a peer connects again some seconds later. Its silence would be told while the next
    /// fault is there.
    fn wait_for_heartbeats(&self) -> Result<()> {
        let fresh = "select bool_and(is_running = 1 and silent_seconds < 7 and received_age_seconds < 10) \
                       from sync.peer_gauges() where direction = 'receives'";
        until_true("the peers hear each other", PATIENCE, || {
            [&self.central, &self.rig.cluster].into_iter().all(|node| {
                let row = node.connect().and_then(|mut dba| Ok(dba.query_one(fresh, &[])?));
                row.is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
            })
        })
    }

    /// The store's gateway speaks TLS from now on, for the faults of its certificate.
    pub fn encrypt_store(&mut self) -> Result<()> {
        fs::create_dir_all(self.rig.cluster.folder.join(TLS))?;
        self.new_certificate(A_YEAR)?;
        self.gateway_of_store()?.stop()?;
        self.restart_gateway()
    }

    /// As somebody renews it: nobody starts the gateway again.
    fn new_certificate(&self, days: u64) -> Result<()> {
        let end = SystemTime::now() + Duration::from_secs(days * 24 * 3600);
        Authority::new("the shop")?.bring(&self.rig.cluster.folder.join(TLS), "127.0.0.1", Some(end))
    }

    /// The store's, at the address that it had, with its certificate.
    fn restart_gateway(&mut self) -> Result<()> {
        let central = format!("http://{}", self.doors.of(CENTRAL)?.address);
        let address = self.gateway_of_store()?.address.to_string();
        let issuer = format!("http://{address}");
        let file = |name: &str| self.rig.cluster.folder.join(TLS).join(name).display().to_string();
        let (certificate, key) = (file("server.pem"), file("server.key"));
        let tls = ["--central-issuer", &central, "--tls-certificate", &certificate, "--tls-key", &key];
        let options = GatewayOptions::beside(&self.rig.cluster, &address, &issuer, &tls);
        *self.gateway_of_store()? = Gateway::start_with(&self.rig.lab, &options)?;
        self.name_gateways()
    }

    /// The store's server, with its clock ten minutes ahead or right.
    fn restart(&mut self, ahead: bool) -> Result<()> {
        self.rig.cluster.stop()?;
        let library = fs::read_dir("/usr/lib")?
            .flatten()
            .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
            .find(|library| library.is_file())
            .context("libfaketime is missing")?;
        let environment = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME", "+600".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        self.rig.cluster.set_environment(if ahead { environment.into() } else { Vec::new() });
        self.rig.cluster.start()
    }
}
