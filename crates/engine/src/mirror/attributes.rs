//! The destination's own attributes: read, and made where a value has none to go into. The
//! kind of a new one suits the values that are there; it can never be changed afterwards.

use hogwire_connectors::brevo::attributes::{self, Attribute, Kind};
use hogwire_connectors::brevo::limits::Class;
use hogwire_model::Outcome;

use super::{Turn, feed};
use crate::error::Result;
use crate::store::contacts::Stored;

/// Kinds of the names we make up ourselves, before any value says so.
const KNOWN: [(&str, Kind); 4] = [
    ("total_events", Kind::Float),
    ("last_seen", Kind::Date),
    ("signup_date", Kind::Date),
    ("cohort_names", Kind::Text),
];

impl Turn<'_> {
    /// Reads which attributes there are.
    pub(super) fn read_attributes(&mut self) -> Result<()> {
        if !self.take_one(Class::Contacts)? {
            return Ok(());
        }
        let request = attributes::all(self.access());
        let (at, answer) = self.ask_one(request);
        match answer.and_then(|response| attributes::read_all(&response, at)) {
            Ok(known) => {
                // What has another place now is compared again.
                if known != self.state.attributes {
                    self.state.pass_began = None;
                }
                self.state.attributes = known;
                self.state.refused.clear();
                self.state.attributes_at = Some(self.now);
                self.state.problem.clear();
            }
            Err(outcome) => self.heed(&outcome, at),
        }
        self.did += 1;
        Ok(())
    }

    /// Makes the attributes that the values of a page have no place in yet.
    pub(super) fn make_missing_attributes(&mut self, page: &[Stored]) -> Result<()> {
        let found = feed::values_by_name(page, self.destination);
        let mut wanted: Vec<(String, Kind)> = Vec::new();
        for (name, values) in &found {
            let is_known = self.state.attributes.iter().any(|known| known.name == *name);
            if is_known || self.state.refused.contains_key(name) {
                continue;
            }
            if !attributes::is_name(name) {
                let why = "it is no name that an attribute in Brevo can have: capitals, digits and _".to_owned();
                self.state.refused.insert(name.clone(), why);
                continue;
            }
            let own = self.destination.fields.iter().find(|(_, target)| *target == name);
            let own = own.and_then(|(field, _)| KNOWN.iter().find(|(known, _)| known == field));
            let kind = own.map(|(_, kind)| *kind).or_else(|| attributes::kind_of(values));
            wanted.extend(kind.map(|kind| (name.clone(), kind)));
        }
        for (name, kind) in wanted {
            if self.is_paused() || !self.take_one(Class::Contacts)? {
                // What has no place yet is compared again with the next pass.
                self.state.pass_began = None;
                break;
            }
            self.make_attribute(name, kind);
        }
        Ok(())
    }

    fn make_attribute(&mut self, name: String, kind: Kind) {
        let request = attributes::create(self.access(), &name, kind);
        let (at, answer) = self.ask_one(request);
        let outcome = answer.map_or_else(|outcome| outcome, |response| attributes::read_created(&response, at));
        self.did += 1;
        match outcome {
            Outcome::Done(said) if said.starts_with("201") => {
                self.state.attributes.push(Attribute { name, kind, options: Vec::new() });
            }
            // It was there: its own kind is read before anything is fitted to it.
            Outcome::Done(_) => self.state.attributes_at = None,
            Outcome::Refused(why) => drop(self.state.refused.insert(name, why)),
            other => {
                self.state.pass_began = None;
                self.heed(&other, at);
            }
        }
    }
}
