//! `tpv-gateway`: see the library.

fn main() -> std::process::ExitCode {
    tpv_gateway::main()
}
