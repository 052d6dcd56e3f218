//! The command line: one file per command, and what they share.
//!
//! Every command knows `--json`, `--dir` and exits with 0 (fine), 1 (failed) or 2 (misuse).

pub mod apply;
mod ask;
mod backup;
mod brakes;
mod campaign;
mod completions;
mod config;
mod connect;
mod contacts;
mod demo;
mod doctor;
mod domains;
mod init;
mod keys;
mod lint;
mod migrate;
mod prune;
mod rehearse;
mod screen;
mod secrets;
mod serve;
mod template;
mod users;

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
    /// Make what runs equal to the folder's campaigns and templates.
    Apply(apply::Apply),
    /// Copy the database to a file.
    Backup(backup::Backup),
    /// Look at campaigns, change their state, ask why.
    #[command(subcommand)]
    Campaign(campaign::Campaign),
    /// Print what a shell needs to complete commands.
    Completions(completions::Completions),
    /// Show what can be set, or check what is.
    #[command(subcommand)]
    Config(config::Config),
    /// Show, change, export and erase contacts.
    #[command(subcommand)]
    Contacts(contacts::Contacts),
    /// Let Hogwire into PostHog.
    #[command(subcommand)]
    Connect(connect::Connect),
    /// The whole loop on this machine, with stand-ins and nothing configured.
    Demo(demo::Demo),
    /// Check everything, and say what to do.
    Doctor(doctor::Doctor),
    /// Sending domains: the records they need, and what DNS says.
    #[command(subcommand)]
    Domains(domains::Domains),
    /// Make a starter project folder.
    Init(init::Init),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Bring the database up to date.
    Migrate,
    /// Stop sending: everything, a sender or a campaign.
    Pause(brakes::Subject),
    /// Show what `apply` would do.
    Plan(apply::Apply),
    /// Remove what is older than retention says.
    Prune(prune::Prune),
    /// Put a backup back; sending begins stopped.
    Restore(backup::Restore),
    /// Go on sending.
    Resume(brakes::Subject),
    /// Seal stored secrets anew.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Run the API, the console and the worker in one process.
    Serve(serve::Serve),
    /// Look at templates.
    #[command(subcommand)]
    Template(template::Template),
    /// Add and list those who may sign in.
    #[command(subcommand)]
    Users(users::Users),
    /// Run a worker node only (PostgreSQL).
    Worker,
}

impl Command {
    fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        match self {
            Self::Apply(command) => command.apply(common, screen),
            Self::Backup(command) => command.run(common, screen),
            Self::Campaign(command) => command.run(common, screen),
            Self::Completions(command) => command.run(),
            Self::Config(command) => command.run(common, screen),
            Self::Contacts(command) => command.run(common, screen),
            Self::Connect(command) => command.run(common, screen),
            Self::Demo(command) => command.run(screen),
            Self::Doctor(command) => command.run(common, screen),
            Self::Domains(command) => command.run(common, screen),
            Self::Init(command) => command.run(common, screen),
            Self::Keys(command) => command.run(common, screen),
            Self::Migrate => migrate::run(common, screen),
            Self::Pause(command) => command.pause(common, screen),
            Self::Plan(command) => command.plan(common, screen),
            Self::Prune(command) => command.run(common, screen),
            Self::Restore(command) => command.run(common, screen),
            Self::Resume(command) => command.resume(common, screen),
            Self::Secrets(command) => command.run(common, screen),
            Self::Serve(command) => command.run(common, screen),
            Self::Template(command) => command.run(common, screen),
            Self::Users(command) => command.run(common, screen),
            Self::Worker => serve::Serve::worker().run(common, screen),
        }
    }
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
    match cli.command.run(&cli.common, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            screen.stopped(&stop);
            ExitCode::from(stop.code)
        }
    }
}
