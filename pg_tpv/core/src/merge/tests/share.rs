use super::*;

/// Store 2 has written `own` registers alone, and one more with `heads` values at a time; store 3 has
/// written more than anybody may.
fn entity(own: usize, heads: i64) -> Entity {
    let head = |node_id, seq| Head { version: version(node_id, seq), hlc: seq, value: Value::String("x".repeat(10)) };
    let mut registers: Vec<(String, Vec<Head>)> = (0..own).map(|n| (format!("own{n}"), vec![head(2, 1)])).collect();
    registers.push(("both".to_owned(), (1..=heads).map(|seq| head(2, seq)).chain([head(3, 1)]).collect()));
    registers.extend((0..9000).map(|n| (format!("of3{n}"), (1..100).map(|seq| head(3, seq)).collect())));
    Entity(registers.into_iter().collect())
}

fn check(entity: &Entity, node_id: i32) -> Result<(), &'static str> {
    Share::TAKEN.check(entity, usize::MAX, node_id).map_err(|large| large.unit)
}

#[test]
fn what_others_wrote_of_a_row_does_not_count() {
    assert_eq!(check(&entity(4999, 64), 2), Ok(()));
    assert_eq!(check(&entity(0, 1), 3), Err("octets"));
    assert_eq!(check(&entity(0, 1), 1), Ok(()));
}

#[test]
fn a_node_has_so_many_registers_and_so_many_values_in_one() {
    assert_eq!(check(&entity(5000, 1), 2), Err("registers"));
    assert_eq!(check(&entity(1, 65), 2), Err("values in a register"));
    let large = Head { version: version(2, 1), hlc: 1, value: Value::String("x".repeat(1024 * 1024)) };
    let mut entity = entity(1, 1);
    entity.0.insert("large".to_owned(), vec![large]);
    assert_eq!(check(&entity, 2), Err("octets"));
}

#[test]
fn a_small_row_is_not_looked_at() {
    let small = phone(65);
    assert_eq!(Share::TAKEN.check(&phone(64), 5000, 2), Ok(()));
    assert_eq!(Share::TAKEN.check(&small, 5000, 2).unwrap_err().unit, "values in a register");
    assert_eq!(Share::of(&small, 2), Share { octets: 65 * r#"phone"x""#.len(), registers: 1, in_register: 65 });
}

fn phone(heads: i64) -> Entity {
    let head = |seq| Head { version: version(2, seq), hlc: seq, value: value("\"x\"") };
    Entity([("phone".to_owned(), (1..=heads).map(head).collect())].into())
}

/// A session keeps below what central takes, so that central takes all of it.
#[test]
fn no_session_makes_what_central_refuses() {
    let (made, taken) = (Share::MADE, Share::TAKEN);
    assert!(made.octets < taken.octets && made.registers < taken.registers && made.in_register < taken.in_register);
}
