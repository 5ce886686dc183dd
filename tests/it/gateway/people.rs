//! Employees and their roles, at a store that is alone and so decides about them itself.

use serde_json::json;
use tpv_lab::gateway::{Client, hire};

use super::{Store, walk};

fn of(store: &Store, code: &str, role: &str) -> Client {
    hire(&store.rig.lab, &store.rig.cluster, code, role, None, None).unwrap().log_in(&store.gateway).unwrap()
}

#[test]
fn an_employee_is_made_given_a_role_changed_and_loses_it() {
    let store = Store::open();
    let boss = of(&store, "boss", "admin");
    let made = boss.post("/v1/employees", &json!({ "code": "luz", "name": "Luz Sol" })).unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let taken = boss.post("/v1/employees", &json!({ "code": "luz", "name": "Another" })).unwrap();
    assert_eq!((taken.status, taken.code().as_str()), (409, "code-taken"), "{taken:?}");
    let path = made.header("location").unwrap().to_owned();
    let tag = boss.get(&path).unwrap().header("etag").unwrap().to_owned();
    let renamed = boss.with("If-Match", &tag).send("PATCH", &path, Some(r#"{"name": "Luz Mar"}"#)).unwrap();
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Luz Mar")), "{renamed:?}");
    assert_eq!(boss.with("If-Match", &tag).send("PATCH", &path, Some(r#"{"name": "x"}"#)).unwrap().status, 412);

    let grants = format!("{path}/role-grants");
    let faulty = boss.post(&grants, &json!({ "role": "cashier", "node": "S09" })).unwrap();
    assert_eq!((faulty.status, &faulty.json()["errors"][0]["code"]), (422, &json!("unknown-store")), "{faulty:?}");
    let given = boss.post(&grants, &json!({ "role": "cashier", "node": "S01", "department": "04" })).unwrap();
    assert_eq!(given.status, 201, "{given:?}");
    let grant = given.header("location").unwrap().to_owned();
    let tag = given.header("etag").unwrap().to_owned();
    let changed = boss.with("If-Match", &tag).send("PATCH", &grant, Some(r#"{"valid_to": "2999-12-31"}"#)).unwrap();
    assert_eq!((changed.status, &changed.json()["valid_to"]), (200, &json!("2999-12-31")), "{changed:?}");
    let employee = made.json()["employee_id"].as_str().unwrap().to_owned();
    assert_eq!(walk(&boss, &format!("/v1/role-grants?employee={employee}&role=cashier&node=1")).len(), 1);
    let tag = changed.header("etag").unwrap().to_owned();
    assert_eq!(boss.with("If-Match", &tag).send("DELETE", &grant, None).unwrap().status, 204);
    assert_eq!(boss.get(&grant).unwrap().status, 404);
    assert_eq!(walk(&boss, "/v1/employees?q=LUZ&limit=1").len(), 1);
    assert_eq!(walk(&boss, "/v1/employees?limit=1").len(), 3);
    assert_eq!(walk(&boss, "/v1/pending-revocations").len(), 0);
    let ana = of(&store, "ana", "cashier");
    assert_eq!((ana.get("/v1/employees").unwrap().status, ana.get(&path).unwrap().status), (403, 403));
}

#[test]
fn whoever_is_blocked_is_out_at_once_and_it_is_on_record() {
    let store = Store::open();
    let (boss, ana) = (of(&store, "boss", "manager"), store.hire("ana", "cashier"));
    let client = ana.log_in(&store.gateway).unwrap();
    let path = format!("/v1/employees/{}", ana.employee);
    let why = json!({ "why": "her card was stolen" });
    let blocked = boss.post(&format!("{path}/block"), &why).unwrap();
    assert_eq!((blocked.status, &blocked.json()["sessions_ended"]), (200, &json!(1)), "{blocked:?}");
    assert_eq!(client.get("/v1/me").unwrap().status, 401);
    assert_eq!(ana.try_log_in(&store.gateway).unwrap().status, 401);
    assert_eq!(boss.post(&format!("{path}/block"), &why).unwrap().code(), "state");
    assert_eq!(walk(&boss, "/v1/employees?blocked=true").len(), 1);
    assert_eq!(boss.post(&format!("{path}/unblock"), &why).unwrap().status, 200);
    let events = walk(&boss, "/v1/audit?event=BLOCKED&limit=1");
    assert!(events[0]["actor"].as_str().unwrap().starts_with("employee:"), "{events:?}");
    let one = format!("/v1/audit/{}", events[0]["audit_id"]);
    assert_eq!(boss.get(&one).unwrap().json(), events[0]);
    assert_eq!(walk(&boss, "/v1/audit?until=2020-01-01T00:00:00Z").len(), 0);
}
