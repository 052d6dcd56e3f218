//! A shell that cleans up after us, however we end.
//!
//! It waits for its standard input to close. That happens when the guard is dropped, and also when this
//! process is interrupted or killed, which no code of ours could catch. It runs in a process group of
//! its own, so that Ctrl-C does not reach it.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

pub struct Janitor {
    shell: Child,
}

impl Janitor {
    /// `script` is read by `sh`; `arguments` are its `$1`, `$2`, …
    pub fn hire(script: &str, arguments: &[&str]) -> io::Result<Janitor> {
        let waiting = format!("while read -r line; do :; done\n{script}");
        let shell = Command::new("sh")
            .args(["-c", &waiting, "janitor"])
            .args(arguments)
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Janitor { shell })
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        if let Some(mut input) = self.shell.stdin.take() {
            // A janitor that has gone already has nothing left to hear.
            let _ = input.flush();
        }
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runs_when_the_guard_goes() {
        let folder = std::env::temp_dir().join(format!("hogwire-janitor-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let shown = folder.to_string_lossy().into_owned();
        let janitor = Janitor::hire("rm -rf \"$1\"", &[&shown]).expect("sh is there");
        assert!(folder.exists());
        drop(janitor);
        assert!(!folder.exists());
    }
}
