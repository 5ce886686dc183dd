//! A store says of its operation that it has replaced what nobody has written yet.

use crate::support::{ANA, SOON, ask, of_ana, run, until_at, until_verified, update_ana, with_ana};

use super::turn_hostile;
use tpv_lab::wait::until_true;

/// Central would take the value of another store for replaced, as soon as it came.
#[test]
fn a_store_that_names_what_nobody_has_written_yet_harms_no_value_of_others() {
    let chain = with_ana();
    until_verified(&chain);
    let (central, honest, hostile) = (&chain.central, &chain.stores[0], &chain.stores[1]);
    let next = |node: i32| {
        ask(central, &format!("select coalesce(max(seq), 0)::text from wire.op where node_id = {node}"))
            .parse::<i64>()
            .unwrap()
    };
    let (of_central, of_honest) = (next(100), next(1));
    turn_hostile(hostile);
    let named =
        |node: i32, from: i64| (from + 1..from + 40).map(|seq| format!("[{node},{seq}]")).collect::<Vec<_>>().join(",");
    run(
        hostile,
        &[&format!(
            r#"select evil.op('party.customer', '{ANA}', '{{"phone":"666"}}', '{{"phone":[{},{}]}}')"#,
            named(1, of_honest),
            named(100, of_central)
        )],
    );
    // It has come, and is not taken.
    until_at(
        central,
        "select exists (select from sync.peer_vector v where v.node_id = 2 and v.writer_id = 2 \
           and v.seq > (select coalesce(max(o.seq), 0) from wire.op o where o.node_id = 2))",
    );
    run(honest, &[&update_ana("phone = 'honest'")]);
    run(central, &[&update_ana("city = 'Lugo'")]);
    until_true("the value of the others is everywhere", SOON, || {
        chain.nodes().all(|node| ask(node, &of_ana("city")) == "Lugo")
            && [central, honest].iter().all(|node| ask(node, &of_ana("phone")) == "honest")
    })
    .unwrap();
    assert_eq!(ask(central, &of_ana("phone")), "honest");
    assert_eq!(ask(honest, &of_ana("phone")), "honest");
    assert_eq!(ask(honest, "select count(*)::text from wire.op where patch like '%666%'"), "0");
}
