//! What central decides: products, prices, and the rules by which conflicts are resolved.

use std::sync::atomic::AtomicBool;

use uuid::Uuid;

use super::actor::{Actor, Done};

/// By register, rules that suit it.
const RULES: [(&str, &[&str]); 5] = [
    ("name", &[r#""last_write""#, r#""first_write""#, r#""central_wins""#, r#""review""#]),
    ("email", &[r#""central_wins""#, r#""owner_wins""#, r#""last_write""#, r#""greatest""#]),
    ("address", &[r#""first_write""#, r#""owner_wins""#, r#""central_wins""#, r#""review""#]),
    (
        "consent",
        &[
            r#"{"rule": "least", "order": ["none", "email", "all"]}"#,
            r#"{"rule": "greatest", "order": ["none", "email", "all"]}"#,
            r#""first_write""#,
        ],
    ),
    ("credit_limit", &[r#""review""#, r#""least""#, r#""greatest""#]),
];

/// Works until told to stop.
pub fn work(seed: u64, url: &str, stop: &AtomicBool) -> Done {
    let mut actor = Actor::new(seed, 20, "central".to_owned(), url, stop);
    let mut products: Vec<Uuid> = Vec::new();
    while actor.goes_on(25) {
        match actor.dice.below(100) {
            0..=2 => policy(&mut actor),
            3..=19 => products.extend(product(&mut actor)),
            20..=59 if !products.is_empty() => {
                let product = *actor.dice.pick(&products);
                price(&mut actor, product);
            }
            _ if !products.is_empty() => {
                let product = *actor.dice.pick(&products);
                describe(&mut actor, product);
            }
            _ => {}
        }
    }
    actor.done
}

fn product(actor: &mut Actor<'_>) -> Option<Uuid> {
    let token = actor.token();
    let make = "insert into catalog.product (sku, description) values ($1, $1) returning product_id";
    let made: Option<Uuid> = actor.attempt(&[], |dba, _| Ok(dba.query_one(make, &[&token])?.get(0)));
    actor.done.tokens.extend(made.map(|product| (product, token)));
    made
}

fn price(actor: &mut Actor<'_>, product: Uuid) {
    let change = "insert into catalog.price (price_id, product_id, price, valid_from) values ($1, $1, $2::text::numeric, '2026-01-01') \
                  on conflict (price_id) do update set price = excluded.price, deleted = $3";
    actor.attempt(&[], |dba, dice| {
        let price = format!("{}.{:04}", dice.below(1000), dice.below(10_000));
        dba.execute(change, &[&product, &price, &dice.percent(10)])
    });
}

fn describe(actor: &mut Actor<'_>, product: Uuid) {
    let token = actor.token();
    let what = *actor.dice.pick(&[
        "description = $2",
        "description = $2, unit = 'kg'",
        "description = $2, deleted = not deleted",
        "origin = $2",
    ]);
    let sql = format!("update catalog.product set {what} where product_id = $1");
    // The column comes with an upgrade in the middle of the run.
    let changed = actor.attempt(&["42703"], |dba, _| dba.execute(&sql, &[&product, &token]));
    actor.done.tokens.extend((changed == Some(1)).then_some((product, token)));
}

fn policy(actor: &mut Actor<'_>) {
    let (register, rules) = *actor.dice.pick(&RULES);
    let rule = *actor.dice.pick(rules);
    let deleted = actor.dice.percent(15);
    let change = "insert into sync.policy (table_name, column_name, rule, deleted) values ('party.customer', $1, $2::text::jsonb, $3) \
                  on conflict (table_name, column_name) do update set rule = excluded.rule, deleted = excluded.deleted";
    actor.attempt(&[], |dba, _| dba.execute(change, &[&register, &rule, &deleted]));
}
