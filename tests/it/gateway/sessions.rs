//! Logging in, staying logged in, logging out.

use serde_json::json;
use tpv_lab::gateway::{Client, PASSWORD, hire};
use tpv_lab::store::http;

use super::Store;

fn refresh(client: &Client, token: &str) -> tpv_lab::gateway::Answer {
    client.post("/v1/auth/refresh", &json!({ "refresh_token": token })).unwrap()
}

#[test]
fn somebody_logs_in_and_out_and_the_token_dies_with_the_session() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let answer = ana.try_log_in(&store.gateway).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let client = store.gateway.client().bearer(answer.json()["access_token"].as_str().unwrap());
    let me = client.get("/v1/me").unwrap();
    assert_eq!((me.status, &me.json()["code"], &me.json()["role"]), (200, &json!("ana"), &json!("cashier")), "{me:?}");
    let sessions = client.get("/v1/auth/sessions").unwrap();
    assert_eq!(sessions.json()["items"].as_array().map(Vec::len), Some(1), "{sessions:?}");
    assert_eq!(client.post("/v1/auth/logout", &json!({})).unwrap().status, 204);
    let after = client.get("/v1/me").unwrap();
    assert_eq!((after.status, after.code().as_str()), (401, "session_ended"), "{after:?}");
    assert!(after.header("www-authenticate").is_some());
    assert_eq!(refresh(&store.gateway.client(), answer.json()["refresh_token"].as_str().unwrap()).status, 401);
}

#[test]
fn unknown_wrong_and_disabled_read_alike() {
    let store = Store::open();
    let (ana, eva) = (store.hire("ana", "cashier"), store.hire("eva", "cashier"));
    eva.deactivate(&mut store.dba()).unwrap();
    let client = store.gateway.client();
    let log_in = |code: &str, password: &str| {
        let answer = client.post("/v1/auth/login", &json!({ "code": code, "password": password })).unwrap();
        let mut body = answer.json();
        body["instance"] = json!(null);
        (answer.status, body)
    };
    let refused = log_in("nobody", PASSWORD);
    assert_eq!(refused.0, 401, "{refused:?}");
    assert_eq!(log_in(&ana.code, "something else"), refused);
    assert_eq!(log_in(&eva.code, PASSWORD), refused);
    assert_eq!(log_in(&ana.code, PASSWORD).0, 200);
}

#[test]
fn whoever_guesses_waits_and_locks_nobody_else_out() {
    let store = Store::open();
    let (ana, eva) = (store.hire("ana", "cashier"), store.hire("eva", "cashier"));
    let guess = || {
        let body = json!({ "code": ana.code, "password": "guessed wrongly" });
        store.gateway.client().post("/v1/auth/login", &body).unwrap()
    };
    let statuses: Vec<_> = (0..6).map(|_| guess().status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    assert!(guess().header("retry-after").is_some());
    assert_eq!(eva.try_log_in(&store.gateway).unwrap().status, 200);
}

#[test]
fn guesses_at_once_count_like_guesses_one_after_the_other() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let at_once = |codes: &[String]| -> Vec<u16> {
        let guess = |code: &String| {
            let body = json!({ "code": code, "password": "guessed wrongly" });
            store.gateway.client().post("/v1/auth/login", &body).unwrap().status
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = codes.iter().map(|code| scope.spawn(move || guess(code))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    };
    let of = |status, all: &[u16]| all.iter().filter(|one| **one == status).count();
    // One account: five, then it waits.
    let one = at_once(&vec![ana.code.clone(); 40]);
    assert!(of(401, &one) <= 6 && of(429, &one) >= 30, "{one:?}");
    // Many accounts of one address: what is left of twenty.
    let many = at_once(&(0..60).map(|n| format!("nobody{n}")).collect::<Vec<_>>());
    assert!(of(401, &many) <= 17 && of(429, &many) >= 20, "{many:?}");
}

#[test]
fn many_logins_at_once_leave_no_memory_behind() {
    let store = Store::open_with(&["--behind-proxy"]);
    let resident = || {
        let (_, metrics) = http::get(store.gateway.admin, "/metrics").unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        line.unwrap().trim().parse::<f64>().unwrap() / 1024.0 / 1024.0
    };
    let flood = |first: usize| {
        std::thread::scope(|scope| {
            for n in first..first + 100 {
                let client = store.gateway.client().with("X-Forwarded-For", &format!("192.0.2.{n}"));
                scope.spawn(move || {
                    for m in 0..3 {
                        let body = json!({ "code": format!("nobody{m}"), "password": "guessed wrongly" });
                        client.post("/v1/auth/login", &body).unwrap();
                    }
                });
            }
        });
    };
    flood(0);
    let (once, processors) = (resident(), std::thread::available_parallelism().unwrap().get());
    flood(100);
    let twice = resident();
    println!("{once:.0} MiB, then {twice:.0} MiB");
    // 19 MiB for each hash that is computed at a time, and what the requests need.
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let most = 64.0 + 20.0 * processors as f64;
    assert!(once < most && twice < most, "{once:.0} MiB, then {twice:.0} MiB");
}

#[test]
fn passwords_that_are_right_use_nothing_up() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    for _ in 0..30 {
        assert_eq!(ana.try_log_in(&store.gateway).unwrap().status, 200);
    }
}

#[test]
fn a_refresh_token_is_good_once_and_its_theft_is_noticed() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let (client, first) = (store.gateway.client(), ana.try_log_in(&store.gateway).unwrap().json());
    let token = |body: &serde_json::Value| body["refresh_token"].as_str().unwrap().to_owned();
    let second = refresh(&client, &token(&first));
    assert_eq!(second.status, 200, "{second:?}");
    // The answer was lost: the same next token again.
    let again = refresh(&client, &token(&first));
    assert_eq!((again.status, token(&again.json())), (200, token(&second.json())), "{again:?}");
    // What came with it is used; so whoever shows the old one has stolen it.
    let access = second.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.bearer(&access).get("/v1/me").unwrap().status, 200);
    let stolen = refresh(&client, &token(&first));
    assert_eq!((stolen.status, stolen.code().as_str()), (401, "invalid_grant"), "{stolen:?}");
    assert_eq!(client.bearer(&access).get("/v1/me").unwrap().status, 401);
    assert_eq!(refresh(&client, &token(&second.json())).status, 401);
}

#[test]
fn parallel_refreshes_of_one_token_all_get_the_same_answer() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let token = ana.try_log_in(&store.gateway).unwrap().json()["refresh_token"].as_str().unwrap().to_owned();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (client, token) = (store.gateway.client(), token.clone());
            std::thread::spawn(move || refresh(&client, &token).json()["refresh_token"].clone())
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(answers[0].is_string() && answers.iter().all(|one| *one == answers[0]), "{answers:?}");
}

#[test]
fn what_is_taken_away_counts_at_once() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let client = ana.log_in(&store.gateway).unwrap();
    assert_eq!(client.get("/v1/me").unwrap().status, 200);
    ana.deactivate(&mut store.dba()).unwrap();
    assert_eq!(client.get("/v1/me").unwrap().status, 401);
}

#[test]
fn a_page_keeps_its_tokens_in_cookies_and_proves_that_it_is_the_page() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let body = json!({ "code": ana.code, "password": PASSWORD, "cookies": true });
    let answer = store.gateway.client().post("/v1/auth/login", &body).unwrap();
    assert!(answer.json().get("access_token").is_none(), "{answer:?}");
    let cookies: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, v)| v).collect();
    assert_eq!(cookies.len(), 3);
    assert_eq!(cookies.iter().filter(|cookie| cookie.contains("HttpOnly")).count(), 2);
    let sent: Vec<_> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    let page = store.gateway.client().with("Cookie", &sent.join("; "));
    assert_eq!(page.get("/v1/me").unwrap().status, 200);
    let without = page.post("/v1/auth/logout", &json!({})).unwrap();
    assert_eq!((without.status, without.code().as_str()), (403, "csrf"));
    assert_eq!(page.bearer("x").get("/v1/me").unwrap().status, 400);
    let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    let refreshed = page.with("X-CSRF-Token", &csrf).post("/v1/auth/refresh", &json!({})).unwrap();
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(page.with("X-CSRF-Token", &csrf).post("/v1/auth/logout", &json!({})).unwrap().status, 204);
}

#[test]
fn a_cookie_that_comes_twice_is_somebody_elses_and_refused() {
    let store = Store::open_with(&["--behind-proxy"]);
    let ana = store.hire("ana", "cashier");
    let body = json!({ "code": ana.code, "password": PASSWORD, "cookies": true });
    let cookies = |client: &Client| -> Vec<String> {
        let answer = client.post("/v1/auth/login", &body).unwrap();
        let set = answer.headers.into_iter().filter(|(name, _)| name == "set-cookie");
        set.map(|(_, value)| value).collect()
    };
    let (plain, page) = (store.gateway.client(), store.gateway.client().with("X-Forwarded-Proto", "https"));
    let access = |set: &[String]| set[0].split(';').next().unwrap().to_owned();
    let (in_clear, encrypted) = (access(&cookies(&plain)), access(&cookies(&page)));
    assert!(in_clear.starts_with("tpv_access=") && encrypted.starts_with("__Host-tpv_access="), "{encrypted}");
    for set in cookies(&page) {
        assert!(set.starts_with("__Host-") && set.contains("; Path=/;") && set.ends_with("; Secure"), "{set}");
    }
    let status = |client: &Client, cookies: &str| client.with("Cookie", cookies).get("/v1/me").unwrap().status;
    assert_eq!((status(&plain, &in_clear), status(&page, &encrypted)), (200, 200));
    // What another host of the site can put there is not looked at.
    assert_eq!(status(&page, &in_clear), 401);
    assert_eq!(status(&page, &format!("{in_clear}; {encrypted}")), 200);
    for (client, cookie) in [(&plain, &in_clear), (&page, &encrypted)] {
        let twice = client.with("Cookie", &format!("{cookie}; {cookie}")).get("/v1/me").unwrap();
        assert_eq!((twice.status, twice.code().as_str()), (400, "two_tokens"), "{twice:?}");
    }
}

#[test]
fn a_password_is_changed_by_its_owner() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let (client, other) = (ana.log_in(&store.gateway).unwrap(), ana.log_in(&store.gateway).unwrap());
    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        client.post("/v1/auth/password", &body).unwrap()
    };
    assert_eq!(change("not mine at all", "cuatro tigres tristes").status, 422);
    let common = change(PASSWORD, "password123");
    assert_eq!((common.status, &common.json()["errors"][0]["code"]), (422, &json!("common")), "{common:?}");
    assert_eq!(change(PASSWORD, "cuatro tigres tristes").status, 204);
    assert_eq!(client.get("/v1/me").unwrap().status, 200, "her own session goes on");
    assert_eq!(other.get("/v1/me").unwrap().status, 401, "all others end");
}

#[test]
fn a_link_of_an_admins_sets_a_password_once() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier");
    let boss = hire(&store.rig.lab, &store.rig.cluster, "boss", "admin", None, None).unwrap();
    let path = format!("/v1/employees/{}/password-link", ana.employee);
    assert_eq!(ana.log_in(&store.gateway).unwrap().post(&path, &json!({})).unwrap().status, 403);
    let made = boss.log_in(&store.gateway).unwrap().post(&path, &json!({})).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    let body = json!({ "link": made.json()["link"], "new_password": "cuatro tigres tristes" });
    let client = store.gateway.client();
    assert_eq!(client.post("/v1/auth/password/link", &body).unwrap().status, 204);
    assert_eq!(client.post("/v1/auth/password/link", &body).unwrap().status, 410);
    let log_in = |password: &str| {
        client.post("/v1/auth/login", &json!({ "code": ana.code, "password": password })).unwrap().status
    };
    assert_eq!((log_in("cuatro tigres tristes"), log_in(PASSWORD)), (200, 401));
}
