//! The real gateway as a process, on free ports of 127.0.0.1 that the kernel chose.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::client::Client;
use crate::cluster::Cluster;
use crate::machine::{Lab, Process, guard, log_tail, run};
use crate::store::http;
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a gateway.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// For its keys, its log and the file with its addresses.
    pub folder: PathBuf,
    /// The database, without a login.
    pub database_url: String,
    /// Where it is to answer; port 0 for a free one.
    pub listen: String,
    /// What the node is called in tokens.
    pub issuer: String,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl GatewayOptions {
    /// The gateway beside a server.
    pub fn beside(cluster: &Cluster, listen: &str, issuer: &str, arguments: &[&str]) -> Self {
        Self {
            folder: cluster.folder.join("gateway"),
            database_url: cluster.address(),
            listen: listen.to_owned(),
            issuer: issuer.to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        }
    }

    /// `tpv-gateway key init`, then `key show`: the public key that passwords are sealed to.
    pub fn make_keys(&self, lab: &Lab) -> Result<String> {
        fs::create_dir_all(&self.folder)?;
        let key = |task: &str| -> Result<Command> {
            let mut command = Command::new(lab.program("tpv-gateway")?);
            command.args(["key", task, "--keys"]).arg(self.keys()).stdin(Stdio::null());
            Ok(command)
        };
        run(&mut key("init")?)?;
        let shown = key("show")?.output()?;
        Ok(String::from_utf8(shown.stdout)?.trim().to_owned())
    }

    fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("gateway.log")
    }

    fn addresses(&self) -> PathBuf {
        self.folder.join("addresses.json")
    }
}

/// A running gateway; killed when the value goes away.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    /// The process.
    pub process: Process,
    /// Its keys, its log and the file with its addresses.
    pub folder: PathBuf,
    /// Where it answers people.
    pub address: SocketAddr,
    /// Where it says how it is.
    pub admin: SocketAddr,
    throw_away: bool,
}

impl Gateway {
    /// Starts the gateway of a node under a name for its tokens, and waits until it is ready.
    pub fn start(lab: &Lab, cluster: &Cluster, issuer: &str, arguments: &[&str]) -> Result<Self> {
        let arguments = [&["--log-level", "debug"], arguments].concat();
        let options = GatewayOptions::beside(cluster, "127.0.0.1:0", issuer, &arguments);
        options.make_keys(lab)?;
        Self::start_with(lab, &options)
    }

    /// The same with all options. It has its keys.
    pub fn start_with(lab: &Lab, options: &GatewayOptions) -> Result<Self> {
        let child = Self::spawn(lab, options)?;
        let process = Process::of_child(&child)?;
        guard::group(process);
        Self::ready(options, child, process)
    }

    /// Starts one that is to outlive this program.
    pub fn start_detached(lab: &Lab, options: &GatewayOptions) -> Result<Process> {
        let child = Self::spawn(lab, options)?;
        let process = Process::of_child(&child)?;
        let mut gateway = Self::ready(options, child, process)?;
        gateway.throw_away = false;
        Ok(process)
    }

    fn spawn(lab: &Lab, options: &GatewayOptions) -> Result<Child> {
        let _ = fs::remove_file(options.addresses());
        let log = File::options().create(true).append(true).open(options.log())?;
        let mut command = Command::new(lab.program("tpv-gateway")?);
        command.args(["--listen", &options.listen, "--admin-listen", "127.0.0.1:0", "--issuer", &options.issuer]);
        command.arg("--address-file").arg(options.addresses()).arg("--keys").arg(options.keys());
        command.args(["--database-url", &options.database_url]).args(&options.arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        command.spawn().context("starting tpv-gateway")
    }

    fn ready(options: &GatewayOptions, mut child: Child, process: Process) -> Result<Self> {
        let ready = until("the gateway is ready", PATIENCE, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(status));
            }
            let (address, admin) = read(&options.addresses())?;
            let (status, _) = http::get(admin, "/readyz").ok()?;
            (status == 200).then_some(Ok((address, admin)))
        });
        match ready {
            Ok(Ok((address, admin))) => {
                Ok(Self { child, process, folder: options.folder.clone(), address, admin, throw_away: true })
            }
            Ok(Err(status)) => bail!("the gateway ended with {status}:\n{}", log_tail(&options.log())),
            Err(late) => {
                let _ = process.kill_group();
                let _ = child.wait();
                bail!("{late}:\n{}", log_tail(&options.log()))
            }
        }
    }

    /// `tpv-gateway key show`: what passwords are sealed to for this node.
    pub fn public_key(&self, lab: &Lab) -> Result<String> {
        let mut command = Command::new(lab.program("tpv-gateway")?);
        let output = command.args(["key", "show", "--keys"]).arg(self.folder.join("keys")).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Somebody who has not logged in.
    pub fn client(&self) -> Client {
        Client::anonymous(self.address)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("gateway.log")).unwrap_or_default()
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.process.signal(Signal::SIGTERM);
        until("the gateway ends", PATIENCE, || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !self.throw_away {
            return;
        }
        let _ = self.process.kill_group();
        let _ = self.child.wait();
    }
}

fn read(addresses: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let text = fs::read_to_string(addresses).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some((value.get("listen")?.as_str()?.parse().ok()?, value.get("admin")?.as_str()?.parse().ok()?))
}
