//! A project folder's campaigns and templates, read as text. What is in them is the
//! engine's business; a file's stem is its id.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hogwire_engine::campaigns::{Project, SourceFile};

/// Larger files are no campaigns or templates.
const MOST_BYTES: u64 = 4 << 20;

/// Why a file of the folder cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    pub path: PathBuf,
    pub why: String,
}

pub fn read(dir: &Path) -> Result<Project, Unreadable> {
    Ok(Project {
        campaigns: files(&dir.join("campaigns"), &["yaml", "yml", "json"])?,
        templates: files(&dir.join("templates"), &["mjml", "html", "md", "txt"])?,
    })
}

/// The tests of campaigns in `tests/`.
pub fn tests(dir: &Path) -> Result<Vec<SourceFile>, Unreadable> {
    files(&dir.join("tests"), &["yaml", "yml"])
}

fn files(folder: &Path, endings: &[&str]) -> Result<Vec<SourceFile>, Unreadable> {
    let failed =
        |path: &Path, error: &dyn std::fmt::Display| Unreadable { path: path.to_owned(), why: error.to_string() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut found: Vec<SourceFile> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        let (Some(stem), Some(ending)) = (text_of(path.file_stem()), text_of(path.extension())) else { continue };
        if !endings.contains(&ending.as_str()) || stem.starts_with('.') {
            continue;
        }
        let size = fs::metadata(&path).map_err(|error| failed(&path, &error))?.len();
        if size > MOST_BYTES {
            return Err(failed(&path, &format!("it has {size} bytes; at most {MOST_BYTES} are read")));
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        if found.iter().any(|file| file.id == stem) {
            return Err(failed(&path, &format!("`{stem}` is here twice, with different endings")));
        }
        found.push(SourceFile { id: stem, kind: ending, text });
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn text_of(part: Option<&std::ffi::OsStr>) -> Option<String> {
    part.and_then(|part| part.to_str()).map(str::to_owned)
}
