//! One connection, from handshake to end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::Instrument;
use uuid::Uuid;

use super::filter::{self, filter};
use super::patience::{Busy, Patient};
use crate::config::Clients;
use crate::dispatch::Dispatcher;
use crate::http::source::{Arrival, Peer};

/// A handshake is a few packets.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// More than we allow, so that a head beyond our own limit is answered by us, with a problem.
const BUFFER_BYTES: usize = 64 * 1024;

/// hyper refuses more without a word, and from its default of 100 on.
const MOST_HEADERS: usize = 256;

/// What all connections share.
pub struct Serving {
    pub dispatcher: Arc<Dispatcher>,
    pub clients: Clients,
    pub tls: Option<TlsAcceptor>,
    pub stop: watch::Receiver<bool>,
}

impl Serving {
    pub async fn serve<S>(self: Arc<Self>, stream: S, address: Option<IpAddr>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match &self.tls {
            None => self.serve_http(stream, Peer { address, tls: false }).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.serve_http(stream, Peer { address, tls: true }).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn serve_http<S>(&self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let busy = Busy::default();
        let patient = Patient::new(stream, busy.clone(), self.clients.header_timeout, self.clients.idle_timeout);
        let inner = TowerToHyperService::new(warp::service(filter(Arc::clone(&self.dispatcher))));
        let dispatcher = Arc::clone(&self.dispatcher);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            busy.step();
            let arrival = arrive(&mut request, peer);
            let method = request.method().clone();
            // Whatever is logged meanwhile has the id of the request.
            let span = tracing::error_span!("request", id = %arrival.id);
            let (inner, dispatcher, busy) = (inner.clone(), Arc::clone(&dispatcher), busy.clone());
            async move {
                let work = AssertUnwindSafe(async { inner.call(request).await }).catch_unwind().instrument(span);
                let answer: Result<_, Infallible> =
                    work.await.unwrap_or_else(|_| Ok(filter::response(dispatcher.broken(arrival.id, &method))));
                busy.step();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.clients.idle_timeout)
            .max_buf_size(BUFFER_BYTES)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(patient), service);
        let mut connection = std::pin::pin!(connection);
        let mut stop = self.stop.clone();
        let told = async { stop.wait_for(|stop| *stop).await.is_ok() };
        let ended = tokio::select! {
            result = connection.as_mut() => Some(result),
            _ = told => None,
        };
        let result = match ended {
            Some(result) => result,
            None => {
                // What is being answered is answered; then it closes.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Notes what the request says of itself. warp wants a path; the dispatcher refuses what has none.
fn arrive(request: &mut hyper::Request<Incoming>, peer: Peer) -> Arrival {
    let has_path = request.uri().path_and_query().is_some();
    if !has_path {
        *request.uri_mut() = hyper::Uri::from_static("/");
    }
    let needs_host = request.version() >= hyper::Version::HTTP_11;
    let arrival = Arrival { id: Uuid::now_v7(), peer, needs_host, has_path };
    request.extensions_mut().insert(arrival);
    arrival
}
