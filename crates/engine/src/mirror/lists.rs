//! Lists in exact step with the sets that they mirror (SPEC B3, B9): who enters is added, who
//! leaves is removed, at most 150 in a call. Whom we did not put there is left alone.
//!
//! Brevo fails a member that is there already as it fails a stranger; whoever failed is
//! therefore looked up, and counted as where they are found.

use std::collections::BTreeMap;

use hogwire_connectors::brevo::contacts::{self as wire, Named};
use hogwire_connectors::brevo::limits::{Class, LISTS_PAGE, MEMBERS_AT_ONCE};
use hogwire_connectors::brevo::lists::{self, Moved, Way};
use hogwire_connectors::http::Request;
use hogwire_model::{Outcome, Span, Time};

use super::{State, Turn, chores};
use crate::error::Result;
use crate::store::mirrored_members::{self as members, List, Member};
use crate::store::mirrors::LEASE;
use crate::store::{Tx, sets};

/// Compared anew after this long, whatever has happened.
const EVERY: Span = Span::hours(1);
/// Who could not be moved is tried again so often.
const TRIES: i64 = 5;
const PAUSE: Span = Span::minutes(5);

/// What a comparison stands on; another one is worth while when it changes.
fn mark(tx: &mut Tx<'_>) -> Result<String> {
    Ok(format!("{:?}", members::last_change(tx)?))
}

pub fn next_due(tx: &mut Tx<'_>, destination: &str, state: &State, now: Time) -> Result<Option<Time>> {
    let room = |at: Time| at.max(state.no_room_until.unwrap_or(at));
    if state.lists_stale || mark(tx)? != state.lists_mark {
        return Ok(Some(room(now)));
    }
    let compared = state.lists_at.map(|at| at.plus(EVERY));
    Ok(members::next_due(tx, destination)?.map(room).into_iter().chain(compared).min())
}

impl Turn<'_> {
    pub(super) fn move_members(&mut self) -> Result<()> {
        let lists = self.mirrored_lists()?;
        if lists.is_empty() {
            self.state.lists_at = Some(self.now);
            self.state.lists_stale = false;
            self.state.lists_mark = mark(&mut self.engine.store.read()?)?;
            return Ok(());
        }
        let mut tx = self.engine.store.read()?;
        let now_mark = mark(&mut tx)?;
        drop(tx);
        let stale = self.state.lists_stale
            || now_mark != self.state.lists_mark
            || State::is_due(self.state.lists_at, EVERY, self.now);
        let mut whole = true;
        for list in &lists {
            if self.is_paused() {
                return Ok(());
            }
            if stale {
                whole &= self.plan(list)?;
            }
            let Some(id) = self.list_id(list)? else { continue };
            self.carry_out(list, id, Way::In)?;
            self.carry_out(list, id, Way::Out)?;
        }
        if stale && whole {
            self.state.lists_at = Some(self.now);
            self.state.lists_mark = now_mark;
        }
        // Planned rows are due by themselves; what did not fit into this plan is planned next.
        self.state.lists_stale = stale && !whole;
        Ok(())
    }

    /// Lists that some known set is mirrored by. A set that was never read, or is held for a
    /// person, changes nothing.
    fn mirrored_lists(&self) -> Result<Vec<List>> {
        let mut lists: BTreeMap<String, List> = BTreeMap::new();
        for set in sets::mirrored(&mut self.engine.store.read()?)? {
            if set.baseline_at.is_none() || matches!(set.status.as_str(), "new" | "gone") {
                continue;
            }
            let key = match set.mirror.as_str() {
                "create" => format!("{}/{}/{}", set.name.connection, set.name.kind, set.name.id),
                id => id.to_owned(),
            };
            let list = lists.entry(key.clone()).or_insert(List { key, mirror: set.mirror.clone(), sets: Vec::new() });
            list.sets.push(set.name);
        }
        Ok(lists.into_values().collect())
    }

    /// Lets rows wait for whoever enters or leaves. Answers whether that was everybody.
    fn plan(&mut self, list: &List) -> Result<bool> {
        let (name, now) = (self.name, self.now);
        let most = MEMBERS_AT_ONCE * 8;
        let planned = self.engine.store.write(|tx| {
            let (mut planned, mut whole) = (0, true);
            for set in &list.sets {
                let entering = members::entering(tx, name, &list.key, set, most)?;
                whole &= entering.len() < most;
                planned += entering.len();
                let row = |(contact_id, address)| Member {
                    contact_id,
                    address,
                    status: "adding".to_owned(),
                    due_at: Some(now),
                    ..Member::default()
                };
                members::put(tx, name, &list.key, &entering.into_iter().map(row).collect::<Vec<_>>(), now)?;
            }
            let leaving = members::leaving(tx, name, list, most)?;
            whole &= leaving.len() < most;
            planned += leaving.len();
            let row =
                |member: Member| Member { status: "removing".to_owned(), due_at: Some(now), attempts: 0, ..member };
            members::put(tx, name, &list.key, &leaving.into_iter().map(row).collect::<Vec<_>>(), now)?;
            Ok((planned, whole))
        })?;
        self.did += planned.0;
        Ok(planned.1)
    }

    /// The list's id at the destination; made where the set asks for that.
    fn list_id(&mut self, list: &List) -> Result<Option<i64>> {
        if list.mirror != "create" {
            return Ok(list.mirror.parse().ok());
        }
        if let Some(id) = self.state.made_lists.get(&list.key) {
            return Ok(Some(*id));
        }
        let set = sets::find(&mut self.engine.store.read()?, &list.sets[0])?;
        let title = set.map_or_else(|| list.key.clone(), |set| set.title);
        let found = self.list_named(&title)?;
        self.state.made_lists.extend(found.map(|id| (list.key.clone(), id)));
        Ok(found)
    }

    fn carry_out(&mut self, list: &List, id: i64, way: Way) -> Result<()> {
        let (name, now) = (self.name, self.now);
        let status = if way == Way::In { "adding" } else { "removing" };
        let waiting = self.engine.store.write(|tx| members::due(tx, name, &list.key, status, now, MEMBERS_AT_ONCE))?;
        if waiting.is_empty() {
            return Ok(());
        }
        let (room, more) = self.take(Class::Contacts, 1)?;
        self.state.no_room_until = more;
        if room == 0 {
            return Ok(());
        }
        let sending: Vec<Member> = waiting
            .into_iter()
            .map(|member| Member { due_at: Some(now.plus(LEASE)), attempts: member.attempts + 1, ..member })
            .collect();
        self.engine.store.write(|tx| members::put(tx, name, &list.key, &sending, now))?;
        self.did += sending.len();
        let addresses: Vec<&str> = sending.iter().map(|member| member.address.as_str()).collect();
        let request = lists::members(self.access(), id, way, &addresses);
        let (at, answer) = self.ask_one(request);
        let moved = match answer {
            Ok(response) => lists::read_moved(&response, at),
            Err(outcome) => Moved::Otherwise(outcome),
        };
        let settled = match moved {
            Moved::Some(there) => {
                let (fine, asked): (Vec<Member>, Vec<Member>) =
                    sending.into_iter().partition(|member| there.contains(&member.address.to_lowercase()));
                let mut settled: Vec<Member> = fine.into_iter().map(|member| arrived(member, way)).collect();
                settled.extend(self.look_up(asked, id, way)?);
                settled
            }
            Moved::NoList(why) => sending.into_iter().map(|member| rejected(member, &why)).collect(),
            Moved::Otherwise(outcome) => {
                self.heed(&outcome, at);
                let why = match outcome {
                    Outcome::Refused(why) | Outcome::Retry(why) | Outcome::Unknown(why) => why,
                    other => format!("{other:?}"),
                };
                sending.into_iter().map(|member| again(member, &why, at)).collect()
            }
        };
        self.settle(list, settled, way)
    }

    /// Asks after members that the call did not move: they may stand where they should.
    fn look_up(&mut self, asked: Vec<Member>, list: i64, way: Way) -> Result<Vec<Member>> {
        let (room, more) = self.take(Class::Contacts, asked.len())?;
        self.state.no_room_until = more;
        let requests: Vec<Request> =
            asked.iter().take(room).map(|member| wire::find(self.access(), Named::Address(&member.address))).collect();
        let answers = self.ask(requests);
        let mut settled = Vec::with_capacity(asked.len());
        let mut answers = answers.into_iter();
        for member in asked {
            settled.push(match answers.next() {
                Some((at, Ok(response))) => match wire::read_found(&response, at) {
                    Ok(found) => {
                        let is_in = found.as_ref().is_some_and(|found| found.lists.contains(&list));
                        match (way, is_in, found.is_some()) {
                            (Way::In, true, _) | (Way::Out, false, _) => arrived(member, way),
                            (Way::In, false, false) => again(member, "the contact is not there", at),
                            _ => again(member, "was not moved", at),
                        }
                    }
                    Err(_) => again(member, "could not be looked up", at),
                },
                // Nobody has said no: it is asked anew with the next call.
                _ => Member { due_at: Some(self.now), attempts: member.attempts - 1, ..member },
            });
        }
        Ok(settled)
    }

    fn settle(&mut self, list: &List, settled: Vec<Member>, way: Way) -> Result<()> {
        let (name, now) = (self.name, self.now);
        self.engine.store.write(|tx| {
            let (gone, held): (Vec<Member>, Vec<Member>) =
                settled.into_iter().partition(|member| way == Way::Out && member.status == "in");
            members::put(tx, name, &list.key, &held, now)?;
            let gone: Vec<String> = gone.into_iter().map(|member| member.contact_id).collect();
            members::forget(tx, name, &list.key, &gone)
        })
    }

    /// A list of this name, made in our folder where there is none.
    pub(super) fn list_named(&mut self, title: &str) -> Result<Option<i64>> {
        for page in 0.. {
            if !self.take_one(Class::Contacts)? {
                return Ok(None);
            }
            let request = lists::page(self.access(), page * LISTS_PAGE);
            let (at, answer) = self.ask_one(request);
            match answer.and_then(|response| lists::read_page(&response, at)) {
                Ok(found) => {
                    if let Some(list) = found.iter().find(|list| list.name == title) {
                        return Ok(Some(list.id));
                    }
                    if found.len() < LISTS_PAGE {
                        break;
                    }
                }
                Err(outcome) => {
                    self.heed(&outcome, at);
                    return Ok(None);
                }
            }
        }
        self.make_list(title)
    }

    fn make_list(&mut self, title: &str) -> Result<Option<i64>> {
        if self.take(Class::Contacts, 3)?.0 < 3 {
            return Ok(None);
        }
        let request = lists::folders(self.access());
        let (at, answer) = self.ask_one(request);
        let folders = answer.and_then(|response| lists::read_folders(&response, at));
        let folder = match folders {
            Ok(folders) => match folders.into_iter().find(|(_, name)| name == chores::FOLDER) {
                Some((id, _)) => Ok(id),
                None => self.made(lists::create_folder(self.access(), chores::FOLDER)),
            },
            Err(outcome) => Err(outcome),
        };
        let made = match folder {
            Ok(folder) => self.made(lists::create(self.access(), title, folder)),
            Err(outcome) => Err(outcome),
        };
        match made {
            Ok(id) => Ok(Some(id)),
            Err(outcome) => {
                self.heed(&outcome, self.now);
                Ok(None)
            }
        }
    }

    fn made(&mut self, request: Request) -> Result<i64, Outcome> {
        let (at, answer) = self.ask_one(request);
        answer.and_then(|response| lists::read_created(&response, at))
    }
}

fn arrived(member: Member, _: Way) -> Member {
    Member { status: "in".to_owned(), reason: String::new(), due_at: None, attempts: 0, ..member }
}

fn rejected(member: Member, why: &str) -> Member {
    Member { status: "rejected".to_owned(), reason: why.to_owned(), due_at: None, ..member }
}

fn again(member: Member, why: &str, at: Time) -> Member {
    if member.attempts >= TRIES {
        return rejected(member, why);
    }
    Member { reason: why.to_owned(), due_at: Some(at.plus(PAUSE)), ..member }
}
