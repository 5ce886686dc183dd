//! The one warp filter. It matches everything and never rejects: method, path, query, head and body
//! go to the dispatcher as they are, and so every answer is ours.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use warp::http::{HeaderMap, Method, Response};
use warp::path::FullPath;
use warp::{Buf, Filter, Rejection, Reply};

use crate::dispatch::Dispatcher;
use crate::http::answer::Answer;
use crate::http::request::Request;
use crate::http::source::{Arrival, Source};

pub fn filter(
    dispatcher: Arc<Dispatcher>,
) -> impl Filter<Extract = (Response<Bytes>,), Error = Rejection> + Clone + Send + Sync + 'static {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Arrival>())
        .and(warp::body::stream())
        .then(move |method, path, query, headers, arrival, body| {
            answer(Arc::clone(&dispatcher), method, path, query, headers, arrival, body)
        })
}

async fn answer(
    dispatcher: Arc<Dispatcher>,
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    arrival: Arrival,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static,
) -> Response<Bytes> {
    let source = Source::of(arrival.peer, &headers, dispatcher.app.config.behind_proxy);
    let path = path.as_str().to_owned();
    let Arrival { id, needs_host, has_path, .. } = arrival;
    let request = Request { id, method, path, query, headers, source, needs_host, has_path };
    let body = body.map(|chunk| chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining())).map_err(drop));
    whole(dispatcher.answer(request, Box::pin(body)).await)
}

/// An answer as warp would have it.
pub fn response(answer: Answer) -> warp::reply::Response {
    whole(answer).into_response()
}

fn whole(answer: Answer) -> Response<Bytes> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
