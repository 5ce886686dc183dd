//! `tpv-gateway key …`

use std::io::Write;
use std::path::Path;

use chrono::Utc;

use super::{folder, signing};
use crate::cli::KeyTask;

pub fn run(task: KeyTask, keys: &Path) -> anyhow::Result<()> {
    let now = Utc::now();
    let mut out = std::io::stdout();
    match task {
        KeyTask::Init => {
            let made = folder::init(keys, now)?;
            let said = if made.is_empty() { "nothing was missing".to_owned() } else { made.join(", ") };
            writeln!(out, "{}: {said}", keys.display())?;
            writeln!(out, "public key for passwords: {}", folder::sealing(keys)?.public_text())?;
        }
        KeyTask::Rotate => {
            // Those that verify nothing any more go; without this the folder would only grow.
            let all = folder::signing(keys)?;
            let kept: Vec<_> = signing::verify(&all, now).iter().map(|key| key.kid.clone()).collect();
            writeln!(out, "made {}; it signs in a minute", folder::rotate(keys, now)?)?;
            for old in all.iter().filter(|key| !kept.contains(&key.kid)) {
                std::fs::remove_file(keys.join(format!("sign-{}.pem", old.kid)))?;
                writeln!(out, "removed sign-{}.pem", old.kid)?;
            }
        }
        KeyTask::List => {
            let all = folder::signing(keys)?;
            let signs = signing::signs(&all, now).map(|key| &key.kid);
            let verify: Vec<_> = signing::verify(&all, now).iter().map(|key| key.kid.clone()).collect();
            for key in &all {
                let does = match () {
                    () if Some(&key.kid) == signs => "signs",
                    () if verify.contains(&key.kid) => "verifies",
                    () => "is done with",
                };
                writeln!(out, "{} {does}", key.kid)?;
            }
        }
        KeyTask::Show => writeln!(out, "{}", folder::sealing(keys)?.public_text())?,
    }
    Ok(())
}
