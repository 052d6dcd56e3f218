//! Many contacts at once: an import is begun, runs on the other side for a while, is asked
//! after, and its reports say which rows it left out.
//!
//! It knows addresses and attributes alone, so that whoever has a new address or wants no
//! mail goes one by one. One import runs at a time. It must name a list: one of our own is
//! made for that, and holds everybody who came this way.

use std::collections::HashSet;

use hogwire_connectors::brevo::import::{self, Progress, Row};
use hogwire_connectors::brevo::limits::{Class, IMPORT_ROWS, WORTH_IMPORTING};
use hogwire_connectors::http::Request;
use hogwire_model::{Outcome, Span, Time};

use super::feed::Wanted;
use super::state::Running;
use super::{Turn, document};
use crate::error::Result;
use crate::outside::{HttpAnswer, Reach};
use crate::store::contacts::{self, Stored};
use crate::store::mirrors::{self, LEASE, Mirrored};

/// The list that imports go through.
pub const LIST: &str = "Hogwire: everybody imported";
const PAGE: usize = 1_000;
/// The first question after an import's end; each further one takes twice as long.
const FIRST_POLL: Span = Span::seconds(60);
const LAST_POLL: Span = Span::minutes(10);
/// After a refused import everybody goes one by one for a while.
const REFUSED: Span = Span::hours(1);

impl Turn<'_> {
    pub(super) fn start_import(&mut self) -> Result<()> {
        let may = self.state.no_imports_until.is_none_or(|until| until <= self.now);
        if !self.state.imports.is_empty() || !may || !self.is_worth_it()? {
            return Ok(());
        }
        let Some(list) = self.import_list()? else { return Ok(()) };
        let (rows, sent) = self.claim_import()?;
        if rows.is_empty() {
            self.state.no_imports_until = Some(self.now.plus(Span::minutes(1)));
            return Ok(());
        }
        self.did += rows.len();
        if !self.take_one(Class::Contacts)? {
            return self.give_back(rows, self.now.plus(Span::seconds(1)), "");
        }
        let request = import::start(self.access(), &sent, list).within(Span::minutes(2));
        let (at, answer) = self.ask_one(request);
        match answer.and_then(|response| import::read_started(&response, at)) {
            Ok(process) => {
                let rows: Vec<Mirrored> =
                    rows.into_iter().map(|row| Mirrored { batch: process.to_string(), due_at: None, ..row }).collect();
                let poll_at = at.plus(FIRST_POLL);
                self.state.imports.push(Running { process, rows: rows.len(), began: at, poll_at, polls: 0 });
                self.engine.store.write(|tx| mirrors::put(tx, &rows.iter().collect::<Vec<_>>()))
            }
            Err(outcome) => {
                self.heed(&outcome, at);
                if let Outcome::Refused(why) = &outcome {
                    self.state.no_imports_until = Some(at.plus(REFUSED));
                    self.state.problem = format!("an import was refused: {why}");
                }
                self.give_back(rows, at.plus(Span::seconds(5)), "")
            }
        }
    }

    fn is_worth_it(&self) -> Result<bool> {
        let mut tx = self.engine.store.read()?;
        let waiting = mirrors::count_due(&mut tx, self.name, self.now, WORTH_IMPORTING)?;
        Ok(usize::try_from(waiting).unwrap_or(0) >= WORTH_IMPORTING)
    }

    /// Takes rows that an import can carry, and what it says about them.
    fn claim_import(&mut self) -> Result<(Vec<Mirrored>, Vec<Row>)> {
        let this = &*self;
        this.engine.store.write(|tx| {
            let due = mirrors::due(tx, this.name, this.now, IMPORT_ROWS)?;
            let (mut rows, mut sent): (Vec<Mirrored>, Vec<Row>) = (Vec::new(), Vec::new());
            for page in due.chunks(PAGE) {
                let ids: Vec<&str> = page.iter().map(|row| row.contact_id.as_str()).collect();
                let held = contacts::lock(tx, &ids)?;
                let known: Vec<Stored> = held.into_values().collect();
                let mut wanted: std::collections::HashMap<String, Wanted> =
                    this.wanted(tx, known)?.into_iter().map(|one| (one.stored.contact.id.clone(), one)).collect();
                for row in page {
                    let Some(one) = wanted.remove(&row.contact_id).filter(|one| is_importable(row, one)) else {
                        continue;
                    };
                    let address = one.stored.contact.address.clone().unwrap_or_default();
                    let attributes = document::with_removals(&one.document, &row.names);
                    sent.push(Row { email: address.clone(), attributes });
                    rows.push(Mirrored {
                        address,
                        fingerprint: one.fingerprint,
                        names: document::names(&one.document),
                        status: "importing".to_owned(),
                        reason: one.document.unfit.values().map(String::as_str).collect::<Vec<_>>().join("; "),
                        due_at: Some(this.now.plus(LEASE)),
                        attempts: row.attempts + 1,
                        batch: "starting".to_owned(),
                        ..row.clone()
                    });
                }
            }
            let fits = import::fits(&sent);
            sent.truncate(fits);
            rows.truncate(fits);
            mirrors::put(tx, &rows.iter().collect::<Vec<_>>())?;
            Ok((rows, sent))
        })
    }

    /// Rows of an import that came to nothing wait again.
    fn give_back(&mut self, rows: Vec<Mirrored>, due: Time, why: &str) -> Result<()> {
        let rows: Vec<Mirrored> = rows
            .into_iter()
            .map(|row| Mirrored {
                status: "pending".to_owned(),
                fingerprint: String::new(),
                reason: why.to_owned(),
                due_at: Some(due),
                batch: String::new(),
                ..row
            })
            .collect();
        self.engine.store.write(|tx| mirrors::put(tx, &rows.iter().collect::<Vec<_>>()))
    }

    pub(super) fn poll_imports(&mut self) -> Result<()> {
        let due: Vec<Running> = self.state.imports.iter().filter(|one| one.poll_at <= self.now).cloned().collect();
        for mut running in due {
            if !self.take_one(Class::Rest)? {
                return Ok(());
            }
            self.did += 1;
            let request = import::process(self.access(), running.process);
            let (at, answer) = self.ask_one(request);
            let progress = answer.and_then(|response| import::read_process(&response, at));
            self.state.imports.retain(|one| one.process != running.process);
            match progress {
                Ok(Progress::Completed(reports)) => self.complete(&running, &reports, at)?,
                Ok(Progress::Failed(why)) | Err(Outcome::Refused(why)) => {
                    self.state.no_imports_until = Some(at.plus(REFUSED));
                    self.state.problem.clone_from(&why);
                    self.end_batch(&running, |row| Mirrored {
                        status: "pending".to_owned(),
                        fingerprint: String::new(),
                        reason: why.clone(),
                        due_at: Some(at),
                        batch: String::new(),
                        ..row
                    })?;
                }
                other => {
                    if let Err(outcome) = &other {
                        self.heed(outcome, at);
                    }
                    running.polls += 1;
                    let pause = FIRST_POLL.as_millis() << running.polls.min(5);
                    running.poll_at = at.plus(Span::millis(pause.min(LAST_POLL.as_millis())));
                    self.state.imports.push(running);
                }
            }
        }
        Ok(())
    }

    /// An import is over: everybody it did not leave out stands there as wanted then.
    fn complete(&mut self, running: &Running, reports: &[(String, String)], at: Time) -> Result<()> {
        let mut left_out: Vec<(String, HashSet<String>)> = Vec::new();
        for (reason, url) in reports {
            left_out.push((reason.clone(), self.report(url)));
        }
        self.state.wrote = true;
        self.state.lists_stale = true;
        self.end_batch(running, |row| {
            let why = left_out.iter().find(|(_, addresses)| addresses.contains(&row.address)).map(|(why, _)| why);
            match why {
                Some(why) => Mirrored {
                    status: "rejected".to_owned(),
                    reason: format!("left out of the import: {why}"),
                    fingerprint: String::new(),
                    address: String::new(),
                    due_at: None,
                    batch: String::new(),
                    ..row
                },
                // Changed while the import ran.
                None if row.due_at.is_some() => Mirrored {
                    status: "pending".to_owned(),
                    batch: String::new(),
                    written_at: Some(at),
                    attempts: 0,
                    ..row
                },
                None => Mirrored {
                    status: "written".to_owned(),
                    batch: String::new(),
                    written_at: Some(at),
                    attempts: 0,
                    ..row
                },
            }
        })
    }

    fn report(&self, url: &str) -> HashSet<String> {
        // A file that lies elsewhere is fetched as any address that data names, without our key.
        let ours = url.starts_with(self.destination.host.trim_end_matches('/'));
        let reach = if ours { Reach::Configured } else { Reach::Guarded };
        let answers = self.engine.outside.http.send(reach, vec![Request::new("GET", url)]);
        match answers.into_iter().next() {
            Some((_, HttpAnswer::Response(response))) if response.status == 200 => {
                import::read_report(&response.body).into_iter().collect()
            }
            _ => HashSet::new(),
        }
    }

    fn end_batch(&mut self, running: &Running, end: impl Fn(Mirrored) -> Mirrored) -> Result<()> {
        let batch = running.process.to_string();
        let mut after = String::new();
        loop {
            let page = self.engine.store.write(|tx| {
                let page = mirrors::of_batch(tx, &batch, &after, PAGE)?;
                let rows: Vec<Mirrored> = page.iter().cloned().map(&end).collect();
                mirrors::put(tx, &rows.iter().collect::<Vec<_>>())?;
                Ok(page)
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.contact_id);
        }
    }
}

/// Nothing but attributes differs, or nobody was there before.
fn is_importable(row: &Mirrored, wanted: &Wanted) -> bool {
    let address = wanted.stored.contact.address.as_deref().unwrap_or_default();
    let same_place = row.address.is_empty() || row.address == address;
    wanted.kept_back.is_none() && same_place && super::contacts::block(row, wanted).is_none() && row.attempts < 3
}
