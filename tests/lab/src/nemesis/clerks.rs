//! Clerks who edit customers: at central and in every store, the same ones and new ones.

use std::sync::atomic::AtomicBool;

use postgres::Client;
use uuid::Uuid;

use super::actor::{Actor, Done};
use super::servers::node;
use crate::dice::Dice;

/// Customers that everybody knows by their number.
const KNOWN: u64 = 40;

/// The key of one of them.
pub fn known(number: u64) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_00aa_0000 + u128::from(number))
}

/// Edits until told to stop.
pub fn work(seed: u64, at: usize, url: &str, stop: &AtomicBool) -> Done {
    let mut actor = Actor::new(seed, 10 + at as u64, format!("{}-clerk", node(at).code), url, stop);
    while actor.goes_on(15) {
        match actor.dice.below(100) {
            _ if actor.dice.below(300) == 0 => erase(&mut actor),
            0..=4 => restore(&mut actor),
            5..=24 => many(&mut actor),
            _ => one(&mut actor),
        }
    }
    actor.done
}

/// One statement, and the values in it that nobody else writes. Answers how many rows it changed.
struct Edit {
    sql: String,
    key: Uuid,
    token: String,
}

fn edit(actor: &mut Actor<'_>) -> Edit {
    let token = actor.token();
    let dice = &mut actor.dice;
    let key = if dice.percent(15) {
        Uuid::from_u128(u128::from(dice.throw()) << 64 | u128::from(dice.throw()))
    } else {
        known(dice.below(KNOWN))
    };
    let what = match dice.below(15) {
        0 => "name = $2".to_owned(),
        1 => "email = $2, phone = $2".to_owned(),
        2 => "street = $2".to_owned(),
        3 => "city = $2, postcode = $2, name = $2".to_owned(),
        4 => "tags = jsonb_build_array($2, 'common')".to_owned(),
        5 => "tags = customer.tags || jsonb_build_array($2)".to_owned(),
        14 => "tags = customer.tags - 0 - 'common', phone = $2".to_owned(),
        6 => format!("consent = '{}', phone = $2", dice.pick(&["none", "email", "all"])),
        7 => format!("credit_limit = {}.{:02}, email = $2", dice.below(1000), dice.below(100)),
        8 => "deleted = true, phone = $2".to_owned(),
        9 => "deleted = not customer.deleted, email = $2".to_owned(),
        10 => "deleted = false, email = $2, name = $2".to_owned(),
        11 => "loyalty = $2".to_owned(),
        12 => "email = null, phone = null, country = $2".to_owned(),
        _ => "name = $2, email = $2, phone = $2, street = $2, city = $2, tags = jsonb_build_array($2)".to_owned(),
    };
    let sql = if dice.percent(25) {
        format!(
            "insert into party.customer (customer_id, name) values ($1, $2) on conflict (customer_id) do update set {what}"
        )
    } else {
        format!("update party.customer set {what} where customer_id = $1")
    };
    Edit { sql: sql.replace("$2", "$2::text"), key, token }
}

/// A column that this node may not have yet, a consent that would be less strict than the one that
/// is known, and a customer who was erased.
const MAY_BE_REFUSED: [&str; 3] = ["42703", "23514", "55000"];

fn one(actor: &mut Actor<'_>) {
    let Edit { sql, key, token } = edit(actor);
    let changed = actor.attempt(&MAY_BE_REFUSED, |dba, _| dba.execute(&sql, &[&key, &token]));
    if changed == Some(1) {
        actor.done.tokens.push((key, token));
    }
}

/// Several in one transaction, some of them taken back, some transactions long.
fn many(actor: &mut Actor<'_>) {
    let count = actor.dice.between(2, 5);
    let edits: Vec<Edit> = (0..count).map(|_| edit(actor)).collect();
    let kept = actor.attempt(&MAY_BE_REFUSED, |dba, dice| together(dba, dice, &edits));
    actor.done.tokens.extend(kept.unwrap_or_default());
}

fn together(dba: &mut Client, dice: &mut Dice, edits: &[Edit]) -> Result<Vec<(Uuid, String)>, postgres::Error> {
    let mut kept = Vec::new();
    let mut work = dba.transaction()?;
    for edit in edits {
        let mut part = work.savepoint("part")?;
        let changed = part.execute(&edit.sql, &[&edit.key, &edit.token])?;
        if dice.percent(20) {
            part.rollback()?;
        } else {
            part.commit()?;
            kept.extend((changed == 1).then(|| (edit.key, edit.token.clone())));
        }
    }
    if dice.percent(20) {
        work.batch_execute("set constraints all immediate")?;
    }
    if dice.percent(15) {
        let ms = dice.between(50, 1000);
        work.batch_execute(&format!("select pg_sleep({ms} / 1000.0)"))?;
    }
    if dice.percent(20) {
        work.rollback()?;
        return Ok(Vec::new());
    }
    work.commit()?;
    Ok(kept)
}

/// Erases a customer: any, whoever works on it elsewhere.
fn erase(actor: &mut Actor<'_>) {
    let token = actor.token();
    let erased = actor.attempt(&[], |dba, _| {
        let any = "select customer_id from party.customer where not deleted order by md5(customer_id || $1) limit 1";
        let Some(row) = dba.query_opt(any, &[&token])? else { return Ok(None) };
        let customer: Uuid = row.get(0);
        dba.execute("select party.erase($1, 'as asked')", &[&customer])?;
        Ok(Some(customer))
    });
    actor.done.erased.extend(erased.flatten());
}

/// Resolves a conflict for a value that lost.
fn restore(actor: &mut Actor<'_>) {
    // By the time it is called somebody else may have resolved it: 22023. While a slot is lost, a
    // store may have two values of what central decides, until a snapshot has come: 42501.
    actor.attempt(&["22023", "42501"], |dba, dice| {
        let nth = i64::try_from(dice.below(50)).unwrap_or(0);
        let found = dba.query_opt(
            "select table_name, key, column_name, node_id, seq from sync.sibling where not chosen order by 1, 2, 3, 4, 5 \
             offset (select $1 % greatest(count(*), 1) from sync.sibling where not chosen) limit 1",
            &[&nth],
        )?;
        let Some(row) = found else { return Ok(()) };
        let (table, key, column): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (node, seq): (i32, i64) = (row.get(3), row.get(4));
        dba.execute("select sync.resolve_conflict($1, $2, $3, $4, $5)", &[&table, &key, &column, &node, &seq])
            .map(drop)
    });
}
