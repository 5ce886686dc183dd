//! Lists, items and writes.

use serde_json::{Value, json};
use tpv_lab::store::Receipts;

use super::Store;
use crate::support::sell;

#[test]
fn a_customer_is_made_once_changed_in_the_version_that_was_seen_and_deleted() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let once = ana.with("Idempotency-Key", "k-1");
    let body = json!({ "name": "Eva Gil", "email": "eva@example.com", "credit_limit": "100.50" });
    let made = once.post("/v1/customers", &body).unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let again = once.post("/v1/customers", &body).unwrap();
    assert_eq!((again.status, again.json(), again.header("idempotency-replayed")), (201, made.json(), Some("true")));
    let other = once.post("/v1/customers", &json!({ "name": "Another" })).unwrap();
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"), "{other:?}");
    assert_eq!(made.json()["credit_limit"], json!("100.50"));

    let path = made.header("location").unwrap().to_owned();
    let shown = ana.get(&path).unwrap();
    assert_eq!((shown.status, shown.header("etag")), (200, made.header("etag")), "{shown:?}");
    let tag = shown.header("etag").unwrap().to_owned();
    assert_eq!(ana.with("If-None-Match", &tag).get(&path).unwrap().status, 304);

    let change = json!({ "city": "Bilbao" }).to_string();
    let blind = ana.send("PATCH", &path, Some(&change)).unwrap();
    assert_eq!((blind.status, blind.code().as_str()), (428, "version_needed"));
    let changed = ana.with("If-Match", &tag).send("PATCH", &path, Some(&change)).unwrap();
    assert_eq!((changed.status, &changed.json()["city"]), (200, &json!("Bilbao")), "{changed:?}");
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    assert_eq!(ana.with("If-Match", &tag).send("PATCH", &path, Some(&change)).unwrap().status, 412);
    let faults = json!({ "name": "x".repeat(300), "credit_limit": "1e3", "shoe_size": 40 });
    let faulty = ana.with("If-Match", changed.header("etag").unwrap()).send("PATCH", &path, Some(&faults.to_string()));
    let faulty = faulty.unwrap();
    assert_eq!((faulty.status, faulty.json()["errors"].as_array().map(Vec::len)), (422, Some(2)), "{faulty:?}");

    let deleted = ana.with("If-Match", changed.header("etag").unwrap()).send("DELETE", &path, None).unwrap();
    assert_eq!(deleted.status, 204, "{deleted:?}");
    assert_eq!(ana.get(&path).unwrap().status, 404);
}

#[test]
fn fifty_parallel_identical_writes_have_one_effect() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap().with("Idempotency-Key", "all-the-same");
    let threads: Vec<_> = (0..50)
        .map(|_| {
            let client = ana.clone();
            std::thread::spawn(move || client.post("/v1/customers", &json!({ "name": "One of Fifty" })).unwrap())
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let made: Vec<&_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty() && made.iter().all(|answer| answer.json() == made[0].json()), "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409 | 503)), "{answers:?}");
    let count: i64 = store.dba().query_one("select count(*) from party.customer", &[]).unwrap().get(0);
    assert_eq!(count, 1);
}

/// The stored answer held her values, and so it was erased with them.
#[test]
fn a_repeated_request_for_who_was_erased_is_told_so() {
    let store = Store::open();
    let mia = store.hire("mia", "manager").log_in(&store.gateway).unwrap();
    let once = mia.with("Idempotency-Key", "k1");
    let made = once.post("/v1/customers", &json!({ "name": "Rosa" })).unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/v1/customers/{}/erase", made.json()["customer_id"].as_str().unwrap());
    for erased in [1, 0] {
        let answer = mia.post(&path, &json!({ "why": "request 17" })).unwrap();
        assert!(answer.status < 300, "{erased}: {answer:?}");
    }
    let again = once.post("/v1/customers", &json!({ "name": "Rosa" })).unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "erased"), "{again:?}");
}

#[test]
fn a_list_goes_on_where_it_ended() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    for name in ["E", "b", "A", "D", "c"] {
        assert_eq!(ana.post("/v1/customers", &json!({ "name": name })).unwrap().status, 201);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/customers?limit=2".to_owned());
    loop {
        let page = ana.get(&path).unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.json()["items"].as_array().cloned().unwrap();
        seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(link) = page.header("link") else { break };
        path = link.split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(seen, ["A", "b", "c", "D", "E"]);
    let next = ana.get("/v1/customers?limit=2").unwrap().json()["next"].as_str().unwrap().to_owned();
    assert_eq!(ana.get(&format!("/v1/customers?limit=2&q=A&cursor={next}")).unwrap().status, 422);
}

#[test]
fn receipts_are_seen_by_whoever_has_their_place() {
    let store = Store::open();
    sell(&store.rig.cluster, &mut Receipts::new(7), 6);
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let lessee =
        tpv_lab::gateway::hire(&store.rig.lab, &store.rig.cluster, "leo", "concessionaire", Some(1), Some("02"));
    let leo = lessee.unwrap().log_in(&store.gateway).unwrap();
    let page = ana.get("/v1/receipts?limit=4").unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    let items: Vec<Value> = page.json()["items"].as_array().cloned().unwrap();
    assert_eq!(items.len(), 4);
    let ids: Vec<_> = items.iter().map(|item| item["receipt_id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    assert!(items[0]["total"].is_string());
    let path = format!("/v1/receipts/1/{}", ids[0]);
    assert_eq!(ana.get(&path).unwrap().status, 200);
    let lines = ana.get(&format!("{path}/lines")).unwrap();
    assert!(lines.json()["items"][0]["price"].is_string(), "{lines:?}");
    assert_eq!(ana.get(&format!("{path}/events")).unwrap().status, 200);
    // T01 is of department 01: nothing of it is there for the lessee of 02.
    assert_eq!(leo.get("/v1/receipts").unwrap().json()["items"], json!([]));
    assert_eq!(leo.get(&path).unwrap().status, 404);
    assert_eq!(leo.get(&format!("{path}/lines")).unwrap().status, 404);
    let refused = leo.get("/v1/customers").unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (403, "insufficient_scope"));
}

#[test]
fn a_decision_is_for_those_who_may_and_is_made_once() {
    let store = Store::open();
    sell(&store.rig.cluster, &mut Receipts::new(7), 1);
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let eva = store.hire("eva", "supervisor").log_in(&store.gateway).unwrap();
    let receipt = ana.get("/v1/receipts").unwrap().json()["items"][0].clone();
    let path = format!("/v1/receipts/1/{}/void", receipt["receipt_id"].as_str().unwrap());
    let why = json!({ "why": "printed twice" });
    assert_eq!(ana.post(&path, &why).unwrap().status, 403);
    assert_eq!(eva.post(&path, &json!({})).unwrap().status, 422);
    let once = eva.with("Idempotency-Key", "void-1");
    let voided = once.post(&path, &why).unwrap();
    assert_eq!((voided.status, &voided.json()["state"]), (200, &json!("voided")), "{voided:?}");
    assert_eq!(once.post(&path, &why).unwrap().json(), voided.json());
    assert_eq!(eva.post(&path.replace("/1/", "/2/"), &why).unwrap().status, 404);
    let events = eva.get(&path.replace("void", "events")).unwrap();
    assert!(events.body.contains("employee:"), "{events:?}");
}

#[test]
fn a_scan_says_what_a_code_is_and_costs() {
    let store = Store::open();
    let mut dba = store.dba();
    dba.batch_execute(
        "set role tpv_owner;
         with p as (insert into catalog.product (sku, description) values ('A1', 'Milk') returning product_id),
              b as (insert into catalog.barcode (gtin14, product_id) select '08480000123459', product_id from p)
         insert into catalog.price (product_id, price, valid_from) select product_id, 1.2500, now() - interval '1 day' from p",
    )
    .unwrap();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let scanned = ana.get("/v1/scan/8480000123459").unwrap();
    assert_eq!((scanned.status, &scanned.json()["price"]), (200, &json!("1.2500")), "{scanned:?}");
    assert_eq!(scanned.json()["how"], "gtin");
    assert_eq!(ana.get("/v1/scan/4011").unwrap().status, 404);
    let products = ana.get("/v1/products?q=Mi").unwrap();
    assert_eq!(products.json()["items"][0]["sku"], "A1", "{products:?}");
    let id = products.json()["items"][0]["product_id"].as_str().unwrap().to_owned();
    let product = ana.get(&format!("/v1/products/{id}")).unwrap();
    assert_eq!((product.status, product.header("cache-control")), (200, Some("private, no-cache")), "{product:?}");
}
