//! A throw-away PostgreSQL server: a copy of the template, reached over a socket only.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use postgres::{Client, NoTls};

use super::pgtree::PgTree;
use super::watchdog::Watched;
use crate::machine::{Lab, Process, guard, log_tail, open_folder};
use crate::wait::{until, until_true};

/// Starting, stopping and recovering take a second or two; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings that every server of ours runs with; PostgreSQL's own defaults for durability
/// stand.
pub const SETTINGS: &str = "
listen_addresses = ''
unix_socket_permissions = 0777  # the folder around it is closed
shared_preload_libraries = 'pg_cron,pg_tpv'
cron.database_name = 'tpv'
cron.use_background_workers = on
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_logical_replication_workers = 20
max_worker_processes = 40
wal_retrieve_retry_interval = '500ms'
max_connections = 60
shared_buffers = 64MB
min_wal_size = 32MB
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
log_line_prefix = '%m [%p] %u@%d '
";

/// One server and its data.
#[derive(Debug)]
pub struct Cluster {
    /// A name that is unique in the lab.
    pub node: String,
    /// Its data and its log lie here.
    pub folder: PathBuf,
    sockets: PathBuf,
    /// In name only, until it also serves TLS.
    port: u16,
    lab: Lab,
    tree: PgTree,
    running: Option<(Process, Option<Child>)>,
    throw_away: bool,
    environment: Vec<(&'static str, String)>,
    /// Set for the server of a test.
    watched: Option<Watched>,
}

impl Cluster {
    /// The place for a server; nothing is made or started yet.
    pub(crate) fn at(lab: &Lab, tree: &PgTree, node: &str) -> Result<Self> {
        let folder = lab.folder("clusters")?.join(node);
        let sockets = lab.sockets.join(node);
        let (node, lab, tree) = (node.to_owned(), lab.clone(), tree.clone());
        Ok(Self {
            node,
            folder,
            sockets,
            port: 5432,
            lab,
            tree,
            running: None,
            throw_away: false,
            environment: Vec::new(),
            watched: None,
        })
    }

    /// Makes it stop, and its data go, with the value.
    pub(super) fn thrown_away(mut self) -> Self {
        self.throw_away = true;
        self
    }

    /// Lets the watchdog look after it while it lives.
    pub(super) fn watched(mut self) -> Self {
        self.watched = Watched::server(self.dba_url());
        self
    }

    /// The server, while it runs.
    pub fn process(&self) -> Option<Process> {
        self.running.as_ref().map(|(process, _)| *process)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it logged.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// How a client reaches it.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@/{database}?host={}&port={}", self.sockets.display(), self.port)
    }

    /// Where database `tpv` is, for a program that has logins of its own.
    pub fn address(&self) -> String {
        format!("postgresql:///tpv?host={}&port={}", self.sockets.display(), self.port)
    }

    /// How the DBA reaches database `tpv`.
    pub fn dba_url(&self) -> String {
        self.url("postgres", "tpv")
    }

    /// The folder that its socket is in.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.sockets.join(format!(".s.PGSQL.{}", self.port))
    }

    /// A connection of the DBA to database `tpv`.
    pub fn connect(&self) -> Result<Client> {
        self.connect_as("postgres", "tpv")
    }

    /// A connection of any role to any database.
    pub fn connect_as(&self, role: &str, database: &str) -> Result<Client> {
        Client::connect(&self.url(role, database), NoTls).with_context(|| format!("connecting to {}", self.node))
    }

    /// Starts the server and waits until it answers.
    pub fn start(&mut self) -> Result<()> {
        open_folder(&self.folder)?;
        self.lab.private_folder(&self.sockets)?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.lab.owner.command(self.tree.bin.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.sockets).current_dir(self.data());
        command.env_remove("PGDATA").env_remove("PGPORT").env("LC_ALL", "C.UTF-8").env("PGTZ", "UTC");
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut child = command.spawn().context("starting postgres")?;
        let process = Process::of_child(&child)?;
        if self.throw_away {
            guard::server(process);
        }
        // While it recovers, `tpv` may refuse; a server that ended will never answer.
        let answer = until(&format!("server {} answers", self.node), PATIENCE, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(Err(status));
            }
            self.connect_as("postgres", "postgres").ok().map(Ok)
        })?;
        if let Err(status) = answer {
            bail!("server {} ended with {status}:\n{}", self.node, log_tail(&self.log()));
        }
        self.running = Some((process, Some(child)));
        Ok(())
    }

    /// The programs and files that it has from the next start on.
    pub fn set_files(&mut self, tree: PgTree) {
        self.tree = tree;
    }

    /// What its processes find in their environment from the next start on.
    pub fn set_environment(&mut self, environment: Vec<(&'static str, String)>) {
        self.environment = environment;
    }

    /// Starts it again so that it also takes connections on a port of 127.0.0.1, and there with TLS
    /// only.
    pub fn serve_tls(&mut self, certificate: &str, key: &str) -> Result<u16> {
        self.stop()?;
        for (name, content) in [
            ("server.crt", certificate),
            ("server.key", key),
            ("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n"),
        ] {
            let file = self.data().join(name);
            fs::write(&file, content)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            self.lab.owner.give(&file)?;
        }
        let conf = self.data().join("postgresql.conf");
        let before = fs::read_to_string(&conf)?;
        let mut tries = 0..5;
        loop {
            // The port was free a moment ago. If somebody else has taken it since, the next try
            // takes another.
            self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let more = format!("listen_addresses = '127.0.0.1'\nport = {}\nssl = on\n", self.port);
            fs::write(&conf, format!("{before}{more}"))?;
            match self.start() {
                Ok(()) => return Ok(self.port),
                Err(error) if tries.next().is_none() => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// An orderly stop that ends sessions.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::SIGINT)
    }

    /// A stop without a checkpoint: the next start recovers.
    pub fn stop_immediate(&mut self) -> Result<()> {
        self.end(Signal::SIGQUIT)
    }

    /// `kill -9` for the server and every one of its processes.
    pub fn kill(&mut self) -> Result<()> {
        if let Some((process, child)) = self.running.take() {
            // It stands still first: one that it started after we looked would live on, and wait
            // for a lock of the dead.
            process.signal(Signal::SIGSTOP);
            let children = process.children();
            process.signal(Signal::SIGKILL);
            children.iter().for_each(|child| child.signal(Signal::SIGKILL));
            reap(child);
            for process in children {
                process.wait_gone(PATIENCE)?;
            }
        }
        Ok(())
    }

    /// Freezes every process of the server: connections stay open and nobody answers.
    pub fn freeze(&self) {
        if let Some((process, _)) = &self.running {
            process.signal(Signal::SIGSTOP);
            process.children().iter().for_each(|child| child.signal(Signal::SIGSTOP));
        }
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        if let Some((process, _)) = &self.running {
            process.children().iter().for_each(|child| child.signal(Signal::SIGCONT));
            process.signal(Signal::SIGCONT);
        }
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        if let Some((process, child)) = self.running.take() {
            let children = process.children();
            process.signal(signal);
            let patient = match child {
                Some(mut child) => {
                    let patient = until_true("server stops", PATIENCE, || !matches!(child.try_wait(), Ok(None)));
                    if patient.is_err() {
                        process.signal(Signal::SIGKILL);
                        // Until somebody has looked its id is taken, and the next start refuses.
                        let _ = child.wait();
                    }
                    patient
                }
                None => process.wait_gone(PATIENCE),
            };
            if patient.is_err() {
                process.signal(Signal::SIGKILL);
                children.iter().for_each(|child| child.signal(Signal::SIGKILL));
            }
        }
        Ok(())
    }

    pub(super) fn remove(&self) -> Result<()> {
        for folder in [&self.folder, &self.sockets] {
            if folder.is_dir() {
                fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
            }
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.throw_away {
            self.thaw();
            let _ = self.stop_immediate();
            // Whoever looks into a failure wants the log.
            if std::env::var_os("TPV_KEEP").is_none() {
                let _ = self.remove();
            }
        }
    }
}

fn reap(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.wait();
    }
}
