//! Central and a store, each with its gateway.

use serde_json::json;
use tpv_lab::chain::Chain;
use tpv_lab::gateway::{Gateway, PASSWORD, hire};
use tpv_lab::machine::Lab;
use tpv_lab::wait::until_true;

use crate::support::SOON;

const CENTRAL: &str = "http://central.test";

#[test]
fn staff_log_in_at_their_store_while_the_line_is_cut() {
    let (lab, chain) = (Lab::open().unwrap(), Chain::joined(1).unwrap());
    let central = Gateway::start(&lab, &chain.central, CENTRAL, &[]).unwrap();
    let store = Gateway::start(&lab, &chain.stores[0], "http://s01.test", &["--central-issuer", CENTRAL]).unwrap();
    let ana = hire(&lab, &chain.central, "ana", "cashier", Some(1), None).unwrap();
    let boss = hire(&lab, &chain.central, "boss", "admin", None, None).unwrap();
    let cai = hire(&lab, &chain.central, "cai", "manager", None, None).unwrap();

    // The store's key is registered; then central seals her password for it.
    let key = json!({ "node": "S01", "public_key": store.public_key(&lab).unwrap() });
    let registered = boss.log_in(&central).unwrap().post("/v1/gateway-keys", &key).unwrap();
    assert_eq!(registered.status, 204, "{registered:?}");
    let logs_in = || ana.try_log_in(&store).is_ok_and(|answer| answer.status == 200);
    until_true("her password is at the store", SOON, || {
        // She may have tried too often by now.
        chain.stores[0].connect().unwrap().batch_execute("delete from sec.throttle").unwrap();
        let sealed = "select from sec.verifier where not deleted";
        !chain.stores[0].connect().unwrap().query(sealed, &[]).unwrap().is_empty() && logs_in()
    })
    .unwrap();

    chain.cut(0).unwrap();
    let here = ana.log_in(&store).unwrap();
    assert_eq!(here.get("/v1/me").unwrap().status, 200);

    // Who works for the whole chain comes with central's token, also now.
    let token = cai.log_in(&central).unwrap().headers[0].1.clone();
    let at_store = store.client().with("Authorization", &token);
    until_true("the store knows the key of central", SOON, || {
        at_store.get("/v1/me").is_ok_and(|answer| answer.status == 200)
    })
    .unwrap();
    let back = central.client().with("Authorization", &here.headers[0].1);
    assert_eq!(back.get("/v1/me").unwrap().status, 401, "a store's token is nobody's at central");

    // Passwords change at central.
    let change = json!({ "current_password": PASSWORD, "new_password": "cuatro tigres tristes" });
    let refused = here.post("/v1/auth/password", &change).unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "decided-by-central"), "{refused:?}");
    assert_eq!(refused.json()["gateway_url"], CENTRAL);

    // Disabled at central: out there at once, at the store when it hears of it.
    let there = ana.log_in(&central).unwrap();
    ana.deactivate(&mut chain.central.connect().unwrap()).unwrap();
    assert_eq!(there.get("/v1/me").unwrap().status, 401);
    assert_eq!(here.get("/v1/me").unwrap().status, 200);
    chain.mend(0).unwrap();
    until_true("the store has heard", SOON, || here.get("/v1/me").is_ok_and(|answer| answer.status == 401)).unwrap();
    assert!(!logs_in());
}

#[test]
fn what_cut_somebody_off_at_central_ends_her_sessions_at_the_store() {
    let (lab, chain) = (Lab::open().unwrap(), Chain::joined(1).unwrap());
    let central = Gateway::start(&lab, &chain.central, CENTRAL, &[]).unwrap();
    let mut store = Gateway::start(&lab, &chain.stores[0], "http://s01.test", &["--central-issuer", CENTRAL]).unwrap();
    let ana = hire(&lab, &chain.central, "ana", "cashier", Some(1), None).unwrap();
    hire(&lab, &chain.central, "cai", "manager", None, None).unwrap();
    let boss = hire(&lab, &chain.central, "boss", "admin", None, None).unwrap().log_in(&central).unwrap();
    let key = json!({ "node": "S01", "public_key": store.public_key(&lab).unwrap() });
    assert_eq!(boss.post("/v1/gateway-keys", &key).unwrap().status, 204);
    let log_in = |gateway: &Gateway, code: &str, password: &str| {
        let body = json!({ "code": code, "password": password });
        gateway.client().post("/v1/auth/login", &body).unwrap()
    };
    let sealed = |yes: bool| {
        let sealed = "select from sec.verifier where not deleted and sealed <> ''";
        chain.stores[0].connect().unwrap().query(sealed, &[]).unwrap().is_empty() != yes
    };
    until_true("her password is at the store", SOON, || sealed(true)).unwrap();
    let token = |answer: &tpv_lab::gateway::Answer, which: &str| answer.json()[which].as_str().unwrap().to_owned();
    let me = |gateway: &Gateway, access: &str| gateway.client().bearer(access).get("/v1/me").unwrap().status;
    let refresh = |gateway: &Gateway, token: &str| {
        gateway.client().post("/v1/auth/refresh", &json!({ "refresh_token": token })).unwrap().status
    };

    // Her sessions at the store, and one of central's that was shown there.
    let theirs = log_in(&store, "ana", PASSWORD);
    let roving = token(&log_in(&central, "cai", PASSWORD), "access_token");
    assert_eq!(me(&store, &token(&theirs, "access_token")), 200);
    until_true("the store knows the key of central", SOON, || me(&store, &roving) == 200).unwrap();

    let heard = "select exists (select from sync.peer_vector v where v.seq >= \
                 (select max(o.seq) from wire.op o where o.node_id = v.writer_id and o.node_id = 100))";
    until_true("the store said that it knows them", SOON, || {
        chain.central.connect().unwrap().query_one(heard, &[]).is_ok_and(|row| row.get(0))
    })
    .unwrap();
    // The passwords are changed while the line is cut and the store's gateway is down.
    chain.cut(0).unwrap();
    store.stop().unwrap();
    let change = json!({ "current_password": PASSWORD, "new_password": "cuatro tigres tristes" });
    for code in ["ana", "cai"] {
        let hers = token(&log_in(&central, code, PASSWORD), "access_token");
        assert_eq!(central.client().bearer(&hers).post("/v1/auth/password", &change).unwrap().status, 204);
        assert_eq!(me(&central, &hers), 200, "the session in which she changed it goes on");
    }
    let pending = boss.get("/v1/pending-revocations").unwrap().json();
    let codes: Vec<_> = pending["items"].as_array().unwrap().iter().map(|item| item["code"].clone()).collect();
    assert_eq!(codes.len(), 2, "{codes:?}");
    chain.mend(0).unwrap();
    chain.converge().unwrap();
    store = Gateway::start(&lab, &chain.stores[0], "http://s01.test", &["--central-issuer", CENTRAL]).unwrap();
    assert_eq!(me(&store, &token(&theirs, "access_token")), 401);
    assert_eq!(refresh(&store, &token(&theirs, "refresh_token")), 401);
    until_true("the store knows the key of central", SOON, || {
        me(&store, &token(&log_in(&central, "cai", "cuatro tigres tristes"), "access_token")) == 200
    })
    .unwrap();
    assert_eq!(me(&store, &roving), 401);
    until_true("the new password is at the store", SOON, || sealed(true)).unwrap();
    assert_eq!(log_in(&store, "ana", PASSWORD).status, 401);
    let again = log_in(&store, "ana", "cuatro tigres tristes");
    assert_eq!(again.status, 200, "{again:?}");
    until_true("nobody is pending", SOON, || {
        boss.get("/v1/pending-revocations").unwrap().json()["items"].as_array().is_some_and(Vec::is_empty)
    })
    .unwrap();

    // Disabled, and let in again: what was cut off stays so.
    let mut dba = chain.central.connect().unwrap();
    dba.execute("update party.employee set active = false where employee_id = $1", &[&ana.employee]).unwrap();
    dba.execute("update party.employee set active = true where employee_id = $1", &[&ana.employee]).unwrap();
    until_true("the store has heard", SOON, || me(&store, &token(&again, "access_token")) == 401).unwrap();
    assert_eq!(refresh(&store, &token(&again, "refresh_token")), 401);
    assert_eq!(log_in(&store, "ana", "cuatro tigres tristes").status, 200);
}

#[test]
fn a_copy_of_another_store_opens_no_password() {
    let (lab, chain) = (Lab::open().unwrap(), Chain::joined(2).unwrap());
    let central = Gateway::start(&lab, &chain.central, CENTRAL, &[]).unwrap();
    let stores = [0, 1].map(|n| {
        let issuer = ["http://s01.test", "http://s02.test"][n];
        Gateway::start(&lab, &chain.stores[n], issuer, &["--central-issuer", CENTRAL]).unwrap()
    });
    let ana = hire(&lab, &chain.central, "ana", "cashier", Some(1), None).unwrap();
    let boss = hire(&lab, &chain.central, "boss", "admin", None, None).unwrap().log_in(&central).unwrap();
    for (store, code) in stores.iter().zip(["S01", "S02"]) {
        let key = json!({ "node": code, "public_key": store.public_key(&lab).unwrap() });
        assert_eq!(boss.post("/v1/gateway-keys", &key).unwrap().status, 204);
    }
    let boxes = || {
        let sealed = "select sealed from sec.verifier where not deleted";
        chain.stores[1].connect().unwrap().query(sealed, &[]).unwrap().into_iter().map(|row| row.get(0)).collect()
    };
    until_true("the box has arrived at the other store too", SOON, || !Vec::<String>::is_empty(&boxes())).unwrap();
    // Moved to the store that it is not for, it opens nothing.
    let mut dba = chain.stores[1].connect().unwrap();
    dba.batch_execute("set session_replication_role = replica; update sec.verifier set node_id = 2").unwrap();
    assert_eq!(ana.try_log_in(&stores[1]).unwrap().status, 401);
}
