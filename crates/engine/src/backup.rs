//! Backups, and what a restored installation must know about itself (SPEC I4).
//!
//! A restored database has forgotten everything since its backup: opt-outs, mails that went
//! out, runs that went on. So it starts with sending paused, takes the opt-outs and claimed
//! messages from the journal, and calls unknown what was due since. Events that arrived
//! before the restore are read again as history: they change what is known and start nothing.

use std::collections::HashSet;
use std::path::Path;

use hogwire_model::Time;
use hogwire_model::campaign::{Code, Decision};
use hogwire_model::contact::consent::SuppressionReason;
use serde::Serialize;
use serde_json::json;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::journal::{Line, Note};
use crate::outbox::brakes;
use crate::runs::Runs;
use crate::store::pauses::{self, Pause};
use crate::store::{Store, Tx, audit, enrollments, messages, settings as kept, suppressions};

/// When this database was last restored; nothing where it never was.
const RESTORED_AT: &str = "restored_at";
/// The newest moment the database knew when it was backed up.
const BACKED_UP_AT: &str = "backed_up_at";

/// What a restore found, for whoever decides about resuming.
#[derive(Debug, Default, Serialize)]
pub struct Restored {
    pub backed_up_at: Option<Time>,
    /// Opt-outs that the backup did not know.
    pub opt_outs: usize,
    /// Contacts that had been erased since, and were erased once more.
    pub erased: usize,
    /// Messages that may have gone out since.
    pub unknown_messages: usize,
    /// Runs that were due since the backup: nobody knows how far they went.
    pub unknown_runs: usize,
    /// Messages that will go out when sending is resumed.
    pub would_send: i64,
}

impl Engine {
    /// Writes a consistent copy of the database. The key that opens its secrets is not in it.
    pub fn backup(&self, target: &Path, now: Time) -> Result<()> {
        self.store.write(|tx| kept::set(tx, BACKED_UP_AT, &now.millis().to_string(), now))?;
        match &self.store {
            Store::Sqlite(store) => store.backup_to(target),
            Store::Postgres(_) => Err(Error::Conflict(
                "on PostgreSQL, pg_dump makes the backup; restore it and run `hogwire restore`".to_owned(),
            )),
        }
    }

    /// Told once, when the database was put back from a backup.
    pub fn restored(&self, actor: &str, now: Time) -> Result<Restored> {
        let mut lines = Vec::new();
        self.journal.replay(|line| {
            lines.push(line);
            Ok(())
        })?;
        let report = self.store.write(|tx| {
            let since = kept::number(tx, BACKED_UP_AT)?.map(Time::from_millis);
            let mut report = Restored { backed_up_at: since, ..Restored::default() };
            self.brake(tx, actor, now)?;
            report.opt_outs = replay_opt_outs(tx, &lines)?;
            let erased: HashSet<&str> = lines.iter().filter_map(erased).collect();
            report.erased = crate::contacts::again_after_restore(self, tx, &erased, now)?;
            report.unknown_messages = self.call_messages_unknown(tx, &lines, since, now)?;
            report.unknown_runs = self.call_runs_unknown(tx, since, now)?;
            report.would_send = messages::waiting(tx)?;
            kept::set(tx, RESTORED_AT, &now.millis().to_string(), now)?;
            let detail = json!(report).to_string();
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "restore", "*", &detail)?;
            Ok(report)
        })?;
        self.outside.wake.wake();
        Ok(report)
    }

    fn brake(&self, tx: &mut Tx<'_>, actor: &str, now: Time) -> Result<()> {
        let reason = "restored from a backup; look at what would be sent, then resume".to_owned();
        let pause = Pause { subject: brakes::EVERYTHING.to_owned(), at: now, actor: actor.to_owned(), reason };
        pauses::add(tx, &pause).map(|_| ())
    }

    /// A message that the journal says was claimed, or that was due since, may have gone out.
    fn call_messages_unknown(&self, tx: &mut Tx<'_>, lines: &[Line], since: Option<Time>, now: Time) -> Result<usize> {
        let claimed: HashSet<&str> = lines
            .iter()
            .filter_map(|line| match &line.note {
                Note::Claimed { message_id } => Some(message_id.as_str()),
                _ => None,
            })
            .collect();
        let mut called = 0;
        for message in messages::undecided(tx)? {
            let was_due = since.is_some() && message.due_at.is_some_and(|due| due <= now);
            if claimed.contains(message.id.as_str()) || was_due {
                messages::end(tx, &message.id, messages::Status::Unknown, "restored", now)?;
                called += 1;
            }
        }
        Ok(called)
    }

    /// A run that was due since the backup has gone on in a life that was forgotten. It ends
    /// here, because going on could write to somebody twice.
    fn call_runs_unknown(&self, tx: &mut Tx<'_>, since: Option<Time>, now: Time) -> Result<usize> {
        let Some(since) = since else { return Ok(0) };
        let catalog = self.catalog(tx)?;
        let mut runs = Runs::new(self, catalog, now);
        let mut called = 0;
        loop {
            let due = enrollments::due(tx, now, 500)?;
            if due.is_empty() {
                break;
            }
            for mut run in due {
                let detail = json!({ "reason": "restored from a backup", "due_at": run.due_at, "backed_up_at": since });
                runs.end(tx, &mut run, Decision::new(Code::SendUnknown, detail))?;
                called += 1;
            }
        }
        runs.finish(tx)?;
        Ok(called)
    }
}

fn erased(line: &Line) -> Option<&str> {
    match &line.note {
        Note::Erased { address_hash } => Some(address_hash),
        _ => None,
    }
}

/// Up to when what arrived is history: it starts nothing any more.
pub(crate) fn history_until(tx: &mut Tx<'_>) -> Result<Time> {
    Ok(kept::number(tx, RESTORED_AT)?.map_or(Time::from_millis(i64::MIN), Time::from_millis))
}

/// Says again every no that the journal holds, in the order it was said.
fn replay_opt_outs(tx: &mut Tx<'_>, lines: &[Line]) -> Result<usize> {
    let mut added = 0;
    for line in lines {
        match &line.note {
            Note::OptedOut { address_hash, topic, reason } => {
                let entry = suppressions::Entry {
                    address_hash: address_hash.clone(),
                    topic: topic.clone(),
                    reason: SuppressionReason::parse(reason).unwrap_or(SuppressionReason::Manual),
                    address: None,
                    source: "journal".to_owned(),
                    at: line.at,
                };
                added += usize::from(suppressions::add(tx, &entry)?);
            }
            Note::OptedIn { address_hash, topic } => {
                suppressions::remove(tx, address_hash, topic, SuppressionReason::Unsubscribed)?;
            }
            Note::Erased { address_hash } => {
                let entry = suppressions::Entry {
                    address_hash: address_hash.clone(),
                    topic: String::new(),
                    reason: SuppressionReason::Erased,
                    address: None,
                    source: "journal".to_owned(),
                    at: line.at,
                };
                added += usize::from(suppressions::add(tx, &entry)?);
            }
            Note::Claimed { .. } => {}
        }
    }
    Ok(added)
}
