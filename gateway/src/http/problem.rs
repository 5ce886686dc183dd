//! What a client reads when something is wrong (RFC 9457).

use serde::Serialize;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderValue, StatusCode};

/// A refusal. Nothing internal is in it: it is made of our own words only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable: programs look at it.
    pub code: String,
    /// One sentence about this occurrence.
    pub detail: String,
    /// Faults of the body or the query, all of them.
    pub errors: Vec<Fault>,
    /// Where the same call would do: central, or the store that decides.
    pub gateway_url: Option<String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// One fault of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Fault {
    /// A JSON pointer into the body (RFC 6901); of a query `/` and the parameter.
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() }
    }
}

impl Problem {
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.to_owned(), detail.into());
        Self { status, code, detail, errors: Vec::new(), gateway_url: None, headers: Vec::new() }
    }

    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Faults of an input, all at once.
    pub fn invalid(errors: Vec<Fault>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Values were refused; see errors.");
        problem.errors = errors;
        problem
    }

    /// No token, or none that holds. Which of its parts is wrong is nobody's business.
    pub fn unauthorized(code: &str, detail: impl Into<String>) -> Self {
        let challenge = match code {
            "unauthorized" => HeaderValue::from_static("Bearer realm=\"tpv\""),
            _ => HeaderValue::from_static("Bearer realm=\"tpv\", error=\"invalid_token\""),
        };
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with(header::WWW_AUTHENTICATE, challenge)
    }

    pub fn forbidden() -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"tpv\", error=\"insufficient_scope\"");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", "Your role does not have this permission.")
            .with(header::WWW_AUTHENTICATE, challenge)
    }

    /// There is nothing, or nothing that the caller may see: both read alike.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here that you may see.")
    }

    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Wait, then try again.")
            .with(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .with(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// A mistake of ours. The log has it under the id of the request.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; the log says what.")
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Most calls fail with a problem, and few do; a box keeps the others small.
pub type Outcome<T> = Result<T, Box<Problem>>;
