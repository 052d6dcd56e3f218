//! Starting other programs: said aloud first, run with our own terminal, their failure ours.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// The folder of the workspace. Cargo sets it for what it runs.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A command that runs in the workspace's folder, without the settings that cargo leaves to its children
/// and that would make a nested cargo build everything again.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Prints the command, runs it to its end, and fails where it fails.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = show(command);
    println!("$ {shown}");
    let status = command.status().map_err(|error| Failure::Failed(format!("{shown}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::Failed(format!("`{shown}` ended with {status}"))) }
}

/// Runs a command whose output matters only when it fails.
pub fn quietly(command: &mut Command) -> Result<(), Failure> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| Failure::Failed(format!("{shown}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(Failure::Failed(format!("`{shown}` ended with {}\n{}", output.status, said.trim_end())))
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match words.split_first() {
        Some((program, rest)) => {
            let name = Path::new(program).file_name().map_or(program.as_str().into(), OsStr::to_string_lossy);
            std::iter::once(name.as_ref()).chain(rest.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
        }
        None => String::new(),
    }
}

/// The first of these programs that is on the path, or in one of the further folders.
pub fn find(names: &[&str], further: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(further.iter().cloned()).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
}
