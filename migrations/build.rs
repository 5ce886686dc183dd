//! Puts the migrations together, so that the program holds them whole.

#[path = "src/assemble.rs"]
mod assemble;

use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    // The answer to cargo goes to standard output; that is how build scripts speak.
    #[allow(clippy::print_stdout, reason = "cargo reads it")]
    {
        println!("cargo::rerun-if-changed=sql");
        println!("cargo::rerun-if-changed=src/assemble.rs");
    }
    let assembled = assemble::assemble(Path::new("sql")).map_err(|fault| format!("migrations/sql: {fault}"))?;
    let pairs: Vec<(&str, &str)> = assembled.iter().map(|it| (it.name.as_str(), it.sql.as_str())).collect();
    let out: PathBuf = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?.into();
    std::fs::write(out.join("migrations.rs"), format!("&{pairs:?}")).map_err(|error| error.to_string())
}
