//! From a request to a route, and from its answer back. The order of the questions is here: too
//! long, how often, which path, which method, who, which form, with which permission, and then the
//! handler.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt};
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::app::App;
use crate::auth::me;
use crate::http::answer::Answer;
use crate::http::limit::Left;
use crate::http::negotiate::takes;
use crate::http::path;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::{Call, Request};
use crate::route::{Access, Route};
use crate::who;

const MOST_PATH_BYTES: usize = 4 * 1024;
const MOST_HEAD_BYTES: usize = 16 * 1024;
const MOST_BODY_BYTES: usize = 256 * 1024;

/// The body, chunk by chunk. An error is a client that went away.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, ()>> + Send>>;

pub struct Dispatcher {
    pub app: Arc<App>,
    pub routes: Vec<Route>,
}

/// What is said about a request beside its answer.
#[derive(Default)]
struct Said {
    route: Option<&'static str>,
    left: Option<(&'static str, Left)>,
    cacheable: bool,
    tls: bool,
}

impl Dispatcher {
    pub async fn answer(&self, request: Request, mut body: Body) -> Answer {
        let (started, id, method) = (Instant::now(), request.id, request.method.clone());
        let origin = request.headers.get(header::ORIGIN).cloned();
        let if_none_match = request.headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
        let if_none_match = if_none_match.map(str::to_owned);
        let mut said = Said { tls: request.source.tls, ..Said::default() };
        let work = AssertUnwindSafe(self.route(request, &mut body, &mut said)).catch_unwind().await;
        let outcome = work.unwrap_or_else(|_| Err(Problem::internal().into()));
        let mut answer = outcome.unwrap_or_else(|problem| problem.into_answer(id));
        if !answer.status.is_success() {
            drain(body).await;
        }
        if matches!(method, Method::GET | Method::HEAD) {
            answer = answer.unless_known(if_none_match.as_deref());
        }
        self.dress(&mut answer, &said, id, origin.as_ref());
        self.account(&answer, &said, &method, started);
        answer
    }

    /// The answer to a request that made something panic outside of its handler.
    pub fn broken(&self, id: uuid::Uuid, method: &Method) -> Answer {
        let mut answer = Problem::internal().into_answer(id);
        self.dress(&mut answer, &Said::default(), id, None);
        self.account(&answer, &Said::default(), method, Instant::now());
        answer
    }

    async fn route(&self, request: Request, body: &mut Body, said: &mut Said) -> Outcome<Answer> {
        let head: usize = request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if request.path.len() + request.query.len() > MOST_PATH_BYTES {
            return Err(Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", "The address is too long.").into());
        }
        if head > MOST_HEAD_BYTES {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Problem::new(status, "head_too_large", "The head is larger than 16 KiB.").into());
        }
        if let Some(limit) = &self.app.source_limit {
            self.allow("source", limit.take(request.source.counted_as.clone(), Instant::now()), said)?;
        }
        framing(&request)?;
        if request.method == Method::OPTIONS && request.path == "*" {
            // About the whole server (RFC 9110, 9.3.7).
            return Ok(self.options(&request, allow(self.routes.iter().map(|route| &route.method))));
        }
        let segments = path::segments(&request.path).ok_or_else(no_such_path)?;
        let candidates: Vec<_> =
            self.routes.iter().filter_map(|route| Some((route, path::matches(route.path, &segments)?))).collect();
        let first = candidates.first().ok_or_else(no_such_path)?.0;
        said.route = Some(first.path);
        // Of two patterns that fit, the one without a parameter there stands first in the table.
        let candidates: Vec<_> = candidates.into_iter().filter(|(route, _)| route.path == first.path).collect();
        let allow = allow(candidates.iter().map(|(route, _)| &route.method));
        if request.method == Method::OPTIONS {
            return Ok(self.options(&request, allow));
        }
        let wanted = if request.method == Method::HEAD { Method::GET } else { request.method.clone() };
        let Some((route, parameters)) = candidates.into_iter().find(|(route, _)| route.method == wanted) else {
            let detail = "There is no such method here; Allow names those that there are.";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
                .with(header::ALLOW, allow)
                .into());
        };
        said.cacheable = route.cacheable;
        let (person, by_cookie) = match route.access {
            Access::Public => (None, false),
            Access::Person | Access::With(_) => {
                let (person, by_cookie) = who::asks(&self.app, &request).await?;
                if let Some(limit) = &self.app.person_limit {
                    self.allow("person", limit.take(person.employee, Instant::now()), said)?;
                }
                (Some(person), by_cookie)
            }
        };
        if !takes(request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()), route.form) {
            let detail = format!("The answer is {}.", route.form.media_type());
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail).into());
        }
        let mut call = Call { app: Arc::clone(&self.app), request, parameters, person, body: Bytes::new(), by_cookie };
        if let (Access::With(permission), Some(person)) = (route.access, &call.person)
            && !self.app.may(person.role, permission)
        {
            // Whoever is not logged in any more hears that instead.
            me::alive(&call).await?;
            return Err(Problem::forbidden().into());
        }
        if wanted != Method::GET {
            call.request.without_query()?;
            call.body = self.body(&call.request, body).await?;
        }
        (route.run)(call, &route.input).await
    }

    async fn body(&self, request: &Request, body: &mut Body) -> Outcome<Bytes> {
        let encoded = request.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        if encoded {
            let detail = "The body is to come as it is, not compressed.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", detail).into());
        }
        let too_large =
            || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 256 KiB.");
        let announced = request.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|bytes| bytes > MOST_BODY_BYTES as u64) {
            return Err(too_large().with(header::CONNECTION, HeaderValue::from_static("close")).into());
        }
        let read = async {
            let mut whole = BytesMut::new();
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(|()| Problem::bad_request("body", "The body broke off."))?;
                if whole.len() + chunk.len() > MOST_BODY_BYTES {
                    return Err(too_large().with(header::CONNECTION, HeaderValue::from_static("close")).into());
                }
                whole.extend_from_slice(&chunk);
            }
            Ok(whole.freeze())
        };
        tokio::time::timeout(self.app.config.clients.body_timeout, read).await.unwrap_or_else(|_| {
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body took too long.");
            Err(problem.with(header::CONNECTION, HeaderValue::from_static("close")).into())
        })
    }

    fn allow(&self, by: &'static str, left: Left, said: &mut Said) -> Outcome<()> {
        said.left = Some((by, left));
        if left.allowed {
            return Ok(());
        }
        self.app.metrics.throttled.with_label_values(&[by]).inc();
        Err(Problem::too_many(left.reset_s).into())
    }

    fn options(&self, request: &Request, allow: HeaderValue) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::ALLOW, allow.clone());
        // A preflight of a page that may call (Fetch, 3.3.3).
        if self.allowed_origin(request.headers.get(header::ORIGIN)).is_some()
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            let words = "authorization, content-type, idempotency-key, if-match, if-none-match, x-csrf-token";
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(words));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        Answer { status: StatusCode::NO_CONTENT, headers, body: Bytes::new() }
    }

    fn allowed_origin<'a>(&self, origin: Option<&'a HeaderValue>) -> Option<&'a HeaderValue> {
        origin.filter(|origin| self.app.config.cors_origins.iter().any(|allowed| *origin == allowed))
    }

    /// What every answer has in its head.
    fn dress(&self, answer: &mut Answer, said: &Said, id: uuid::Uuid, origin: Option<&HeaderValue>) {
        let headers = &mut answer.headers;
        let mut set = |name: HeaderName, value: &str| {
            if let (false, Ok(value)) = (headers.contains_key(&name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        };
        set(HeaderName::from_static("x-request-id"), &id.to_string());
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
        set(header::REFERRER_POLICY, "no-referrer");
        if said.tls {
            set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        let kept = said.cacheable && (answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED);
        set(header::CACHE_CONTROL, if kept { "private, no-cache" } else { "no-store" });
        set(header::VARY, "Authorization, Cookie, Origin");
        if let Some((by, left)) = said.left {
            set(HeaderName::from_static("ratelimit-policy"), &format!("\"{by}\";q={};w=3", left.depth));
            set(HeaderName::from_static("ratelimit"), &format!("\"{by}\";r={};t={}", left.remaining, left.reset_s));
        }
        if let Some(origin) = self.allowed_origin(origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            let exposed = "etag, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id";
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        }
    }

    fn account(&self, answer: &Answer, said: &Said, method: &Method, started: Instant) {
        // A method that nobody knows is one label, however many a stranger makes up.
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" | "PATCH" | "DELETE") => known,
            _ => "other",
        };
        let (route, status) = (said.route.unwrap_or("none"), answer.status.as_u16());
        let elapsed = started.elapsed();
        self.app.metrics.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.app.metrics.seconds.with_label_values(&[method, route]).observe(elapsed.as_secs_f64());
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        if status >= 500 {
            tracing::warn!(method, route, status, elapsed_us, "answered");
        } else {
            tracing::debug!(method, route, status, elapsed_us, "answered");
        }
    }
}

/// What makes two readers see two requests (RFC 9112, 3.2 and 6.1).
fn framing(request: &Request) -> Outcome<()> {
    let refuse = |code, detail| {
        let problem = Problem::bad_request(code, detail);
        Err(problem.with(header::CONNECTION, HeaderValue::from_static("close")).into())
    };
    if !request.has_path {
        return refuse("target", "The target of a request is a path.");
    }
    let hosts = request.headers.get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.needs_host {
        return refuse("host", "A request has one Host.");
    }
    let mut codings = request.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(only), None) if only.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => refuse("transfer_encoding", "The only transfer coding is chunked, once."),
    }
}

fn no_such_path() -> Box<Problem> {
    Problem::new(StatusCode::NOT_FOUND, "no_such_path", "There is no such path; /openapi.json names them all.").into()
}

/// Reads on for a moment: a connection that is closed with something unread is reset, and the
/// client would not see the answer.
async fn drain(mut body: Body) {
    const MOST_BYTES: usize = 2 * 1024 * 1024;
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = body.next().await
            && bytes < MOST_BYTES
        {
            bytes += chunk.len();
        }
    };
    // Whoever is slower than that does not wait for an answer.
    let _ = tokio::time::timeout(Duration::from_millis(500), read).await;
}

/// The methods of a path; HEAD wherever GET.
fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> HeaderValue {
    let mut names: Vec<&str> = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if *method == Method::GET {
            names.push("HEAD");
        }
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.dedup();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}
