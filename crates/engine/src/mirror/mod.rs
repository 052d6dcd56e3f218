//! Destinations that are kept as contacts are here: attributes, lists, events, and the no of
//! whoever wants no mail (SPEC G5, B2, B3, B5, B9, B12).
//!
//! A destination is worked on by one node at a time, turn by turn: look for contacts that
//! changed, write what differs from what was written last, one by one or as an import, move
//! members, send events, erase whom we were asked to erase. Only what changed is sent: a row
//! for each contact holds the fingerprint of what was written. Nothing waits in memory: each
//! turn says when the next is due.

mod attributes;
mod budget;
mod chores;
mod consent;
mod contacts;
mod document;
mod erase;
mod events;
mod feed;
mod imports;
mod lists;
mod sample;
mod state;

pub use events::{Happened, queue};
pub use state::{Running, State};

use hogwire_connectors::brevo::Access;
use hogwire_connectors::http::{Request, Response};
use hogwire_model::{Outcome, Span, Time};

use crate::engine::{Engine, Stepped};
use crate::error::Result;
use crate::outbox::deliver;
use crate::outside::Reach;
use crate::settings::{Destination, Settings};
use crate::store::mirrors;

/// While a credential is refused everything for its destination waits this long.
const LOGIN_PAUSE: Span = Span::minutes(15);
/// A destination where nothing is due is looked at again after this long.
const IDLE: Span = Span::seconds(5);

/// One batch of work for each destination.
pub fn step(engine: &Engine, now: Time) -> Result<Stepped> {
    let settings = engine.settings();
    let mut stepped = Stepped::default();
    for (name, destination) in &settings.destinations {
        let one = turn(engine, &settings, name, destination, now)?;
        stepped.did += one.did;
        stepped.next_due = stepped.next_due.into_iter().chain(one.next_due).min();
    }
    Ok(stepped)
}

/// What a turn works with.
pub(crate) struct Turn<'t> {
    pub engine: &'t Engine,
    pub settings: &'t Settings,
    pub name: &'t str,
    pub destination: &'t Destination,
    pub state: State,
    pub now: Time,
    pub did: usize,
}

fn turn(engine: &Engine, settings: &Settings, name: &str, destination: &Destination, now: Time) -> Result<Stepped> {
    let due = due(engine, name, now)?;
    if due > now {
        return Ok(Stepped { did: 0, next_due: Some(due) });
    }
    let Some((held, fence)) = engine.store.write(|tx| mirrors::claim(tx, name, now))? else {
        return Ok(Stepped { did: 0, next_due: Some(now.plus(IDLE)) });
    };
    let state = State::read(&held)?;
    let mut turn = Turn { engine, settings, name, destination, state, now, did: 0 };
    let result = turn.run();
    let state = turn.state.text();
    let did = turn.did;
    engine.store.write(|tx| mirrors::keep(tx, name, fence, &state, true, now))?;
    result?;
    // What is left over is asked for again; only an idle destination rests.
    let next = if did > 0 { None } else { Some(self::due(engine, name, now)?.max(now.plus(Span::millis(200)))) };
    Ok(Stepped { did, next_due: next })
}

/// When this destination has something to do, without claiming it.
fn due(engine: &Engine, name: &str, now: Time) -> Result<Time> {
    let mut tx = engine.store.read()?;
    let state = match mirrors::state(&mut tx, name)? {
        Some((held, _)) => State::read(&held)?,
        None => return Ok(now),
    };
    if let Some(until) = state.paused_until.filter(|until| *until > now) {
        return Ok(until);
    }
    let mut due = now.plus(Span::hours(1));
    let mut sooner = |at: Option<Time>| due = at.map_or(due, |at| at.min(due));
    sooner(state.next_chore(now));
    sooner(feed::next_due(&mut tx, &state)?);
    let writing = mirrors::next_due(&mut tx, name)?;
    sooner(writing.map(|at| at.max(state.no_room_until.unwrap_or(at))));
    sooner(state.imports.iter().map(|import| import.poll_at).min());
    sooner(events::next_due(&mut tx, name)?.map(|at| at.max(state.no_events_until.unwrap_or(at))));
    sooner(erase::next_due(&mut tx, name, &state)?);
    sooner(lists::next_due(&mut tx, name, &state, now)?);
    Ok(due)
}

impl Turn<'_> {
    fn run(&mut self) -> Result<()> {
        if self.is_paused() {
            return Ok(());
        }
        for part in [
            Self::chores as fn(&mut Self) -> Result<()>,
            Self::feed,
            Self::poll_imports,
            Self::start_import,
            Self::write_contacts,
            Self::move_members,
            Self::send_events,
            Self::erase,
            Self::sample,
        ] {
            part(self)?;
            if self.is_paused() {
                break;
            }
        }
        Ok(())
    }

    fn is_paused(&self) -> bool {
        self.state.paused_until.is_some_and(|until| until > self.now)
    }

    pub fn access(&self) -> Access<'_> {
        Access { host: &self.destination.host, key: &self.destination.key }
    }

    /// Performs requests, and answers each with its time. An answer of the network's own is
    /// an outcome already.
    pub fn ask(&mut self, requests: Vec<Request>) -> Vec<(Time, Result<Response, Outcome>)> {
        let answers = self.engine.outside.http.send(Reach::Configured, requests);
        let mut heard = Vec::with_capacity(answers.len());
        for (at, answer) in answers {
            let mut response = None;
            let outcome = deliver::outcome(answer, |said| {
                response = Some(said.clone());
                Outcome::Done(String::new())
            });
            heard.push((at, response.ok_or(outcome)));
        }
        heard
    }

    pub fn ask_one(&mut self, request: Request) -> (Time, Result<Response, Outcome>) {
        self.ask(vec![request]).pop().unwrap_or_else(|| (self.now, Err(Outcome::Retry("no answer".to_owned()))))
    }

    /// What an outcome means for the destination as a whole: a refused credential and a spent
    /// quota stop everything for a while.
    pub fn heed(&mut self, outcome: &Outcome, at: Time) {
        let (until, why) = match outcome {
            Outcome::Unauthorized(why) => (at.plus(LOGIN_PAUSE), why),
            Outcome::Snooze(until, why) => (*until, why),
            _ => return,
        };
        self.state.paused_until = self.state.paused_until.max(Some(until));
        self.state.problem = why.clone();
    }
}
