//! At a release: expands what the migrations include, for good, and puts their checksums on record.
//!
//! `cargo run -p tpv_migrations --example freeze -- 0.2.0`

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let release = std::env::args().nth(1).context("usage: freeze VERSION")?;
    if release != env!("CARGO_PKG_VERSION") {
        bail!("this is version {} (Cargo.toml): name that one", env!("CARGO_PKG_VERSION"));
    }
    let mut out = std::io::stdout();
    for name in tpv_migrations::freeze::freeze(Path::new(env!("CARGO_MANIFEST_DIR")), &release)? {
        writeln!(out, "{name} belongs to {release}")?;
    }
    Ok(())
}
