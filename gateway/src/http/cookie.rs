//! The cookies of the page. A script of the page cannot read the tokens, and another site's request
//! does not bring them; the CSRF token is asked for all the same.

use warp::http::{HeaderValue, header};

use super::problem::{Outcome, Problem};
use super::request::Request;

pub const ACCESS: &str = "tpv_access";
pub const REFRESH: &str = "tpv_refresh";
/// Read by the page, and sent back as the header `X-CSRF-Token`.
pub const CSRF: &str = "tpv_csrf";
pub const CSRF_HEADER: &str = "x-csrf-token";

/// What the names begin with where the way is encrypted: a browser takes such a cookie from this
/// very host and over TLS only (RFC 6265bis, 4.1.3.2). No other host can put one of its own there.
const HOST: &str = "__Host-";

/// The value of a cookie (RFC 6265, 4.2). One that comes twice is refused: somebody else may have
/// put the first one there.
pub fn read<'a>(request: &'a Request, name: &str) -> Outcome<Option<&'a str>> {
    let prefix = if request.source.secure { HOST } else { "" };
    let mut values = request
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(prefix)?.strip_prefix(name)?.strip_prefix('='));
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad_request("two_tokens", format!("The cookie {prefix}{name} came twice.")).into());
    }
    Ok(first)
}

/// How a cookie is set.
pub struct Cookie<'a> {
    pub name: &'a str,
    pub value: &'a str,
    pub path: &'a str,
    /// Zero takes it back.
    pub max_age_s: i64,
    pub for_scripts: bool,
    pub secure: bool,
}

impl Cookie<'_> {
    pub fn header(&self) -> Option<HeaderValue> {
        // With the prefix a cookie is of the whole host; without it each goes where it is needed.
        let (prefix, path) = if self.secure { (HOST, "/") } else { ("", self.path) };
        let Self { name, value, max_age_s, .. } = self;
        let mut text = format!("{prefix}{name}={value}; Path={path}; Max-Age={max_age_s}; SameSite=Strict");
        if !self.for_scripts {
            text.push_str("; HttpOnly");
        }
        if self.secure {
            text.push_str("; Secure");
        }
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use warp::http::{HeaderMap, Method};

    use super::*;
    use crate::http::source::Source;

    fn request(cookies: &[&'static str], secure: bool) -> Request {
        let mut headers = HeaderMap::new();
        for line in cookies {
            headers.append("cookie", HeaderValue::from_static(line));
        }
        let source = Source { address: String::new(), counted_as: String::new(), secure, tls: secure };
        let (path, query) = (String::new(), String::new());
        let id = uuid::Uuid::nil();
        Request { id, method: Method::GET, path, query, headers, source, needs_host: true, has_path: true }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let plain = request(&["xtpv_access=no; tpv_access2=no; __Host-tpv_access=no", "a=b; tpv_access=yes=1"], false);
        assert_eq!(read(&plain, ACCESS).unwrap(), Some("yes=1"));
        assert_eq!(read(&plain, REFRESH).unwrap(), None);
        let secure = request(&["tpv_access=no; __Host-tpv_access=yes"], true);
        assert_eq!(read(&secure, ACCESS).unwrap(), Some("yes"));
    }

    #[test]
    fn one_that_comes_twice_is_refused() {
        for cookies in [&["tpv_access=a; tpv_access=a"][..], &["tpv_access=a", "tpv_access=b"]] {
            assert_eq!(read(&request(cookies, false), ACCESS).unwrap_err().status.as_u16(), 400, "{cookies:?}");
        }
    }

    #[test]
    fn on_an_encrypted_way_a_cookie_is_of_this_host_alone() {
        let cookie =
            |secure| Cookie { name: REFRESH, value: "v", path: "/v1/auth", max_age_s: 9, for_scripts: false, secure };
        let text = |secure| cookie(secure).header().unwrap().to_str().unwrap().to_owned();
        assert_eq!(text(true), "__Host-tpv_refresh=v; Path=/; Max-Age=9; SameSite=Strict; HttpOnly; Secure");
        assert_eq!(text(false), "tpv_refresh=v; Path=/v1/auth; Max-Age=9; SameSite=Strict; HttpOnly");
    }
}
