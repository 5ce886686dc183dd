//! What the gateway says about itself, on a loopback address of its own: /livez, /readyz, /metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Map, Value, json};
use warp::Filter;
use warp::http::{HeaderValue, Response, StatusCode, header};

use crate::app::App;

/// Begins to answer, and returns the address.
pub async fn serve(app: Arc<App>) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(app.config.admin_listen)
        .await
        .with_context(|| format!("--admin-listen {} cannot be bound", app.config.admin_listen))?;
    let address = listener.local_addr()?;
    let routes = warp::path::full().then(move |path: warp::path::FullPath| {
        let app = Arc::clone(&app);
        async move { answer(&app, path.as_str()).await }
    });
    tokio::spawn(warp::serve(warp::get().and(routes)).incoming(listener).run());
    Ok(address)
}

async fn answer(app: &App, path: &str) -> Response<Vec<u8>> {
    let (status, kind, body) = match path {
        "/livez" => (StatusCode::OK, "application/json", br#"{"live":true}"#.to_vec()),
        "/readyz" => {
            let wrong = what_is_wrong(app).await;
            let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = json!({ "ready": wrong.is_empty(), "wrong": wrong });
            (status, "application/json", body.to_string().into_bytes())
        }
        "/metrics" => (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(app)),
        _ => (StatusCode::NOT_FOUND, "application/json", br#"{"try":["/livez","/readyz","/metrics"]}"#.to_vec()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn what_is_wrong(app: &App) -> Map<String, Value> {
    let mut wrong = Map::new();
    if app.database.probe().await.is_err() {
        wrong.insert("database".to_owned(), json!("does not answer one of the gateway's logins"));
    }
    if app.node().is_none() {
        wrong.insert("node".to_owned(), json!("the database has not said yet which node this is"));
    }
    if app.keys.published().is_empty() {
        wrong.insert("keys".to_owned(), json!("no key signs; tpv-gateway key init makes one"));
    }
    wrong
}

fn metrics(app: &App) -> Vec<u8> {
    for (login, status) in app.database.pools() {
        let set = |state: &str, number: usize| {
            app.metrics.pool.with_label_values(&[login, state]).set(i64::try_from(number).unwrap_or(i64::MAX));
        };
        set("open", status.size);
        set("free", status.available);
        set("waiting", status.waiting);
    }
    app.metrics.text()
}
