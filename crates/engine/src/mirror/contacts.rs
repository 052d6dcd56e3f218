//! Contacts written one by one: the way for few of them, for changed addresses, and for
//! whoever wants no more mail. A contact is named by our id where the destination was told
//! it, else by the address that was last written there.

use hogwire_connectors::brevo::contacts::{self as wire, Named, Written};
use hogwire_connectors::brevo::limits::Class;
use hogwire_connectors::http::Request;
use hogwire_model::policy::retry::{self, Kind};
use hogwire_model::{Outcome, Time};

use super::feed::Wanted;
use super::{Turn, document};
use crate::error::Result;
use crate::store::contacts::{self, Stored};
use crate::store::mirrors::{self, LEASE, Mirrored};

/// Contacts of one turn; the budget mostly says less.
const AT_ONCE: usize = 50;
/// How often identifiers are tried in another way before a person must look.
const TURNS: i64 = 5;

/// A row on its way, with what it should say.
struct Carried {
    row: Mirrored,
    wanted: Wanted,
}

impl Turn<'_> {
    pub(super) fn write_contacts(&mut self) -> Result<()> {
        let carried = self.claim_contacts()?;
        if carried.is_empty() {
            return Ok(());
        }
        self.did += carried.len();
        let requests: Vec<Request> = carried.iter().map(|one| self.request(one)).collect();
        let answers = self.ask(requests);
        let mut rows = Vec::with_capacity(carried.len());
        for (one, (at, answer)) in carried.into_iter().zip(answers) {
            let written = match answer {
                Ok(response) => wire::read_written(&response, at),
                Err(outcome) => Written::Otherwise(outcome),
            };
            if let Written::Otherwise(outcome) = &written {
                self.heed(outcome, at);
            }
            rows.push(self.settled(one, written, at));
        }
        let any = rows.iter().any(|row| row.status == "written");
        self.state.wrote |= any;
        self.state.lists_stale |= any;
        self.engine.store.write(|tx| mirrors::put(tx, &rows.iter().collect::<Vec<_>>()))
    }

    /// Marks rows as being sent, as many as there is room for.
    fn claim_contacts(&mut self) -> Result<Vec<Carried>> {
        let (name, now) = (self.name, self.now);
        let due = self.engine.store.write(|tx| mirrors::due(tx, name, now, AT_ONCE))?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let (room, more) = self.take(Class::Contacts, due.len())?;
        self.state.no_room_until = more;
        let this = &*self;
        this.engine.store.write(|tx| {
            let mut due: Vec<Mirrored> = due.into_iter().take(room).collect();
            let ids: Vec<&str> = due.iter().map(|row| row.contact_id.as_str()).collect();
            let mut held = contacts::lock(tx, &ids)?;
            let known: Vec<Stored> = due.iter().filter_map(|row| held.remove(&row.contact_id)).collect();
            let mut wanted: Vec<Wanted> = this.wanted(tx, known)?;
            let mut carried = Vec::new();
            let mut rows = Vec::new();
            for mut row in due.drain(..) {
                let place = wanted.iter().position(|one| one.stored.contact.id == row.contact_id);
                let Some(wanted) = place.map(|place| wanted.swap_remove(place)) else {
                    // Gone meanwhile: the chore that looks for such rows ends it.
                    rows.push(Mirrored {
                        status: "rejected".to_owned(),
                        reason: "is no longer here".to_owned(),
                        due_at: None,
                        ..row
                    });
                    continue;
                };
                if let Some(why) = wanted.kept_back {
                    rows.push(Mirrored { status: "rejected".to_owned(), reason: why.to_owned(), due_at: None, ..row });
                    continue;
                }
                if row.fingerprint == wanted.fingerprint && row.status == "pending" && !row.address.is_empty() {
                    rows.push(this.written(row, &wanted, now));
                    continue;
                }
                row.status = "sending".to_owned();
                row.due_at = Some(now.plus(LEASE));
                row.attempts += 1;
                rows.push(row.clone());
                carried.push(Carried { row, wanted });
            }
            mirrors::put(tx, &rows.iter().collect::<Vec<_>>())?;
            Ok(carried)
        })
    }

    fn request(&self, one: &Carried) -> Request {
        let Carried { row, wanted } = one;
        let address = wanted.stored.contact.address.as_deref().unwrap_or_default();
        let body = wire::Wanted {
            address,
            ours: Some(&row.contact_id),
            attributes: document::with_removals(&wanted.document, &row.names),
            blocked: block(row, wanted),
        };
        if row.by_id {
            wire::update(self.access(), Named::Ours(&row.contact_id), &body)
        } else if row.address.is_empty() || row.address == address {
            wire::upsert(self.access(), &body)
        } else {
            wire::update(self.access(), Named::Address(&row.address), &body)
        }
    }

    fn settled(&self, one: Carried, written: Written, at: Time) -> Mirrored {
        let Carried { row, wanted } = one;
        let anew = |row: Mirrored| Mirrored { status: "pending".to_owned(), due_at: Some(at), ..row };
        let rejected =
            |row: Mirrored, why: String| Mirrored { status: "rejected".to_owned(), reason: why, due_at: None, ..row };
        match written {
            Written::Done => Mirrored { by_id: true, ..self.written(row, &wanted, at) },
            // Somebody removed it there, or it never came to be.
            Written::Missing if row.attempts <= TURNS => {
                anew(Mirrored { by_id: false, address: String::new(), names: String::new(), ..row })
            }
            Written::Missing => rejected(row, "is not found under any of its names".to_owned()),
            Written::Taken(which, _) if row.attempts <= TURNS && !row.by_id && which == ["ext_id"] => {
                // Our id stands with another address there: it is ours to change.
                anew(Mirrored { by_id: true, ..row })
            }
            Written::Taken(which, said) => {
                let why = format!("another contact there has its {}: {said}", which.join(" and "));
                rejected(row, why)
            }
            Written::Otherwise(outcome) => self.otherwise(row, &outcome, at),
        }
    }

    fn otherwise(&self, row: Mirrored, outcome: &Outcome, at: Time) -> Mirrored {
        let attempt = u32::try_from(row.attempts).unwrap_or(u32::MAX);
        let later = |said: &String, due: Time, counts: i64| Mirrored {
            status: "pending".to_owned(),
            reason: said.clone(),
            due_at: Some(due),
            attempts: row.attempts - counts,
            ..row.clone()
        };
        match outcome {
            Outcome::Snooze(until, said) => later(said, *until, 1),
            Outcome::Unauthorized(said) => later(said, at.plus(super::LOGIN_PAUSE), 1),
            Outcome::Retry(said) | Outcome::Unknown(said) => {
                match retry::next(attempt, at, self.engine.outside.entropy.fraction(), Kind::Internal) {
                    Some(due) => later(said, due, 0),
                    None => Mirrored { status: "rejected".to_owned(), reason: said.clone(), due_at: None, ..row },
                }
            }
            Outcome::Refused(said) | Outcome::Done(said) => {
                Mirrored { status: "rejected".to_owned(), reason: said.clone(), due_at: None, ..row }
            }
        }
    }

    /// The row of somebody who stands there as wanted.
    pub(super) fn written(&self, row: Mirrored, wanted: &Wanted, at: Time) -> Mirrored {
        let unfit: Vec<&str> = wanted.document.unfit.values().map(String::as_str).collect();
        let stopped_at = match (wanted.document.stopped, row.stopped_at) {
            (true, None) => Some(at),
            (true, held) => held,
            (false, Some(told)) if document::came_back(Some(told), &wanted.words) => None,
            (false, held) => held,
        };
        Mirrored {
            address: wanted.stored.contact.address.clone().unwrap_or_default(),
            fingerprint: wanted.fingerprint.clone(),
            names: document::names(&wanted.document),
            stopped_at,
            status: "written".to_owned(),
            reason: unfit.join("; "),
            due_at: None,
            attempts: 0,
            batch: String::new(),
            written_at: Some(at),
            ..row
        }
    }
}

/// What is said about blocks: a no at once, a yes only by the person's own act, and nothing
/// in between, so that no write of ours ever subscribes anybody.
pub fn block(row: &Mirrored, wanted: &Wanted) -> Option<bool> {
    match (wanted.document.stopped, row.stopped_at) {
        (true, _) => Some(true),
        (false, Some(told)) if document::came_back(Some(told), &wanted.words) => Some(false),
        (false, _) => None,
    }
}
