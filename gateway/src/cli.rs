//! The words of the command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Parser, Subcommand, ValueEnum};

/// The door of a node: people log in over HTTP, see what is theirs, and decide.
#[derive(Debug, Parser)]
#[command(name = "tpv-gateway", version, max_term_width = 120, args_conflicts_with_subcommands = false)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub task: Option<Task>,
}

#[derive(Debug, Subcommand)]
pub enum Task {
    /// Serve; this is what happens without a command
    Serve,
    /// The first person who may make others
    Admin {
        #[command(subcommand)]
        task: AdminTask,
    },
    /// The keys beside this gateway
    Key {
        #[command(subcommand)]
        task: KeyTask,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminTask {
    /// Make an admin at central; the password is asked for, or is the first line of standard input
    Add {
        /// The login name: lower-case letters, digits, . _ -
        code: String,
        /// The name for people
        #[arg(long)]
        name: String,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeyTask {
    /// Make what is missing in the keys folder; what is there stays
    Init,
    /// Make a new signing key, which takes over after a minute; the old one verifies for an hour
    Rotate,
    /// The signing keys, newest first, and which of them signs
    List,
    /// The public key that central seals passwords to; an admin registers it there
    Show,
}

#[derive(Debug, clap::Args)]
pub struct Settings {
    /// Where it answers: 127.0.0.1:9620, [::1]:9620 or unix:/run/tpv/gateway.sock. An address that
    /// others can reach needs a certificate. Port 0 takes a free one, found in --address-file
    #[arg(long, env = "TPV_GATEWAY_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9620")]
    pub listen: String,
    /// Where /livez, /readyz and /metrics answer; a loopback address
    #[arg(long, env = "TPV_GATEWAY_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9621")]
    pub admin_listen: std::net::SocketAddr,
    /// The two addresses and the process id are written here as JSON once it serves
    #[arg(long, env = "TPV_GATEWAY_ADDRESS_FILE", value_name = "FILE")]
    pub address_file: Option<PathBuf>,
    /// The certificate and its chain, PEM; with it the gateway speaks TLS only
    #[arg(long, env = "TPV_GATEWAY_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, env = "TPV_GATEWAY_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// A proxy stands before it: the client is the last address of X-Forwarded-For, and
    /// X-Forwarded-Proto says whether the client used TLS
    #[arg(long, env = "TPV_GATEWAY_BEHIND_PROXY", value_parser = BoolishValueParser::new())]
    pub behind_proxy: bool,
    /// Where the database is, without a user: postgresql:///tpv?host=/run/postgresql. The gateway
    /// logs in as tpv_gateway_user and tpv_gateway_auth
    #[arg(long, env = "TPV_GATEWAY_DATABASE_URL", value_name = "URL", global = true)]
    pub database_url: Option<String>,
    /// Certificates to trust for the database, PEM; the system's when not given
    #[arg(long, env = "TPV_GATEWAY_DATABASE_CA_FILE", value_name = "FILE", global = true)]
    pub database_ca_file: Option<PathBuf>,
    /// A file with the password of tpv_gateway_user
    #[arg(long, env = "TPV_GATEWAY_USER_PASSWORD_FILE", value_name = "FILE")]
    pub user_password_file: Option<PathBuf>,
    /// A file with the password of tpv_gateway_auth
    #[arg(long, env = "TPV_GATEWAY_AUTH_PASSWORD_FILE", value_name = "FILE", global = true)]
    pub auth_password_file: Option<PathBuf>,
    /// Connections for what people ask
    #[arg(long, env = "TPV_GATEWAY_CONNECTIONS", default_value_t = 16)]
    pub connections: usize,
    /// Connections for logins and refreshes
    #[arg(long, env = "TPV_GATEWAY_AUTH_CONNECTIONS", default_value_t = 4)]
    pub auth_connections: usize,
    /// A request waits this long for a connection, and as long for its answer; then 503
    #[arg(long, env = "TPV_GATEWAY_DB_TIMEOUT_MS", default_value_t = 5_000)]
    pub db_timeout_ms: u64,
    /// The folder of the private keys, which tpv-gateway key init makes
    #[arg(long, env = "TPV_GATEWAY_KEYS", value_name = "DIR", global = true)]
    pub keys: Option<PathBuf>,
    /// What this node is called in tokens, different for each node: its address is a good name
    #[arg(long, env = "TPV_GATEWAY_ISSUER", value_name = "NAME")]
    pub issuer: Option<String>,
    /// At a store: what central is called in its tokens, which are accepted here then
    #[arg(long, env = "TPV_GATEWAY_CENTRAL_ISSUER", value_name = "NAME")]
    pub central_issuer: Option<String>,
    /// Connections of clients at one time
    #[arg(long, env = "TPV_GATEWAY_MAX_CLIENTS", default_value_t = 2_000)]
    pub max_clients: usize,
    /// Connections at one time from one address
    #[arg(long, env = "TPV_GATEWAY_MAX_CLIENTS_PER_ADDRESS", default_value_t = 500)]
    pub max_clients_per_address: usize,
    /// The head of a request must be complete this long after its first byte
    #[arg(long, env = "TPV_GATEWAY_HEADER_TIMEOUT_MS", default_value_t = 10_000)]
    pub header_timeout_ms: u64,
    /// The body must be complete this long after the head
    #[arg(long, env = "TPV_GATEWAY_BODY_TIMEOUT_MS", default_value_t = 10_000)]
    pub body_timeout_ms: u64,
    /// A connection that asks nothing for this long is closed
    #[arg(long, env = "TPV_GATEWAY_IDLE_TIMEOUT_MS", default_value_t = 60_000)]
    pub idle_timeout_ms: u64,
    /// Requests a second that one person may go on with; three times as many at once. 0: no limit
    #[arg(long, env = "TPV_GATEWAY_PERSON_RATE", default_value_t = 100)]
    pub person_rate: u32,
    /// The same for one address
    #[arg(long, env = "TPV_GATEWAY_SOURCE_RATE", default_value_t = 500)]
    pub source_rate: u32,
    /// Requests in flight may take this long to end when the process is told to
    #[arg(long, env = "TPV_GATEWAY_DRAIN_MS", default_value_t = 10_000)]
    pub drain_ms: u64,
    /// An origin whose pages may call, e.g. https://till.example; none by default
    #[arg(long = "cors-origin", env = "TPV_GATEWAY_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// How log lines look
    #[arg(long, env = "TPV_GATEWAY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,
    /// The least important line to log
    #[arg(long, env = "TPV_GATEWAY_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
    /// Check the settings, print them without secrets, and exit: 0 when they are right, 2 when not
    #[arg(long)]
    pub check_config: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}
