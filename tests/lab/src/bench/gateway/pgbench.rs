//! pgbench of the server's own package, with the same transaction in one round trip.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::CONNECTIONS;
use super::data::{Asked, RECEIPTS, Session};
use super::drive::Figures;
use crate::cluster::system_program;
use crate::store::Rig;

pub fn measure(rig: &Rig, session: &Session, asked: Asked, time: Duration) -> Result<Figures> {
    let folder = rig.cluster.folder.join(format!("pgbench-{}", asked.key()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let script = folder.join("script.sql");
    let text = format!(
        "\\set a random(0, 9)\n\\set b random(0, 9)\n\\set i random(1, {RECEIPTS})\n\\startpipeline\n{};\n\
         set local role tpv_manager;\n{};\n{};\ncommit;\n\\endpipeline\n",
        asked.begin(),
        session.enter(),
        asked.statement()
    );
    fs::write(&script, text)?;
    let mut command = Command::new(system_program("pgbench")?);
    command.args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2", "--log", "--log-prefix", "took"]);
    command.args(["--client", &CONNECTIONS.to_string(), "--time", &time.as_secs().max(1).to_string()]);
    command.arg("--file").arg(&script).arg(rig.cluster.url("tpv_gateway_user", "tpv")).current_dir(&folder);
    let output = command.output().context("starting pgbench")?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let mut all = Vec::new();
    for file in fs::read_dir(&folder)?.flatten() {
        if file.file_name().to_string_lossy().starts_with("took") {
            let text = fs::read_to_string(file.path())?;
            all.extend(text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<u32>().ok()));
        }
    }
    Figures::of(all, time)
}
