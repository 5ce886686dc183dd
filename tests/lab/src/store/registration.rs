//! A store of the demo: in Madrid, with twenty terminals in four departments.

use anyhow::Result;
use postgres::Client;

use crate::node::Node;

/// Code and name of the departments, and whose they are.
pub const DEPARTMENTS: [(&str, &str, &str); 4] = [
    ("01", "Bakery", "Panadería Ortega SL"),
    ("02", "Butcher", "Carnes Vidal SL"),
    ("03", "Deli", "Charcutería Moya SL"),
    ("04", "Fish", "Pescados Ruiz SL"),
];

/// How many terminals the store has.
pub const TERMINALS: usize = 20;

/// `T01` to `T20`; 0 is the first.
pub fn terminal(index: usize) -> String {
    format!("T{:02}", index % TERMINALS + 1)
}

/// Terminals are dealt out in turn, as the samples have it: T01 to department 01, T05 again to 01.
pub fn department_of(terminal: &str) -> Option<&'static str> {
    let number: usize = terminal.strip_prefix('T')?.parse().ok()?;
    (1..=TERMINALS).contains(&number).then(|| DEPARTMENTS[(number - 1) % 4].0)
}

/// Registers a store, its departments and its terminals.
pub fn register(dba: &mut Client, node: Node) -> Result<()> {
    let mut work = dba.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    work.execute(
        "select org.register_store(node_id => $1, node_code => $2, name => 'Store ' || $2, \
         timezone => 'Europe/Madrid', cutoff_hour => 4, currency => 'EUR')",
        &[&node.id, &node.code],
    )?;
    for (code, name, concessionaire) in DEPARTMENTS {
        work.execute(
            "select org.register_department(code => $1, name => $2, concessionaire => $3)",
            &[&code, &name, &concessionaire],
        )?;
    }
    for index in 0..TERMINALS {
        let code = terminal(index);
        work.execute(
            "select org.register_terminal(code => $1, department_code => $2, declares => '{}'::jsonb)",
            &[&code, &department_of(&code)],
        )?;
    }
    Ok(work.commit()?)
}
