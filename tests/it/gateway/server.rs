//! What every route has in common: methods, forms, limits, and what happens when the database is
//! away.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use tpv_lab::store::http;
use tpv_lab::wait::until_true;

use super::Store;
use crate::support::SOON;

#[test]
fn every_refusal_is_a_problem_that_names_the_request() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let nobody = store.gateway.client();
    let long = "x".repeat(300 * 1024);
    for (what, status, answer) in [
        ("no such path", 404, nobody.get("/v1/nothing").unwrap()),
        ("an encoded slash", 404, nobody.get("/v1%2Fme").unwrap()),
        ("no token", 401, nobody.get("/v1/me").unwrap()),
        ("a token that is none", 401, nobody.bearer("a.b.c").get("/v1/me").unwrap()),
        ("another scheme", 401, nobody.with("Authorization", "Basic YTpi").get("/v1/me").unwrap()),
        ("a method that is not there", 405, ana.send("PUT", "/v1/me", Some("{}")).unwrap()),
        ("no JSON wanted", 406, ana.with("Accept", "text/html").get("/v1/me").unwrap()),
        ("a body that is no JSON", 400, nobody.send("POST", "/v1/auth/login", Some("{")).unwrap()),
        (
            "two members of one name",
            400,
            nobody.send("POST", "/v1/auth/refresh", Some(r#"{"refresh_token":"a","refresh_token":"b"}"#)).unwrap(),
        ),
        (
            "another type of body",
            415,
            nobody.with("Content-Type", "text/plain").send("POST", "/v1/auth/login", Some("{}")).unwrap(),
        ),
        (
            "a compressed body",
            415,
            nobody.with("Content-Encoding", "gzip").send("POST", "/v1/auth/login", Some("{}")).unwrap(),
        ),
        (
            "two members of one name, of which one is written in another way",
            400,
            ana.send("POST", "/v1/customers", Some(r#"{"name":"a","n\u0061me":"b"}"#)).unwrap(),
        ),
        (
            "a permission that is lacking, and a body that is none",
            403,
            ana.send("POST", "/v1/employees", Some("{")).unwrap(),
        ),
        ("deep JSON", 400, nobody.send("POST", "/v1/auth/login", Some(&"[".repeat(100_000))).unwrap()),
        ("a large body", 413, nobody.send("POST", "/v1/auth/login", Some(&long)).unwrap()),
        ("a long address", 414, nobody.get(&format!("/v1/{}", "x".repeat(8_000))).unwrap()),
        ("a large head", 431, nobody.with("X-Large", &long[..20_000]).get("/v1/me").unwrap()),
        ("a forged cursor", 422, ana.get("/v1/products?cursor=AAAA").unwrap()),
        ("an unknown parameter", 422, ana.get("/v1/products?offset=1").unwrap()),
        ("an id that is none", 404, ana.get("/v1/products/1").unwrap()),
        ("a parameter of a write", 422, ana.post("/v1/customers?x=1", &json!({ "name": "Rosa" })).unwrap()),
        ("a name that nobody sees", 422, ana.post("/v1/customers", &json!({ "name": "\u{200b}" })).unwrap()),
        ("lines of no receipt", 404, ana.get(&format!("/v1/receipts/1/{}/lines", uuid::Uuid::nil())).unwrap()),
        ("what became of none", 404, ana.get(&format!("/v1/receipts/1/{}/events", uuid::Uuid::nil())).unwrap()),
        (
            "an unknown member",
            422,
            nobody.post("/v1/auth/login", &json!({"code": "a", "password": "b", "x": 1})).unwrap(),
        ),
    ] {
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        let instance = format!("urn:uuid:{}", answer.header("x-request-id").unwrap());
        assert_eq!(answer.json()["instance"], json!(instance), "{what}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    }
}

#[test]
fn methods_are_told_and_head_is_get_without_its_body() {
    let store = Store::open();
    let client = store.gateway.client();
    let options = client.send("OPTIONS", "/v1/customers", None).unwrap();
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    let refused = client.send("DELETE", "/v1/customers", None).unwrap();
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS, POST")));
    let (get, head) = (client.get("/openapi.json").unwrap(), client.send("HEAD", "/openapi.json", None).unwrap());
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    let known = client.with("If-None-Match", get.header("etag").unwrap()).get("/openapi.json").unwrap();
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    let keys = client.get("/.well-known/jwks.json").unwrap();
    assert_eq!(keys.json()["keys"][0]["crv"], "Ed25519", "{keys:?}");
}

/// What a proxy before us could read as another request (RFC 9112, 3.2 and 6.1).
#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let store = Store::open();
    let answered = |head: &str| {
        let mut stream = TcpStream::connect(store.gateway.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
        text
    };
    let post = "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close";
    for (head, code) in [
        ("GET /v1/me HTTP/1.1".to_owned(), "host"),
        ("GET /v1/me HTTP/1.1\r\nHost: a\r\nHost: b".to_owned(), "host"),
        (format!("{post}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0"), "transfer_encoding"),
        (format!("{post}\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0"), "transfer_encoding"),
    ] {
        let answer = answered(&head);
        let expected = format!("\"code\":\"{code}\"");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(&expected), "{head}: {answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{head}: {answer}");
    }
    assert!(answered("GET /v1/me HTTP/1.0").starts_with("HTTP/1.0 401 "));
    let whole = answered(&format!("{post}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0"));
    assert!(whole.starts_with("HTTP/1.1 422 "), "{whole}");
}

#[test]
fn a_target_that_is_no_path_is_refused_like_any_other_request() {
    let store = Store::open();
    let client = store.gateway.client();
    for line in ["GET a", "GET evil.test:80", "OPTIONS evil.test:80", "CONNECT evil.test:80"] {
        let head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = client.raw(head.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (400, "target"), "{line}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{line}");
        assert!(store.gateway.log().contains(answer.header("x-request-id").unwrap()), "{line}");
    }
    let whole = client.raw(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(
        (whole.status, whole.header("allow")),
        (204, Some("DELETE, GET, HEAD, OPTIONS, PATCH, POST")),
        "{whole:?}"
    );
    let absolute = client.raw(b"GET http://x/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(absolute.status, 401, "{absolute:?}");
    let (_, metrics) = http::get(store.gateway.admin, "/metrics").unwrap();
    assert!(
        metrics.contains("tpv_gateway_requests_total{method=\"GET\",route=\"none\",status=\"400\"} 2"),
        "{metrics}"
    );
    assert!(!store.gateway.log().contains("panic"), "{}", store.gateway.log());
}

#[test]
fn slow_and_silent_clients_are_let_go() {
    let store =
        Store::open_with(&["--header-timeout-ms", "300", "--body-timeout-ms", "300", "--idle-timeout-ms", "600"]);
    let ended = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(store.gateway.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).map(|_| text)
    };
    assert_eq!(ended(b"").unwrap(), "", "it says nothing");
    assert_eq!(ended(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n").unwrap(), "", "its head does not end");
    let slow = ended(
        b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    );
    assert!(slow.unwrap().starts_with("HTTP/1.1 408 "));
    // One that is idle for longer than a head may take stays.
    let mut stream = TcpStream::connect(store.gateway.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for _ in 0..2 {
        stream.write_all(b"HEAD /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut buffer = [0; 4_096];
        let length = std::io::Read::read(&mut stream, &mut buffer).unwrap();
        assert!(buffer[..length].starts_with(b"HTTP/1.1 200 OK"));
        std::thread::sleep(Duration::from_millis(400));
    }
}

#[test]
fn without_its_database_it_says_so_and_comes_back_by_itself() {
    let mut store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    store.rig.cluster.stop().unwrap();
    let away = ana.get("/v1/me").unwrap();
    assert_eq!((away.status, away.header("retry-after")), (503, Some("1")), "{away:?}");
    assert_eq!(http::get(store.gateway.admin, "/readyz").unwrap().0, 503);
    assert_eq!(http::get(store.gateway.admin, "/livez").unwrap().0, 200);
    store.rig.cluster.start().unwrap();
    until_true("it answers again", SOON, || ana.get("/v1/me").is_ok_and(|answer| answer.status == 200)).unwrap();
    let (status, metrics) = http::get(store.gateway.admin, "/metrics").unwrap();
    assert_eq!(status, 200);
    assert!(
        metrics.contains("tpv_gateway_requests_total{method=\"GET\",route=\"/v1/me\",status=\"503\"}"),
        "{metrics}"
    );
}

#[test]
fn whoever_hangs_up_leaves_no_transaction_behind() {
    let store = Store::open();
    let ana = store.hire("ana", "manager").log_in(&store.gateway).unwrap();
    let eva = store.hire("eva", "cashier").log_in(&store.gateway).unwrap();
    let header = ana.headers[0].1.clone();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(store.gateway.address).unwrap();
        write!(stream, "GET /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: {header}\r\n\r\n").unwrap();
    }
    for _ in 0..50 {
        let me = eva.get("/v1/me").unwrap();
        assert_eq!((me.status, &me.json()["role"]), (200, &json!("cashier")), "{me:?}");
    }
    let open = "select count(*) from pg_stat_activity \
                where usename = 'tpv_gateway_user' and state <> 'idle' and state_change < now() - interval '1 second'";
    let count: i64 = store.dba().query_one(open, &[]).unwrap().get(0);
    assert_eq!(count, 0);
}

#[test]
fn logs_hold_no_secret() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let answer = ana.try_log_in(&store.gateway).unwrap().json();
    let client = store.gateway.client().bearer(answer["access_token"].as_str().unwrap());
    let body = json!({ "name": "Very Private", "email": "very@private.example" });
    client.post("/v1/customers", &body).unwrap();
    let log = store.gateway.log();
    assert!(log.contains("/v1/customers"), "it logs at debug");
    for secret in [
        answer["access_token"].as_str().unwrap(),
        answer["refresh_token"].as_str().unwrap(),
        "Private",
        "private.example",
        tpv_lab::gateway::PASSWORD,
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn it_ends_in_order_when_it_is_told_to() {
    let mut store = Store::open();
    let _idle = TcpStream::connect(store.gateway.address).unwrap();
    assert!(store.gateway.stop().unwrap().success());
}
