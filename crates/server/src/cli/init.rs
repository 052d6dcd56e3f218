//! `hogwire init`: a starter project folder. Files that are there already stay as they are.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Common, Screen, Stop};

#[derive(Args)]
pub struct Init {
    /// The folder; the one of --dir where none is given.
    folder: Option<PathBuf>,
}

const FILES: [(&str, &str); 5] = [
    ("hogwire.yaml", include_str!("starter/hogwire.yaml")),
    ("campaigns/welcome.yaml", include_str!("starter/welcome.yaml")),
    ("templates/welcome.md", include_str!("starter/welcome.md")),
    ("tests/welcome.yaml", include_str!("starter/test.yaml")),
    (".gitignore", "/data\n"),
];

impl Init {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let folder = self.folder.unwrap_or_else(|| common.dir.clone());
        let (mut made, mut kept) = (Vec::new(), Vec::new());
        for (name, text) in FILES {
            let path = folder.join(name);
            let failed = |error: io::Error| Stop::failed(format!("{} cannot be written: {error}", path.display()));
            match write(&path, text) {
                Ok(()) => made.push(name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => kept.push(name),
                Err(error) => return Err(failed(error)),
            }
        }
        let told = json!({ "folder": folder.display().to_string(), "made": made, "kept": kept });
        screen.show(&told, || {
            let mut lines: Vec<String> = made.iter().map(|name| format!("made {name}")).collect();
            lines.extend(kept.iter().map(|name| format!("kept {name}")));
            lines.push(format!("Next: hogwire serve --dir {}", folder.display()));
            lines.join("\n")
        });
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
