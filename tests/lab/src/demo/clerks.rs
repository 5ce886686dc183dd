//! What clerks, operators and central's people do, as statements.

use anyhow::{Result, ensure};
use postgres::Client;
use serde_json::json;
use uuid::Uuid;

use crate::gateway::Doors;
use crate::node::Node;

/// Street and number, postal code, city.
pub type Address = [&'static str; 3];

/// A customer who tells two clerks different things.
#[derive(Clone, Copy, Debug)]
pub struct Customer {
    pub name: &'static str,
    pub home: Address,
    pub told_store: Address,
    pub told_central: Address,
}

/// They take turns.
pub const CUSTOMERS: [Customer; 4] = [
    Customer {
        name: "Ana Ruiz",
        home: ["Calle Mayor 1", "28013", "Madrid"],
        told_store: ["Calle Toledo 5", "28005", "Madrid"],
        told_central: ["Gran Vía 12", "28013", "Madrid"],
    },
    Customer {
        name: "Bruno Sanz",
        home: ["Calle Serrano 3", "28001", "Madrid"],
        told_store: ["Calle Real 8", "40001", "Segovia"],
        told_central: ["Calle Alcalá 9", "28014", "Madrid"],
    },
    Customer {
        name: "Carmen Gil",
        home: ["Calle Goya 20", "28001", "Madrid"],
        told_store: ["Calle Ancha 2", "45001", "Toledo"],
        told_central: ["Calle Ibiza 7", "28009", "Madrid"],
    },
    Customer {
        name: "Diego Vera",
        home: ["Calle Atocha 4", "28012", "Madrid"],
        told_store: ["Calle Luna 6", "28004", "Madrid"],
        told_central: ["Calle Jardines 1", "19001", "Yebes"],
    },
];

/// Its prices, one after the other.
pub const PRICES: [&str; 4] = ["12.90", "11.90", "13.50", "12.20"];
/// The product whose price changes.
pub const PRODUCT: &str = "MERLUZA";

/// A new customer, who allows everything.
pub fn add_customer(dba: &mut Client, customer: &Customer) -> Result<Uuid> {
    let [street, postcode, city] = customer.home;
    let row = dba.query_one(
        "insert into party.customer (name, street, postcode, city, country, tags, consent) \
         values ($1, $2, $3, $4, 'ES', '[\"club\"]', 'all') returning customer_id",
        &[&customer.name, &street, &postcode, &city],
    )?;
    Ok(row.get(0))
}

/// The customer has moved, allows less than before, and has one more tag: all in one statement, as
/// a clerk saves a form.
pub fn edit_customer(dba: &mut Client, customer: Uuid, moved_to: Address, consent: &str, tag: &str) -> Result<()> {
    let [street, postcode, city] = moved_to;
    dba.execute(
        "update party.customer set street = $2, postcode = $3, city = $4, consent = $5, tags = tags || to_jsonb($6::text) \
          where customer_id = $1",
        &[&customer, &street, &postcode, &city, &consent, &tag],
    )?;
    Ok(())
}

/// The product with its first price.
pub fn add_product(central: &mut Client) -> Result<Uuid> {
    let insert =
        "insert into catalog.product (sku, description, unit) values ('2100128', $1, 'kg') returning product_id";
    let product: Uuid = central.query_one(insert, &[&PRODUCT])?.get(0);
    set_price(central, product, PRICES[0])?;
    Ok(product)
}

/// Another price from now on; the one before holds until then.
pub fn set_price(central: &mut Client, product: Uuid, price: &str) -> Result<()> {
    central.execute(
        "insert into catalog.price (product_id, price, valid_from) values ($1, $2::text::numeric, now())",
        &[&product, &price],
    )?;
    Ok(())
}

/// The supervisor of a store logs in at its gateway and releases the first receipt that is held for
/// its total. Answers what to say about it, if there was one.
pub fn release_held(dba: &mut Client, doors: &Doors, store: Node) -> Result<Option<String>> {
    let held = "select receipt_id, receipt_number from sales.held \
                where hold_code = 'TOTAL_MISMATCH' order by receipt_number limit 1";
    let Some(row) = dba.query_opt(held, &[])? else { return Ok(None) };
    let (receipt, number): (Uuid, String) = (row.get(0), row.get(1));
    let supervisor = doors.staff.of(store, "supervisor")?.log_in(doors.of(store)?.address)?;
    let why = json!({ "why": "counted again, the customer is waiting" });
    let answer = supervisor.post(&format!("/v1/receipts/{}/{receipt}/release", store.id), &why)?;
    ensure!(answer.status == 200, "releasing receipt {number}: {answer:?}");
    Ok(Some(format!("its supervisor logs in and releases receipt {number}, held for its total")))
}

/// A person says that the address which lost is right. Answers whether there was one.
pub fn restore_address(dba: &mut Client, customer: Uuid) -> Result<bool> {
    let restore = "select sync.resolve_conflict(table_name, key, column_name, node_id, seq) from sync.sibling \
                   where table_name = 'party.customer' and key = $1::uuid::text and column_name = 'address' and not chosen limit 1";
    Ok(dba.execute(restore, &[&customer])? > 0)
}
