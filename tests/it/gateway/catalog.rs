//! Places, and what is sold there.

use serde_json::json;

use super::{Store, walk};

#[test]
fn places_are_shown_to_those_who_work_there() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let shown = ana.get("/v1/stores/1").unwrap();
    assert_eq!((shown.status, &shown.json()["code"]), (200, &json!("S01")), "{shown:?}");
    let tag = shown.header("etag").unwrap();
    assert_eq!(ana.with("If-None-Match", tag).get("/v1/stores/1").unwrap().status, 304);
    assert_eq!(walk(&ana, "/v1/stores").len(), 1);
    assert_eq!(walk(&ana, "/v1/departments?limit=3").len(), 4);
    assert_eq!(walk(&ana, "/v1/terminals?limit=7").len(), 20);
    let of_fish = walk(&ana, "/v1/terminals?department=04&limit=2");
    assert_eq!(of_fish.len(), 5);
    let path = format!("/v1/terminals/{}", of_fish[0]["terminal_id"].as_str().unwrap());
    assert_eq!(ana.get(&path).unwrap().json(), of_fish[0]);
    let lessee =
        tpv_lab::gateway::hire(&store.rig.lab, &store.rig.cluster, "leo", "concessionaire", Some(1), Some("02"));
    let leo = lessee.unwrap().log_in(&store.gateway).unwrap();
    assert_eq!(leo.get(&path).unwrap().status, 404);
    assert_eq!(walk(&leo, "/v1/departments").len(), 1);
}

#[test]
fn a_product_has_codes_taxes_and_prices_of_all_times() {
    let store = Store::open();
    store
        .dba()
        .batch_execute(
            "set role tpv_owner;
             insert into catalog.tax (code, name) values ('R', 'Reduced'), ('S', 'Super reduced');
             insert into catalog.tax_rate (tax_id, rate, valid_from)
             select tax_id, rate, day from catalog.tax, (values (10.00, date '2020-01-01'), (11, '2026-01-01')) r (rate, day)
              where code = 'R';
             insert into catalog.product (sku, description, tax_id) select 'A1', 'Milk', tax_id from catalog.tax where code = 'R';
             insert into catalog.barcode (gtin14, product_id)
             select code, product_id from catalog.product, unnest(array['08480000123459', '08480000123466']) code;
             insert into catalog.local_code (node_id, code, product_id) select 1, '4011', product_id from catalog.product;
             insert into catalog.price (product_id, node_id, price, valid_from)
             select product_id, node, price, now() + days * interval '1 day' from catalog.product,
                    (values (null::int, 1.00, -9), (null, 1.10, -2), (1, 1.05, -1), (null, 1.20, 7)) p (node, price, days)",
        )
        .unwrap();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    let product = walk(&ana, "/v1/products")[0]["product_id"].as_str().unwrap().to_owned();
    let prices = walk(&ana, &format!("/v1/products/{product}/prices?limit=1"));
    let told: Vec<_> = prices.iter().map(|one| (&one["price"], &one["holds"])).collect();
    let expected = [("1.2000", "later"), ("1.0500", "now"), ("1.1000", "now"), ("1.0000", "before")]
        .map(|(price, holds)| (json!(price), json!(holds)));
    assert_eq!(told, expected.iter().map(|(price, holds)| (price, holds)).collect::<Vec<_>>());
    let now = walk(&ana, &format!("/v1/products/{product}/prices?holds=now&node=1"));
    assert_eq!(now.len(), 2);
    let path = format!("/v1/prices/{}", now[0]["price_id"].as_str().unwrap());
    assert_eq!(ana.get(&path).unwrap().json(), now[0]);
    let codes = walk(&ana, &format!("/v1/barcodes?product={product}&limit=1"));
    assert_eq!(codes.len(), 2);
    assert_eq!(walk(&ana, "/v1/barcodes?gtin14=08480000123466").len(), 1);
    assert_eq!(walk(&ana, "/v1/local-codes?code=4011&node=1").len(), 1);
    let taxes = walk(&ana, "/v1/taxes?limit=1");
    assert_eq!((&taxes[0]["rates"][0]["rate"], taxes.len()), (&json!("11.00"), 2), "{taxes:?}");
    for nothing in ["prices", "barcodes", "local-codes", "taxes"] {
        assert_eq!(ana.get(&format!("/v1/{nothing}/{product}")).unwrap().status, 404, "{nothing}");
    }
    assert_eq!(ana.get(&format!("/v1/products/{product}/prices?holds=never")).unwrap().status, 422);
}

#[test]
fn customers_are_found_whatever_the_case() {
    let store = Store::open();
    let ana = store.hire("ana", "cashier").log_in(&store.gateway).unwrap();
    for (name, email) in [("Zoe Gil", "Zoe@Example.com"), ("zoila Rey", "z2@example.com"), ("Ana", "a@example.com")] {
        let made = ana.post("/v1/customers", &json!({ "name": name, "email": email, "phone": "600 000 001" })).unwrap();
        assert_eq!(made.status, 201, "{made:?}");
    }
    let names = |query: &str| -> Vec<String> {
        let found = walk(&ana, &format!("/v1/customers?limit=1&{query}"));
        found.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("q=ZO"), ["Zoe Gil", "zoila Rey"]);
    assert_eq!(names("email=zoe@example.COM"), ["Zoe Gil"]);
    assert_eq!(names("phone=600+000+001"), ["Ana", "Zoe Gil", "zoila Rey"]);
    assert_eq!(names("q=x"), [""; 0]);
}
