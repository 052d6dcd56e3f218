//! The `hogwire` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    hogwire::cli::run()
}
