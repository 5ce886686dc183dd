//! What is decided about the chain, and about a day.

use serde_json::json;

use super::{Store, walk};

#[test]
fn what_waits_is_listed_and_decided() {
    let store = Store::open();
    store
        .dba()
        .batch_execute(
            "set role tpv_owner;
             insert into sync.quarantine (node_id, kind, code, detail, refused)
             select 1, 'party.customer', 'FORGED_SENDER', 'x', '{}' from generate_series(1, 3);
             insert into sync.drift (node_id, what, subject, from_seq, to_seq, detail) values (1, 'operations', '1', 1, 9, 'x')",
        )
        .unwrap();
    let boss = store.hire("boss", "manager").log_in(&store.gateway).unwrap();
    let eva = store.hire("eva", "supervisor").log_in(&store.gateway).unwrap();
    let waiting = walk(&boss, "/v1/quarantine?limit=2&open=true");
    assert_eq!(waiting.len(), 3);
    let path = format!("/v1/quarantine/{}", waiting[0]["quarantine_id"]);
    assert_eq!(boss.get(&path).unwrap().json(), waiting[0]);
    let (dismiss, why) = (format!("{path}/dismiss"), json!({ "why": "looked at" }));
    assert_eq!(eva.post(&dismiss, &why).unwrap().status, 403);
    assert_eq!(boss.post(&dismiss, &json!({})).unwrap().status, 422);
    assert_eq!(boss.post(&dismiss, &why).unwrap().json()["resolved"], true);
    let again = boss.post(&dismiss, &why).unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "state"), "{again:?}");
    assert_eq!(walk(&boss, "/v1/quarantine?open=true").len(), 2);
    assert_eq!(boss.post("/v1/quarantine/999/replay", &json!({})).unwrap().status, 404);
    let drift = walk(&boss, "/v1/drift?open=true");
    let accept = format!("/v1/drift/{}/accept", drift[0]["drift_id"]);
    assert_eq!(boss.post(&accept, &why).unwrap().json()["resolved"], true);
    assert_eq!(walk(&boss, "/v1/drift?open=true").len(), 0);
    let nodes = walk(&boss, "/v1/nodes");
    assert_eq!((&nodes[0]["node"], &nodes[0]["direction"]), (&json!("S01"), &json!("here")), "{nodes:?}");
    assert_eq!(boss.get("/v1/nodes/1/here").unwrap().json()["quarantined"], 2);
    assert_eq!(boss.get("/v1/nodes/1/sends").unwrap().status, 404);
}

#[test]
fn a_conflict_is_settled_once() {
    let store = Store::open();
    let boss = store.hire("boss", "manager").log_in(&store.gateway).unwrap();
    assert_eq!(walk(&boss, "/v1/siblings?table=party.customer&review=true").len(), 0);
    let path = "/v1/siblings/party.customer/00000000-0000-7000-8000-0000000000aa/city";
    assert_eq!(boss.get(path).unwrap().status, 404);
    assert_eq!(boss.post(&format!("{path}/settle"), &json!({ "node_id": 1, "seq": 1 })).unwrap().status, 404);
    // Two who are one.
    let make = |name: &str| boss.post("/v1/customers", &json!({ "name": name })).unwrap().json();
    let (one, other) = (make("Eva Gil"), make("E. Gil"));
    let alias = format!("/v1/aliases/party.customer/{}", other["customer_id"].as_str().unwrap());
    let made = boss.post(&alias, &json!({ "of_key": one["customer_id"] })).unwrap();
    assert_eq!(made.status, 204, "{made:?}");
    let shown = boss.get(&format!("/v1/customers/{}", other["customer_id"].as_str().unwrap())).unwrap();
    assert_eq!(shown.json()["alias_of"], one["customer_id"], "{shown:?}");
    assert_eq!(boss.post(&alias, &json!({ "of_key": null })).unwrap().status, 204);
}

#[test]
fn a_day_is_closed_at_its_store() {
    let store = Store::open();
    let boss = store.hire("boss", "manager").log_in(&store.gateway).unwrap();
    let day = json!({ "business_date": "2026-01-05", "why": "counted" });
    let closed = boss.post("/v1/stores/1/close-day", &day).unwrap();
    assert_eq!((closed.status, &closed.json()["business_date"]), (200, &json!("2026-01-05")), "{closed:?}");
    assert_eq!(boss.post("/v1/stores/2/close-day", &day).unwrap().status, 404);
    assert_eq!(boss.post("/v1/stores/1/close-day", &json!({ "business_date": "yesterday" })).unwrap().status, 422);
    let eva = store.hire("eva", "supervisor").log_in(&store.gateway).unwrap();
    assert_eq!(eva.post("/v1/stores/1/close-day", &day).unwrap().status, 403);
}
