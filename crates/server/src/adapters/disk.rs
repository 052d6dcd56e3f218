//! Files of one folder: written at an offset and on disk when the call returns.
//!
//! Files stay open between calls, because the segment log writes thousands of times a
//! second to the same one. A new file is filled with zeros, so that later writes change no
//! metadata and one `fdatasync` is all they need.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hogwire_engine::outside::Disk;

/// How long the free space that was last asked for is believed.
const FREE_FOR: Duration = Duration::from_secs(20);
const ZEROS: usize = 1 << 20;

pub struct Folder {
    path: PathBuf,
    open: Mutex<HashMap<String, Arc<File>>>,
    free: Mutex<Option<(Instant, Option<u64>)>>,
}

impl Folder {
    /// Opens the folder, making it where there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned(), open: Mutex::default(), free: Mutex::default() })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(name) {
            return Ok(file.clone());
        }
        let file = Arc::new(OpenOptions::new().read(true).write(true).open(self.at(name))?);
        open.insert(name.to_owned(), file.clone());
        Ok(file)
    }

    fn forget(&self, name: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Makes a change of names durable.
    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        self.forget(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.at(name))?;
        let zeros = vec![0; ZEROS];
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        while left > 0 {
            let part = left.min(ZEROS);
            file.write_all(&zeros[..part])?;
            left -= part;
        }
        file.sync_all()?;
        self.sync_names()
    }

    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        file.write_all_at(bytes, offset)?;
        file.sync_data()
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.file(name)?;
        let size = file.metadata()?.len();
        let there = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(there)];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.at(name))?.len())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.forget(name);
        fs::remove_file(self.at(name))?;
        self.sync_names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        fs::rename(self.at(from), self.at(to))?;
        self.sync_names()
    }

    fn free(&self) -> Option<u64> {
        let mut held = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, free)) = *held
            && at.elapsed() < FREE_FOR
        {
            return free;
        }
        let free = free_bytes(&self.path);
        *held = Some((Instant::now(), free));
        free
    }
}

/// What the file system has left for us.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}
