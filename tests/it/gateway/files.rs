//! Receipts as people look for them, their files, and files that are no receipts.

use serde_json::{Value, json};
use tpv_lab::store::{Oddity, Receipts};

use super::{Store, walk};
use crate::support::{INGEST, sell};

/// Hands in one odd file of T01.
fn hand_in(store: &Store, receipts: &mut Receipts, oddity: Oddity) {
    let file = receipts.odd(oddity, "T01");
    store.dba().execute(INGEST, &[&file.terminal, &file.bytes]).unwrap();
}

fn first(page: &Value) -> Value {
    page["items"][0].clone()
}

#[test]
fn a_receipt_is_found_by_what_a_customer_says() {
    let store = Store::open();
    let mut receipts = Receipts::new(7);
    sell(&store.rig.cluster, &mut receipts, 3);
    hand_in(&store, &mut receipts, Oddity::TotalOff);
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let get = |path: &str| {
        let answer = ana.get(path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    };
    let all = walk(&ana, "/v1/receipts?limit=2");
    assert_eq!(all.len(), 4);
    let one = &all[1];
    let (number, total) = (one["receipt_number"].as_str().unwrap(), one["total"].as_str().unwrap());
    let by_number = get(&format!("/v1/receipts?number={number}"));
    assert_eq!(first(&by_number)["receipt_id"], one["receipt_id"]);
    let short = &number[number.len() - 3..];
    let at_counter = get(&format!("/v1/receipts?department=01&short_number={short}&total={total}"));
    assert_eq!(first(&at_counter)["receipt_id"], one["receipt_id"]);
    let day = one["business_date"].as_str().unwrap();
    assert_eq!(get(&format!("/v1/receipts?business_date={day}&state=accepted"))["items"].as_array().unwrap().len(), 3);
    let held = get("/v1/receipts?state=held");
    assert_eq!((&first(&held)["hold_code"], held["items"].as_array().unwrap().len()), (&json!("TOTAL_MISMATCH"), 1));
    assert_eq!(get("/v1/receipts?department=02&hours=1")["items"], json!([]));
    for refused in ["short_number=x", "total=1e3", "hours=0", "state=odd", "business_date=30-11-2026", "offset=1"] {
        assert_eq!(ana.get(&format!("/v1/receipts?{refused}")).unwrap().status, 422, "{refused}");
    }
}

#[test]
fn files_are_saved_as_they_came_and_as_they_were_published() {
    let store = Store::open();
    let mut receipts = Receipts::new(7);
    let file = receipts.good("T01");
    store.dba().execute(INGEST, &[&file.terminal, &file.bytes]).unwrap();
    let eva = store.hire("eva", "supervisor").log_in(&store.gateway).unwrap();
    let receipt = first(&eva.get("/v1/receipts").unwrap().json());
    let path = format!("/v1/receipts/1/{}", receipt["receipt_id"].as_str().unwrap());
    let raw = eva.get(&format!("{path}/raw")).unwrap();
    assert_eq!(raw.json()["items"][0]["outcome"], "accepted", "{raw:?}");
    let bytes = eva.get(&format!("{path}/raw/{}/file", raw.json()["items"][0]["raw_id"])).unwrap();
    assert_eq!((bytes.status, bytes.body.as_bytes()), (200, file.bytes.as_slice()));
    assert_eq!(bytes.header("content-type"), Some("application/octet-stream"));
    assert_eq!(bytes.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(bytes.header("cache-control"), Some("no-store"));
    assert!(bytes.header("content-disposition").unwrap().starts_with("attachment;"), "{bytes:?}");
    let dat = eva.get(&format!("{path}/dat")).unwrap();
    assert_eq!((dat.status, &dat.json()["state"]), (200, &json!("published")), "{dat:?}");
    let published = eva.get(&format!("{path}/dat/file")).unwrap();
    // It is not UTF-8.
    assert_eq!(
        published.header("content-length"),
        Some(dat.json()["size_bytes"].to_string().as_str()),
        "{published:?}"
    );
    // A cashier reads no raw file, and nobody one of another store.
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    assert_eq!(ana.get(&format!("{path}/raw")).unwrap().status, 403);
    assert_eq!(eva.get(&path.replace("/1/", "/2/")).unwrap().status, 404);
    assert_eq!(eva.get(&format!("{}/dat", path.replace("/1/", "/2/"))).unwrap().status, 404);
    assert_eq!(eva.with("Accept", "application/json").get(&format!("{path}/dat/file")).unwrap().status, 406);
}

#[test]
fn rejected_files_say_why() {
    let store = Store::open();
    let mut receipts = Receipts::new(7);
    for oddity in [Oddity::Truncated, Oddity::NoItems, Oddity::Trailing] {
        hand_in(&store, &mut receipts, oddity);
    }
    let eva = store.hire("eva", "supervisor").log_in(&store.gateway).unwrap();
    let all = walk(&eva, "/v1/rejected?limit=1");
    assert_eq!(all.iter().map(|one| &one["code"]).collect::<Vec<_>>(), ["TRAILING_DATA", "NO_ITEMS", "TRUNCATED"]);
    assert_eq!(walk(&eva, "/v1/rejected?code=NO_ITEMS&terminal=T01").len(), 1);
    let path = format!("/v1/rejected/{}", all[2]["rejected_id"]);
    assert_eq!(eva.get(&path).unwrap().json(), all[2]);
    assert_eq!(eva.get(&format!("{path}/file")).unwrap().body.len(), 90);
    assert_eq!(eva.get("/v1/rejected/999").unwrap().status, 404);
    let lessee =
        tpv_lab::gateway::hire(&store.rig.lab, &store.rig.cluster, "leo", "concessionaire", Some(1), Some("02"));
    let leo = lessee.unwrap().log_in(&store.gateway).unwrap();
    assert_eq!(leo.get("/v1/rejected").unwrap().json()["items"], json!([]));
    assert_eq!(leo.get(&path).unwrap().status, 404);
}
