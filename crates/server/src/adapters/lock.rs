//! The lock on a data folder: one process owns it, and others find it there.
//!
//! The file holds who owns the folder, where its API listens, and a key made for this run,
//! so that the command line on the same machine can ask the running server. It is readable
//! by the owner alone and worthless after the process ends.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

const NAME: &str = "hogwire.lock";
/// A lock that is held for longer than this is somebody's.
const LOOKERS: Duration = Duration::from_millis(500);

/// Held for as long as the process owns the folder.
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Who runs, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub pid: u32,
    /// `http://127.0.0.1:8765`; empty while it starts, and for a worker.
    #[serde(default)]
    pub url: String,
    /// A key with scope `admin` that lives as long as the process.
    #[serde(default)]
    pub key: String,
}

/// What trying to own the folder came to.
pub enum Taken {
    Ours(Lock),
    /// Another process has it. Nothing where its note cannot be read yet.
    Theirs(Option<Owner>),
}

impl Lock {
    pub fn take(folder: &Path) -> io::Result<Taken> {
        // People's data lies here: a folder that we make is the owner's alone.
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(NAME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        // Whoever only asks who owns the folder holds the lock for a moment.
        let began = Instant::now();
        let mut tried = file.try_lock();
        while matches!(tried, Err(TryLockError::WouldBlock)) && began.elapsed() < LOOKERS {
            std::thread::yield_now();
            tried = file.try_lock();
        }
        match tried {
            Ok(()) => {
                let mut lock = Self { file, path };
                lock.note(&Owner { pid: std::process::id(), url: String::new(), key: String::new() })?;
                Ok(Taken::Ours(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(Taken::Theirs(read(&path))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes down where we can be reached.
    pub fn note(&mut self, owner: &Owner) -> io::Result<()> {
        let text = serde_json::to_vec(owner).map_err(io::Error::other)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.flush()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Emptied rather than removed: another process may be waiting on this very file.
        let emptied = self.file.set_len(0);
        if let Err(error) = emptied {
            tracing::warn!("{} could not be emptied: {error}", self.path.display());
        }
    }
}

/// The process that owns a folder now, if one does.
pub fn owner(folder: &Path) -> Option<Owner> {
    let path = folder.join(NAME);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => read(&path),
    }
}

fn read(path: &Path) -> Option<Owner> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
