//! `hogwire backup` and `hogwire restore`. A backup holds no key; a restored installation
//! begins with sending stopped, knows every opt-out since, and says what it would send.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hogwire_engine::backup::Restored;
use serde_json::json;

use super::ask::Api;
use super::{Common, Screen, Stop};
use crate::adapters::clock::Clock;
use crate::adapters::lock;
use crate::boot;
use crate::config::Database;

#[derive(Args)]
pub struct Backup {
    /// Where to; nothing may be there yet.
    file: PathBuf,
}

impl Backup {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let file = std::path::absolute(&self.file)
            .map_err(|error| Stop::misuse(format!("{} is no path: {error}", self.file.display())))?;
        let answer = Api::open(common)?.post("/v1/backup", &json!({ "file": file }))?;
        screen.show(&answer, || {
            let bytes = answer["bytes"].as_u64().unwrap_or(0);
            format!("{} holds the database ({bytes} bytes). Keep the secret key apart from it.", file.display())
        });
        Ok(())
    }
}

#[derive(Args)]
pub struct Restore {
    /// A file that `hogwire backup` wrote. On PostgreSQL: none, after pg_restore.
    file: Option<PathBuf>,
}

impl Restore {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let config = super::serve::load(common)?;
        if let Some(owner) = lock::owner(&config.data) {
            return Err(Stop::failed(format!("stop the running server first (process {})", owner.pid)));
        }
        let kept = match (&config.database, &self.file) {
            (Database::Sqlite(path), Some(file)) => put_back(file, path)?,
            (Database::Sqlite(_), None) => return Err(Stop::misuse("say which backup: hogwire restore FILE")),
            (Database::Postgres(_), None) => None,
            (Database::Postgres(_), Some(_)) => {
                return Err(Stop::misuse("on PostgreSQL restore with pg_restore, then run `hogwire restore` alone"));
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("the network cannot be started: {error}")))?;
        let clock = Clock::real();
        let opened = boot::open(config, runtime.handle(), clock).map_err(Stop::failed)?;
        let report = opened.engine.restored("command line", clock.now()).map_err(Stop::failed)?;
        let told = json!({ "report": report, "before": kept.as_ref().map(|path| path.display().to_string()) });
        screen.show(&told, || written(&report, kept.as_deref()));
        Ok(())
    }
}

/// Puts a backup in the database's place. Answers where the database before it lies now.
fn put_back(file: &Path, database: &Path) -> Result<Option<PathBuf>, Stop> {
    let failed = |what: &str, path: &Path, error: std::io::Error| {
        Stop::failed(format!("{} cannot be {what}: {error}", path.display()))
    };
    let mut head = [0; 16];
    let opened = fs::File::open(file).and_then(|mut file| file.read_exact(&mut head));
    opened.map_err(|error| failed("read", file, error))?;
    if &head != b"SQLite format 3\0" {
        return Err(Stop::misuse(format!("{} is not a backup of a database", file.display())));
    }
    if let Some(folder) = database.parent() {
        fs::create_dir_all(folder).map_err(|error| failed("made", folder, error))?;
    }
    let beside = |ending: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let fresh = beside(".restoring");
    fs::copy(file, &fresh).map_err(|error| failed("copied", file, error))?;
    let mut kept = None;
    if database.exists() {
        let before = (0..).map(|n| beside(&format!(".before-{n}"))).find(|path| !path.exists());
        let before = before.unwrap_or_else(|| beside(".before"));
        fs::rename(database, &before).map_err(|error| failed("moved away", database, error))?;
        for ending in ["-wal", "-shm"] {
            let (from, mut to) = (beside(ending), before.as_os_str().to_owned());
            to.push(ending);
            if from.exists() {
                fs::rename(&from, PathBuf::from(to)).map_err(|error| failed("moved away", &from, error))?;
            }
        }
        kept = Some(before);
    }
    fs::rename(&fresh, database).map_err(|error| failed("put in place", &fresh, error))?;
    Ok(kept)
}

fn written(report: &Restored, kept: Option<&Path>) -> String {
    let since = report.backed_up_at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
    let mut text = format!(
        "Restored what was known at {since}.\n\
         {} opt-outs since then were taken from the journal.\n\
         {} messages may have gone out since and are called unknown.\n\
         {} runs were due since and are called unknown.\n\
         {} messages would go out. Sending is stopped: look at them, then run `hogwire resume --all`.",
        report.opt_outs, report.unknown_messages, report.unknown_runs, report.would_send
    );
    if let Some(kept) = kept {
        text.push_str(&format!("\nThe database before it lies in {}.", kept.display()));
    }
    text
}
