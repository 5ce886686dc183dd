//! What the watcher says about itself over HTTP: /livez, /readyz, /metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use warp::Filter;
use warp::http::{Response, StatusCode};

use crate::shared::Shared;
use crate::terminals::map::Terminals;

/// Begins to answer, and returns the address.
pub async fn serve(shared: Arc<Shared>, terminals: Arc<Terminals>) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(shared.config.listen)
        .await
        .with_context(|| format!("--listen {} cannot be bound", shared.config.listen))?;
    let address = listener.local_addr()?;
    let routes = warp::path::full().map(move |path: warp::path::FullPath| answer(&shared, &terminals, path.as_str()));
    tokio::spawn(warp::serve(warp::get().and(routes)).incoming(listener).run());
    Ok(address)
}

fn answer(shared: &Shared, terminals: &Terminals, path: &str) -> Response<Vec<u8>> {
    let (status, kind, body) = match path {
        "/livez" => (StatusCode::OK, "application/json", br#"{"live":true}"#.to_vec()),
        "/readyz" => {
            let wrong = what_is_wrong(shared, terminals);
            let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = json!({ "ready": wrong.is_empty(), "wrong": wrong });
            (status, "application/json", body.to_string().into_bytes())
        }
        "/metrics" => (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", shared.metrics.text()),
        _ => (StatusCode::NOT_FOUND, "application/json", br#"{"try":["/livez","/readyz","/metrics"]}"#.to_vec()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", warp::http::HeaderValue::from_static(kind));
    response
}

fn what_is_wrong(shared: &Shared, terminals: &Terminals) -> serde_json::Map<String, Value> {
    let mut wrong = serde_json::Map::new();
    if shared.database.gate.is_out_of_service() {
        wrong.insert("database".to_owned(), json!("does not answer"));
    }
    if shared.disk.is_out_of_service() {
        wrong.insert("disk".to_owned(), json!("stage, out, archive or quarantine cannot be written"));
    }
    let down = terminals.down();
    if !down.is_empty() {
        wrong.insert("inboxes".to_owned(), json!(down));
    }
    wrong
}
