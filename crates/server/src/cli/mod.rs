//! The command line: one file per command, and what they share.
//!
//! Every command knows `--json`, `--dir` and exits with 0 (fine), 1 (failed) or 2 (misuse).

pub mod apply;
mod config;
mod screen;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use screen::{Screen, Stop};

/// PostHog events into campaigns and email, and the result back to PostHog.
#[derive(Parser)]
#[command(name = "hogwire", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
pub struct Common {
    /// The project folder.
    #[arg(long, global = true, env = "HOGWIRE_DIR", default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The running server, where it is on another machine.
    #[arg(long, global = true, env = "HOGWIRE_URL", value_name = "URL")]
    pub server: Option<String>,
    /// A key for that server.
    #[arg(long, global = true, env = "HOGWIRE_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Show what can be set, or check what is.
    #[command(subcommand)]
    Config(config::Config),
    /// Run the API, the console and the worker in one process.
    Serve(serve::Serve),
    /// Run a worker node only (PostgreSQL).
    Worker,
}

/// Where the process begins.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing can be done where even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let screen = Screen::new(cli.common.json);
    let done = match cli.command {
        Command::Config(command) => command.run(&cli.common, &screen),
        Command::Serve(command) => command.run(&cli.common, &screen),
        Command::Worker => serve::Serve::worker().run(&cli.common, &screen),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            screen.stopped(&stop);
            ExitCode::from(stop.code)
        }
    }
}
