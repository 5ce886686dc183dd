//! A new file in `sql/` is a reason to build again: the macro that embeds them is only expanded then.

fn main() {
    // The answer to cargo goes to standard output; that is how build scripts speak.
    #[allow(clippy::print_stdout, reason = "cargo reads it")]
    {
        println!("cargo::rerun-if-changed=sql");
    }
}
