//! Real programs that tests talk to: a database, a mail server, a browser. One file each, one line here.
//!
//! A counterpart is found on the machine, started on loopback in a folder of its own, and gone again
//! when its `Running` is dropped or this process ends in whatever way. Tests learn of it through
//! environment variables. What is missing is an error that says how to install it; on CI, as root, it
//! is installed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::Failure;
use crate::janitor::Janitor;
use crate::run::{quietly, run};

// sorted
mod browser;
pub mod postgres;
mod python;
mod smtpd;

pub struct Counterpart {
    pub name: &'static str,
    /// Debian's packages.
    pub packages: &'static [&'static str],
    /// Whether any test of this workspace asks for it.
    pub wanted: fn(&Path) -> bool,
    pub find: fn() -> Option<PathBuf>,
    /// Starts the program that `find` found.
    pub start: fn(&Path) -> Result<Running, Failure>,
}

#[derive(Default)]
pub struct Running {
    pub environment: Vec<(String, String)>,
    /// Kept for what its end does.
    pub _janitor: Option<Janitor>,
}

pub fn all() -> &'static [&'static Counterpart] {
    &[&browser::COUNTERPART, &postgres::COUNTERPART, &python::COUNTERPART, &smtpd::COUNTERPART]
}

pub fn bring_up(counterpart: &Counterpart) -> Result<Running, Failure> {
    let found = match (counterpart.find)() {
        Some(found) => found,
        None => {
            install(counterpart)?;
            (counterpart.find)().ok_or_else(|| missing(counterpart))?
        }
    };
    (counterpart.start)(&found)
}

fn missing(counterpart: &Counterpart) -> Failure {
    let packages = counterpart.packages.join(" ");
    Failure::Failed(format!(
        "{} is not on this machine; on Debian: apt-get install --no-install-recommends {packages}",
        counterpart.name
    ))
}

fn install(counterpart: &Counterpart) -> Result<(), Failure> {
    if std::env::var_os("CI").is_none() || !is_root() {
        return Err(missing(counterpart));
    }
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.set(()).is_ok() {
        run(Command::new("apt-get").args(["update", "-qq"]))?;
    }
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(counterpart.packages);
    println!("installing {}", counterpart.packages.join(" "));
    quietly(&mut install)
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// A port of loopback that was free a moment ago.
fn free_port() -> Result<u16, Failure> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| Failure::Failed(format!("no free port: {error}")))
}

/// Whether a test names this environment variable.
fn asked_for(root: &Path, variable: &str) -> bool {
    mentions(&root.join("crates"), variable)
}

fn mentions(folder: &Path, variable: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return mentions(&path, variable);
        }
        let code = path.extension().is_some_and(|extension| extension == "rs" || extension == "mjs");
        code && fs::read_to_string(&path).is_ok_and(|text| text.contains(variable))
    })
}
