//! A throwaway PostgreSQL cluster, without fsync: for tests of behaviour, never of durability or speed.
//!
//! PostgreSQL refuses to run as root, so root hands the folder to the user `postgres` and starts it as
//! that user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Counterpart, Running, asked_for, free_port, is_root};
use crate::Failure;
use crate::janitor::Janitor;
use crate::run::{find, quietly};

pub const COUNTERPART: Counterpart = Counterpart {
    name: "postgresql",
    packages: &["postgresql"],
    wanted: |root| asked_for(root, VARIABLE),
    find: || find(&["pg_ctl"], &folders()),
    start,
};

const VARIABLE: &str = "HOGWIRE_TEST_POSTGRES";

const CLEAN_UP: &str = r#"
if [ -n "$3" ]; then
  runuser -u "$3" -- "$1" -D "$2/cluster" -m immediate stop
else
  "$1" -D "$2/cluster" -m immediate stop
fi
rm -rf "$2"
"#;

/// Where packagers put the newest server, which is not always on the path.
fn folders() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .filter_map(|parent| fs::read_dir(parent).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort();
    found.reverse();
    found
}

fn start(pg_ctl: &Path) -> Result<Running, Failure> {
    let user = if is_root() { "postgres" } else { "" };
    let folder = std::env::temp_dir().join(format!("hogwire-postgres-{}", std::process::id()));
    let cluster = folder.join("cluster");
    let port = free_port()?;
    make_folder(&folder, user)?;
    let words = [pg_ctl.to_string_lossy(), folder.to_string_lossy(), user.into()];
    let janitor = Janitor::hire(CLEAN_UP, &words.each_ref().map(|word| word.as_ref()))
        .map_err(|error| Failure::Failed(format!("no shell to clean up: {error}")))?;
    println!("$ postgresql on port {port}, in {}", folder.display());
    let mut initialise = as_user(user, &pg_ctl.with_file_name("initdb"));
    initialise.arg("-D").arg(&cluster);
    quietly(initialise.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]))?;
    let settings = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off \
         -c synchronous_commit=off -c full_page_writes=off -c max_connections=300",
        folder.display()
    );
    let mut begin = as_user(user, pg_ctl);
    begin.arg("-D").arg(&cluster).arg("-l").arg(folder.join("log")).arg("-o").arg(settings);
    quietly(begin.args(["-w", "start"]))?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    Ok(Running { environment: vec![(VARIABLE.into(), url)], _janitor: Some(janitor) })
}

fn make_folder(folder: &Path, user: &str) -> Result<(), Failure> {
    let mut install = Command::new("install");
    install.args(["-d", "-m", "700"]);
    if !user.is_empty() {
        install.args(["-o", user]);
    }
    quietly(install.arg(folder))
}

/// Run from `/`: the user may not be allowed to stand where we stand.
fn as_user(user: &str, program: &Path) -> Command {
    let mut command = if user.is_empty() {
        Command::new(program)
    } else {
        let mut command = Command::new("runuser");
        command.args(["-u", user, "--"]).arg(program);
        command
    };
    command.current_dir("/");
    command
}
