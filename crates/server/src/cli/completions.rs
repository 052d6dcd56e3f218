//! `hogwire completions SHELL`: what the shell needs to complete our commands.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Stop};

#[derive(Args)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Stop> {
        clap_complete::generate(self.shell, &mut Cli::command(), "hogwire", &mut io::stdout());
        Ok(())
    }
}
