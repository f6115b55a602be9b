//! The load harness: `cargo run --release -p benches -- --help`.

use std::process::ExitCode;

// The proxy's: this program becomes it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    benches::portcullis::become_proxy()
        .or_else(benches::peers::bare::become_pingora)
        .unwrap_or_else(benches::cli::main)
}
