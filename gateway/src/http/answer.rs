//! What goes back to a client, before it is put on the wire.

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, HeaderValue, StatusCode};

use super::problem::{Outcome, Problem};

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body: body.into() }
    }

    /// The answer is what the client has already (RFC 9110, 13.1.2): the head alone.
    pub fn unless_known(mut self, if_none_match: Option<&str>) -> Self {
        let Some(tag) = self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) else { return self };
        let known = if_none_match.is_some_and(|list| {
            list.trim() == "*" || list.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
        });
        if known && self.status == StatusCode::OK {
            self.status = StatusCode::NOT_MODIFIED;
            self.headers.remove(header::CONTENT_TYPE);
            self.body = Bytes::new();
        }
        self
    }
}

/// What a handler says: a value, and what belongs into the head.
#[derive(Debug)]
pub struct Reply<A> {
    pub status: StatusCode,
    pub value: Option<A>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The version of the row; without it the tag is made of the bytes.
    pub version: Option<String>,
}

impl<A: Serialize> Reply<A> {
    pub fn ok(value: A) -> Self {
        Self { status: StatusCode::OK, value: Some(value), headers: Vec::new(), version: None }
    }

    pub fn created(value: A, location: String) -> Self {
        let mut reply = Self { status: StatusCode::CREATED, ..Self::ok(value) };
        if let Ok(location) = HeaderValue::try_from(location) {
            reply.headers.push((header::LOCATION, location));
        }
        reply
    }

    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, value: None, headers: Vec::new(), version: None }
    }

    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn into_answer(self) -> Outcome<Answer> {
        let Some(value) = self.value else {
            let mut answer = Answer { status: self.status, headers: HeaderMap::new(), body: Bytes::new() };
            answer.headers.extend(self.headers);
            return Ok(answer);
        };
        let body = serde_json::to_vec(&value).map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::internal()
        })?;
        let tag = self.version.unwrap_or_else(|| tag_of(&body));
        let mut answer = Answer::new(self.status, "application/json", body);
        if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
            answer.headers.insert(header::ETAG, tag);
        }
        for (name, value) in self.headers {
            answer.headers.append(name, value);
        }
        Ok(answer)
    }
}

/// The tag of an answer that has no version.
pub fn tag_of(body: &[u8]) -> String {
    digest(&SHA256, body).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Problem {
    /// The answer; `instance` names the request, which the log has too.
    pub fn into_answer(self, request: Uuid) -> Answer {
        let mut body = json!({
            "type": format!("urn:tpv:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": format!("urn:uuid:{request}"),
            "code": self.code,
        });
        if let Some(members) = body.as_object_mut() {
            if !self.errors.is_empty() {
                members.insert("errors".to_owned(), json!(self.errors));
            }
            if let Some(url) = self.gateway_url {
                members.insert("gateway_url".to_owned(), json!(url));
            }
        }
        let mut answer = Answer::new(self.status, "application/problem+json", body.to_string().into_bytes());
        answer.headers.extend(self.headers);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::Fault;

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let answer = || Reply::ok(1).version("v7").into_answer().unwrap();
        for known in ["\"v7\"", "\"a\", \"v7\"", "W/\"v7\"", "*"] {
            let answer = answer().unless_known(Some(known));
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
        }
        assert_eq!(answer().unless_known(Some("\"v8\"")).status, StatusCode::OK);
        assert_eq!(answer().unless_known(None).status, StatusCode::OK);
    }

    #[test]
    fn a_problem_names_the_request_and_all_faults() {
        let request = Uuid::from_u128(7);
        let faults = vec![Fault::new("/email", "format", "It is no address."), Fault::new("/name", "required", "x")];
        let answer = Problem::invalid(faults).into_answer(request);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["instance"], format!("urn:uuid:{request}"));
        assert_eq!(body["errors"][1]["pointer"], "/name");
    }

    #[test]
    fn who_must_log_in_is_told_how() {
        let answer = Problem::unauthorized("invalid_token", "x").into_answer(Uuid::nil());
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    }
}
