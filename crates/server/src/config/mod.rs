//! Settings: `hogwire.yaml`, the environment and the defaults, made into plain values.
//!
//! `read` turns the file's text into a document, `settle` joins it with the environment,
//! which wins, and derives what follows. Nothing here opens a database or a socket; `boot`
//! and the command line call `load`.

pub mod document;
pub mod project;
pub mod read;
pub mod secret;
pub mod settle;
pub mod show;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hogwire_engine::settings::Settings;
use hogwire_model::{Problem, Problems};
use ipnet::IpNet;

use document::LogFormat;
use read::Environment;

/// The commented file that says what every key means and what holds without it.
pub const DEFAULT: &str = include_str!("hogwire.default.yaml");
pub const FILE: &str = "hogwire.yaml";

/// Everything settled. Not printable: it holds what lets people in.
pub struct Config {
    /// The project folder.
    pub dir: PathBuf,
    /// Where the database, the log, the key and the lock lie.
    pub data: PathBuf,
    pub bind: String,
    /// Nothing where neither file nor environment says it; then links lead to `bind`.
    pub public_url: Option<String>,
    pub allow_from: Vec<IpNet>,
    pub trusted_proxies: Vec<IpNet>,
    /// Name servers to ask; none: those that the machine asks.
    pub dns: Vec<SocketAddr>,
    pub database: Database,
    pub admin_key: Option<Hidden>,
    /// Mail servers by sender.
    pub mail: BTreeMap<String, Hidden>,
    /// What reading from PostHog needs, by connection.
    pub posthog: BTreeMap<String, PosthogAccess>,
    pub brevo_key: Option<Hidden>,
    pub mint_webhook_secret: bool,
    pub log: Option<String>,
    pub log_format: LogFormat,
    /// Where metrics are served without a key, apart from the API.
    pub telemetry_bind: Option<String>,
    pub settings: Settings,
    pub environment: Environment,
    /// What deserves a look but stops nothing.
    pub warnings: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(Hidden),
}

/// What PostHog's private side needs. Absent parts turn off what needs them.
#[derive(Clone, Debug, Default)]
pub struct PosthogAccess {
    pub region: String,
    pub host: String,
    pub private_host: String,
    pub personal_key: Option<Hidden>,
    pub project_id: Option<String>,
    /// Neither key nor host was written anywhere.
    pub unconfigured: bool,
    pub webhook_secret_set: bool,
}

/// A value that lets somebody in; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(set)")
    }
}

/// Why there are no settings: the problems, and the text they are about.
#[derive(Debug)]
pub struct Unusable {
    pub file: String,
    pub text: String,
    pub problems: Problems,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show::render(&self.file, &self.text, &self.problems))
    }
}

/// Reads `hogwire.yaml` in a folder, where there is one, and joins it with the environment.
pub fn load(dir: &Path, environment: Environment) -> Result<Config, Unusable> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let problem = Problem::error("unreadable_file", "", format!("it cannot be read: {error}"), "");
            return Err(unusable(&path, String::new(), vec![problem]));
        }
    };
    from_text(dir, &text, environment)
}

/// As `load`, from a text that is at hand.
pub fn from_text(dir: &Path, text: &str, environment: Environment) -> Result<Config, Unusable> {
    let path = dir.join(FILE);
    let read = read::document(text, &environment).map_err(|problems| unusable(&path, text.to_owned(), problems.0))?;
    settle::settle(dir, read, environment).map_err(|problems| unusable(&path, text.to_owned(), problems))
}

fn unusable(path: &Path, text: String, problems: Vec<Problem>) -> Unusable {
    let file = path.file_name().map_or_else(|| FILE.to_owned(), |name| name.to_string_lossy().into_owned());
    Unusable { file, text, problems: Problems(problems) }
}

/// The process's environment, as far as it is text.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
