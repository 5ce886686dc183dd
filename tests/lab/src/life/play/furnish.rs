//! What a node has to know before the first file comes.

use anyhow::Result;
use postgres::{Client, Transaction};

use crate::life::catalog::{PRICE_PREFIX, WEIGHT_PREFIX};
use crate::life::money::cents_text;
use crate::life::{Code, Life, Product};

/// The layout of `.dat` files. It shows what is taken back, and no two tickets have one name.
const PROFILE: &str = r#"{"file_name": "{terminalId}{businessDate:yyyyMMdd}{receiptId}.dat", "fields": [
  {"name": "barcode", "length": 13, "align": "right", "pad": "0"},
  {"name": "description", "length": 20},
  {"name": "price", "type": "price", "length": 8, "align": "right", "pad": "0"},
  {"name": "quantity", "type": "quantity", "decimals": 3, "length": 9, "align": "right", "pad": "0", "sign": "leading"},
  {"name": "departmentCode", "length": 3, "align": "right", "pad": "0"}]}"#;

/// Makes a database one of the stores.
pub fn register_store(dba: &mut Client, life: &Life, store: usize) -> Result<()> {
    let store = &life.stores[store];
    let mut work = dba.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    work.execute(
        "select org.register_store(node_id => $1, node_code => $2, name => $3, timezone => $4, cutoff_hour => 4, currency => 'EUR')",
        &[&store.node_id, &store.code, &store.name, &store.zone.name()],
    )?;
    work.execute("select dat.save_profile($1::text::jsonb)", &[&PROFILE])?;
    Ok(work.commit()?)
}

/// Writes the catalog, and the departments and terminals of some stores, which the database has to
/// know already.
pub fn furnish(dba: &mut Client, life: &Life, stores: impl IntoIterator<Item = usize>) -> Result<()> {
    let mut work = dba.transaction()?;
    write_taxes(&mut work, life)?;
    write_products(&mut work, life)?;
    write_codes(&mut work, life)?;
    write_prices(&mut work, life)?;
    for store in stores {
        write_places(&mut work, life, store)?;
    }
    Ok(work.commit()?)
}

fn write_taxes(work: &mut Transaction<'_>, life: &Life) -> Result<()> {
    for tax in &life.catalog.taxes {
        work.execute("insert into catalog.tax (code, name) values ($1, $2)", &[&tax.code, &tax.name])?;
        for (from, rate) in &tax.rates {
            work.execute(
                "insert into catalog.tax_rate (tax_id, rate, valid_from) \
                 select tax_id, $2::text::numeric, $3 from catalog.tax where code = $1 and not deleted",
                &[&tax.code, &cents_text(*rate), from],
            )?;
        }
    }
    for (name, prefix, kind, decimals) in
        [("price label", PRICE_PREFIX, "price", 2_i16), ("weight label", WEIGHT_PREFIX, "weight", 3)]
    {
        work.execute(
            "insert into catalog.barcode_rule (name, prefix, length, kind, item_start, item_length, value_start, value_length, decimals) \
             values ($1, $2, 13, $3, 3, 5, 8, 5, $4)",
            &[&name, &prefix, &kind, &decimals],
        )?;
    }
    Ok(())
}

fn listed(life: &Life) -> impl Iterator<Item = &Product> {
    life.catalog.products.iter().filter(|product| product.is_listed)
}

fn write_products(work: &mut Transaction<'_>, life: &Life) -> Result<()> {
    let skus: Vec<&str> = listed(life).map(|product| product.sku.as_str()).collect();
    let names: Vec<&str> = listed(life).map(|product| &*product.description).collect();
    let taxes: Vec<Option<&str>> = listed(life).map(|product| Some(life.catalog.taxes[product.tax?].code)).collect();
    let units: Vec<&str> = listed(life).map(|product| if product.is_weighed { "kg" } else { "piece" }).collect();
    work.execute(
        "insert into catalog.product (sku, description, tax_id, unit) \
         select p.sku, p.description, t.tax_id, p.unit \
           from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as p (sku, description, tax, unit) \
           left join catalog.tax t on t.code = p.tax and not t.deleted",
        &[&skus, &names, &taxes, &units],
    )?;
    Ok(())
}

/// Item digits of labels stand in the catalog with their zeros or without, as people write them.
fn write_codes(work: &mut Transaction<'_>, life: &Life) -> Result<()> {
    let (mut gtins, mut of_gtins, mut locals, mut of_locals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (place, product) in listed(life).enumerate() {
        match &product.code {
            Code::Gtin(digits) => {
                gtins.push(format!("{digits:0>14}"));
                of_gtins.push(product.sku.as_str());
            }
            Code::PriceLabel(item) | Code::WeightLabel(item) => {
                let short = place % 2 == 0;
                locals.push(if short { item.trim_start_matches('0').to_owned() } else { item.clone() });
                of_locals.push(product.sku.as_str());
            }
            Code::Local(code) => {
                locals.push(code.clone());
                of_locals.push(product.sku.as_str());
            }
        }
    }
    work.execute(
        "insert into catalog.barcode (gtin14, product_id) select c.code, p.product_id \
           from unnest($1::text[], $2::text[]) as c (code, sku) join catalog.product p on p.sku = c.sku and not p.deleted",
        &[&gtins, &of_gtins],
    )?;
    work.execute(
        "insert into catalog.local_code (code, product_id) select c.code, p.product_id \
           from unnest($1::text[], $2::text[]) as c (code, sku) join catalog.product p on p.sku = c.sku and not p.deleted",
        &[&locals, &of_locals],
    )?;
    Ok(())
}

fn write_prices(work: &mut Transaction<'_>, life: &Life) -> Result<()> {
    let (mut skus, mut days, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    for product in listed(life) {
        for (day, cents) in &product.prices {
            skus.push(product.sku.as_str());
            days.push(life.plan.day(*day));
            prices.push(cents_text(*cents));
        }
    }
    work.execute(
        "insert into catalog.price (product_id, price, valid_from) \
         select p.product_id, c.price::numeric, c.day::timestamp at time zone 'Europe/Madrid' \
           from unnest($1::text[], $2::date[], $3::text[]) as c (sku, day, price) \
           join catalog.product p on p.sku = c.sku and not p.deleted",
        &[&skus, &days, &prices],
    )?;
    Ok(())
}

fn write_places(work: &mut Transaction<'_>, life: &Life, store: usize) -> Result<()> {
    let store = &life.stores[store];
    for department in &life.departments {
        let tax = department.tax.map(|tax| life.catalog.taxes[tax].code);
        work.execute(
            "select org.register_department(code => $1, name => $2, concessionaire => $3, node_id => $4, tax => $5)",
            &[&department.code, &department.name, &department.concessionaire, &store.node_id, &tax],
        )?;
    }
    for terminal in &store.terminals {
        let department = life.departments[terminal.department].code;
        work.execute(
            "select org.register_terminal(code => $1, department_code => $2, node_id => $3)",
            &[&terminal.code, &department, &store.node_id],
        )?;
    }
    Ok(())
}
