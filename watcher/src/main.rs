//! `tpv-watcher`: see the library.

fn main() -> std::process::ExitCode {
    tpv_watcher::main()
}
