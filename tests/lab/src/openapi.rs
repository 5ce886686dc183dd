//! `./tpv test openapi`: schemathesis with all its checks against the documents that the gateways
//! of a chain serve, as people of several roles.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::chain::Chain;
use crate::gateway::{Doors, Gateway};
use crate::machine::Lab;
use crate::node::{CENTRAL, Node, STORES};
use crate::store::Receipts;

/// Who asks where. A token lives ten minutes, and each of them is done before.
const ROUNDS: [(Node, &str); 3] = [(CENTRAL, "admin"), (CENTRAL, "manager"), (STORES[0], "manager")];

/// What can end the session that asks, or take from whoever asks what she may. These are left out,
/// and in the first round, by who may most, tried alone, each in a session of its own.
const ENDS: [&str; 9] = [
    "/v1/auth/logout",
    "/v1/auth/logout-all",
    "/v1/auth/password",
    "/v1/auth/sessions/{session_id}",
    "/v1/employees/{employee_id}",
    "/v1/employees/{employee_id}/block",
    "/v1/employees/{employee_id}/password-link",
    "/v1/employees/{employee_id}/role-grants",
    "/v1/role-grants/{role_grant_id}",
];

/// Settings of schemathesis that are ours: which refusals a right request may meet.
const SETTINGS: &str = include_str!("../data/schemathesis.toml");

/// Whether every round passed. `program` is schemathesis.
pub fn run(program: &Path, seed: u64, words: &mut dyn Write) -> Result<bool> {
    let (lab, chain) = (Lab::open()?, Chain::joined(1)?);
    let mut receipts = Receipts::new(7);
    let mut till = chain.stores[0].connect()?;
    for _ in 0..20 {
        let receipt = receipts.good("T01");
        let ingest = "select from sales.ingest_files($1, array[$2::bytea], null)";
        till.execute(ingest, &[&receipt.terminal, &receipt.bytes])?;
    }
    let nodes = [(CENTRAL, &chain.central), (STORES[0], &chain.stores[0])];
    // Its own limits would answer most of what comes.
    let doors = Doors::open(&lab, nodes, &["--person-rate", "0", "--source-rate", "0"])?;
    let settings = chain.central.folder.join("schemathesis.toml");
    std::fs::write(&settings, SETTINGS)?;
    let mut good = true;
    for (round, (node, key)) in ROUNDS.into_iter().enumerate() {
        let gateway = doors.of(node)?;
        writeln!(words, "openapi: as {key} at {}, seed {seed}", node.code)?;
        let alone = if round == 0 { ENDS.as_slice() } else { &[] };
        for only in std::iter::once(None).chain(alone.iter().copied().map(Some)) {
            let client = doors.staff.of(node, key)?.log_in(gateway.address)?;
            let (_, token) = client.headers.first().context("no token")?;
            let mut command = command(program, &settings, gateway, token, seed);
            match only {
                Some(path) => {
                    command.args(["--include-path", path, "--max-examples", "1", "--phases", "examples,coverage"])
                }
                None => command.args(ENDS.iter().flat_map(|path| ["--exclude-path", path])),
            };
            good &= command.status().with_context(|| format!("starting {}", program.display()))?.success();
        }
    }
    Ok(good)
}

fn command(program: &Path, settings: &Path, gateway: &Gateway, token: &str, seed: u64) -> Command {
    let mut command = Command::new(program);
    command.arg("--config-file").arg(settings);
    command.args(["run", &format!("http://{}/openapi.json", gateway.address), "--checks", "all", "--no-color"]);
    command.args(["--seed", &seed.to_string(), "--max-examples", "20"]);
    command.args(["--max-time", "60", "--header", &format!("Authorization: {token}")]);
    command
}
