//! Binding, and accepting until it is time to stop.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::connection::Serving;
use super::crowd::Crowd;
use crate::app::App;
use crate::config::Listen;

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    pub async fn bind(listen: &Listen) -> anyhow::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await;
                Ok(Self::Tcp(listener.with_context(|| format!("--listen {address} cannot be bound"))?))
            }
            Listen::Unix(path) => {
                remove_dead_socket(path);
                let listener = UnixListener::bind(path);
                let listener = listener.with_context(|| format!("--listen unix:{} cannot be bound", path.display()))?;
                Ok(Self::Unix(listener, path.clone()))
            }
        }
    }

    /// Where it answers, as `--listen` would have it.
    pub fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|address: SocketAddr| address.to_string()),
            Self::Unix(_, path) => Ok(format!("unix:{}", path.display())),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // An answer is one write, and nothing will follow it.
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Some(address.ip().to_canonical())))
            }
            Self::Unix(listener, _) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Serves until it is told to stop, and then until all that is being answered is answered, or the
/// time for that is over.
pub async fn serve(app: Arc<App>, serving: Arc<Serving>, listener: Listener) {
    let crowd = Crowd::new(serving.clients.most, serving.clients.most_per_address);
    let mut stop = serving.stop.clone();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No file handle is left, or the client is gone already.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        // Behind a proxy all come from one address; its own limit stands for each of them.
        let counted = address.filter(|_| !app.config.behind_proxy);
        let Some(place) = crowd.enter(counted) else {
            app.metrics.refused_clients.inc();
            continue;
        };
        app.metrics.clients.set(i64::try_from(crowd.count()).unwrap_or(i64::MAX));
        let (serving, app, crowd) = (Arc::clone(&serving), Arc::clone(&app), Arc::clone(&crowd));
        connections.spawn(async move {
            match stream {
                Stream::Tcp(stream) => one(serving, stream, address).await,
                Stream::Unix(stream) => one(serving, stream, address).await,
            }
            drop(place);
            app.metrics.clients.set(i64::try_from(crowd.count()).unwrap_or(i64::MAX));
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(app.config.drain, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!(left = connections.len(), "requests are still in flight; their connections are cut");
    }
    connections.shutdown().await;
}

async fn one<S>(serving: Arc<Serving>, stream: S, address: Option<IpAddr>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // On the heap: a connection's future is large, and most of them are idle.
    Box::pin(serving.serve(stream, address)).await;
}

/// A socket that nobody listens at is what a killed gateway left behind.
fn remove_dead_socket(path: &Path) {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}
