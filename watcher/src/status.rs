//! What the watcher says about itself over HTTP: /livez, /readyz, /metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use serde_json::{Value, json};
use warp::Filter;
use warp::http::{Response, StatusCode};

use crate::watcher::Watcher;

/// Starts to answer and returns the address.
pub async fn serve(w: Arc<Watcher>) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(w.config.listen)
        .await
        .with_context(|| format!("--listen {} can not be bound", w.config.listen))?;
    let address = listener.local_addr()?;
    let routes = warp::path::full().map(move |path: warp::path::FullPath| answer(&w, path.as_str()));
    tokio::spawn(warp::serve(warp::get().and(routes)).incoming(listener).run());
    Ok(address)
}

fn answer(w: &Watcher, path: &str) -> Response<Vec<u8>> {
    let (status, kind, body) = match path {
        "/livez" => (StatusCode::OK, "application/json", br#"{"live":true}"#.to_vec()),
        "/readyz" => {
            let wrong = what_is_wrong(w);
            let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = json!({ "ready": wrong.is_empty(), "wrong": wrong });
            (status, "application/json", body.to_string().into_bytes())
        }
        "/metrics" => (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", w.metrics.text()),
        _ => (StatusCode::NOT_FOUND, "application/json", br#"{"try":["/livez","/readyz","/metrics"]}"#.to_vec()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", warp::http::HeaderValue::from_static(kind));
    response
}

fn what_is_wrong(w: &Watcher) -> serde_json::Map<String, Value> {
    let mut wrong = serde_json::Map::new();
    if w.db.gate.is_open() {
        wrong.insert("database".to_owned(), json!("does not answer"));
    }
    if w.disk.is_open() {
        wrong.insert("disk".to_owned(), json!("stage, out, archive or quarantine can not be written"));
    }
    let mut down: Vec<String> =
        w.terminals.lock().values().filter(|it| it.is_down()).map(|terminal| terminal.code.clone()).collect();
    if !w.inbox_root_up.load(Ordering::Relaxed) {
        down.push("in/ itself".to_owned());
    }
    if !down.is_empty() {
        wrong.insert("inboxes".to_owned(), json!(down));
    }
    wrong
}
