//! Sending domains (SPEC E3): keys of our own, records to be published, looks at DNS.
//!
//! A domain that a sender writes from, and that nobody vouches for, is taken up by itself, so
//! that its records are there to be read before anybody asks. Its mail waits until the needed
//! record was found right. One that was verified falls back only when two looks in a row found
//! it wrong: a name server that is silent or has a bad minute proves nothing. DNS is asked
//! outside any transaction, and never written.

mod sign;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hogwire_connectors::smtp::dkim::{Pair, make_ed25519, make_rsa};
use hogwire_connectors::smtp::records::{self, Looked, Published, Question, Record, State};
use hogwire_model::{Span, Time};
use serde::Serialize;

pub(crate) use sign::Signers;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::outbox::letter::{domain_of, party};
use crate::settings::Settings;
use crate::store::domains::{self, Domain, Status};
use crate::store::{audit, secrets};

/// Looked up in one step.
const AT_ONCE: usize = 10;
const HOUR: Span = Span::hours(1);
/// After the first looks, in order; then hourly for three days, then daily.
const FIRST: [Span; 3] = [Span::minutes(1), Span::minutes(5), Span::minutes(15)];
const EAGER: Span = Span::hours(72);
const SOON: Span = Span::minutes(5);
/// Looks in a row that must find a verified domain wrong.
const MISSES: i64 = 2;

/// A domain as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    pub name: String,
    pub status: Status,
    /// The settings say that its mail may go whatever DNS says.
    pub vouched: bool,
    /// Senders that write from it.
    pub senders: Vec<String>,
    /// Selectors by which its mail is signed.
    pub signing: Vec<String>,
    pub records: Vec<Record>,
    pub created_at: Time,
    pub checked_at: Option<Time>,
    pub verified_at: Option<Time>,
    pub next_check_at: Time,
}

impl Engine {
    pub fn domains(&self) -> Result<Vec<View>> {
        let settings = self.settings();
        let all = domains::all(&mut self.store.read()?)?;
        Ok(all.into_iter().map(|domain| view(&settings, domain)).collect())
    }

    pub fn domain(&self, name: &str) -> Result<View> {
        let name = written(name)?;
        let found = domains::find(&mut self.store.read()?, &name)?;
        let domain = found.ok_or_else(|| Error::Missing(format!("domain {name}")))?;
        Ok(view(&self.settings(), domain))
    }

    /// Takes a domain up, with keys of its own. Answers whether it was not there.
    pub fn add_domain(&self, name: &str, actor: &str, now: Time) -> Result<(View, bool)> {
        let name = written(name)?;
        let fresh = domains::find(&mut self.store.read()?, &name)?.is_none();
        if fresh {
            self.take_up(&name, actor, now)?;
            self.outside.wake.wake();
        }
        Ok((self.domain(&name)?, fresh))
    }

    /// Drops a domain and its keys. One that a sender writes from would come back by itself.
    pub fn remove_domain(&self, name: &str, actor: &str, now: Time) -> Result<()> {
        let name = written(name)?;
        if let Some(sender) = senders(&self.settings(), &name).first() {
            return Err(Error::Conflict(format!("the sender `{sender}` writes from {name}; change its `from` first")));
        }
        self.store.write(|tx| {
            let Some(held) = domains::find(tx, &name)? else { return Err(Error::Missing(format!("domain {name}"))) };
            for key in &held.keys {
                secrets::remove(tx, &secret_name(&name, &key.selector))?;
            }
            domains::remove(tx, &name)?;
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "domain.remove", &name, "{}")
        })
    }

    /// Looks at DNS now.
    pub fn check_domain(&self, name: &str, now: Time) -> Result<View> {
        let name = written(name)?;
        self.look(&name, now)?;
        self.domain(&name)
    }

    fn take_up(&self, name: &str, actor: &str, now: Time) -> Result<()> {
        let fill = |bytes: &mut [u8]| self.outside.entropy.fill(bytes);
        let made = |pair: std::result::Result<Pair, _>| {
            pair.map_err(|why: hogwire_connectors::smtp::dkim::Unusable| Error::Conflict(why.to_string()))
        };
        let pairs = [("hw1", made(make_rsa(&fill))?), ("hw1e", made(make_ed25519(&fill))?)];
        let keys: Vec<Published> = pairs
            .iter()
            .map(|(selector, pair)| Published {
                algorithm: pair.algorithm,
                selector: (*selector).to_owned(),
                public: pair.public.clone(),
            })
            .collect();
        let domain = Domain {
            name: name.to_owned(),
            status: Status::Pending,
            records: records::wanted(name, &keys, relay(&self.settings(), name).as_deref()),
            keys,
            signing: String::new(),
            misses: 0,
            checks: 0,
            created_at: now,
            checked_at: None,
            verified_at: None,
            due_at: now,
        };
        self.store.write(|tx| {
            if !domains::add(tx, &domain)? {
                return Ok(());
            }
            for (selector, pair) in &pairs {
                self.keep_secret(tx, &secret_name(name, selector), &STANDARD.encode(&pair.secret), now)?;
            }
            audit::record(tx, &self.outside.entropy.id("aud", now), now, actor, "domain.add", name, "{}")
        })
    }

    /// Asks DNS, and writes what it said.
    fn look(&self, name: &str, now: Time) -> Result<()> {
        let held = domains::find(&mut self.store.read()?, name)?;
        let held = held.ok_or_else(|| Error::Missing(format!("domain {name}")))?;
        let wanted = records::wanted(name, &held.keys, relay(&self.settings(), name).as_deref());
        let questions = records::questions(name, &wanted);
        let looked = self.outside.dns.look(questions.clone());
        let answers: Vec<(Question, Looked)> = questions.into_iter().zip(looked).collect();
        let seen = records::judged(name, wanted, &answers);
        self.store.write(|tx| {
            // Somebody else may have looked, or dropped it, meanwhile.
            let Some(held) = domains::find(tx, name)? else { return Ok(()) };
            let before = held.status;
            let domain = judged(held, seen, now);
            domains::checked(tx, &domain)?;
            if domain.status != before {
                let action = format!("domain.{}", domain.status.as_str());
                audit::record(tx, &self.outside.entropy.id("aud", now), now, "hogwire", &action, name, "{}")?;
            }
            Ok(())
        })
    }
}

/// Takes up what senders need and looks at what is due. Answers how much that was.
pub(crate) fn step(engine: &Engine, now: Time) -> Result<usize> {
    let mut tx = engine.store.read()?;
    let mut new = Vec::new();
    for name in unvouched(&engine.settings()) {
        if domains::standing(&mut tx, &name)?.is_none() {
            new.push(name);
        }
    }
    let due = domains::due(&mut tx, now, AT_ONCE)?;
    drop(tx);
    for name in &new {
        engine.take_up(name, "hogwire", now)?;
    }
    for name in &due {
        match engine.look(name, now) {
            Ok(()) | Err(Error::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(new.len() + due.len())
}

/// Domains that senders write from and nobody vouches for. A name that only this machine
/// knows cannot be verified by anybody.
fn unvouched(settings: &Settings) -> BTreeSet<String> {
    let domains = settings.senders.values().map(|sender| domain_of(&party(&sender.from).1));
    let vouched = |name: &String| settings.vouched_domains.iter().any(|known| known.eq_ignore_ascii_case(name));
    domains.filter(|name| !vouched(name) && written(name).is_ok() && !name.ends_with(".localdomain")).collect()
}

/// The domain after a look.
fn judged(mut domain: Domain, seen: Vec<Record>, now: Time) -> Domain {
    let needed: Vec<State> = seen.iter().filter(|record| record.needed).map(|record| record.state).collect();
    domain.checks += 1;
    domain.checked_at = Some(now);
    let silent = seen.iter().any(|record| record.state == State::Unknown);
    if needed.iter().all(|state| *state == State::Right) {
        if domain.status != Status::Verified {
            domain.verified_at = Some(now);
        }
        (domain.status, domain.misses) = (Status::Verified, 0);
    } else if !needed.contains(&State::Unknown) && domain.status == Status::Verified {
        domain.misses += 1;
        if domain.misses >= MISSES {
            domain.status = Status::Failing;
        }
    }
    let doubtful = silent || domain.misses > 0 && domain.status == Status::Verified;
    domain.due_at = now.plus(if doubtful { SOON } else { pause(&domain, now) });
    // What one bad look says is not believed of the keys either.
    if domain.misses == 0 || domain.status != Status::Verified {
        domain.signing = signing(&domain, &seen);
    }
    domain.records = kept(domain.records, seen);
    domain
}

/// Where nobody could say, what was seen last stays.
fn kept(before: Vec<Record>, seen: Vec<Record>) -> Vec<Record> {
    let with_past = |record: Record| {
        let past = before.iter().find(|past| past.purpose == record.purpose && past.host == record.host);
        match (record.state, past) {
            (State::Unknown, Some(past)) if past.value == record.value && past.state != State::Unknown => {
                let says = format!("{} {}", past.says, record.says);
                let says = if past.says.contains(&record.says) { past.says.clone() } else { says };
                Record { says, ..past.clone() }
            }
            _ => record,
        }
    };
    seen.into_iter().map(with_past).collect()
}

/// Keys whose records were found, and those found before that nobody could look up now.
fn signing(domain: &Domain, seen: &[Record]) -> String {
    if domain.status != Status::Verified {
        return String::new();
    }
    let before: Vec<&str> = domain.signing.split_whitespace().collect();
    let usable = |selector: &&str| {
        let record = seen.iter().find(|record| record.name == format!("{selector}._domainkey"));
        record.is_some_and(|record| match record.state {
            State::Right => true,
            State::Unknown => before.contains(selector),
            State::Missing | State::Wrong => false,
        })
    };
    let selectors = domain.keys.iter().map(|key| key.selector.as_str()).filter(usable);
    selectors.collect::<Vec<&str>>().join(" ")
}

fn pause(domain: &Domain, now: Time) -> Span {
    let first = usize::try_from(domain.checks - 1).ok().and_then(|nth| FIRST.get(nth));
    match (domain.status, first) {
        (Status::Verified, _) => Span::days(1),
        (_, Some(first)) => *first,
        (Status::Pending, _) if domain.created_at.plus(EAGER) > now => HOUR,
        (Status::Failing, _) => HOUR,
        _ => Span::days(1),
    }
}

fn view(settings: &Settings, domain: Domain) -> View {
    View {
        vouched: settings.vouched_domains.iter().any(|known| known.eq_ignore_ascii_case(&domain.name)),
        senders: senders(settings, &domain.name),
        signing: domain.signing.split_whitespace().map(str::to_owned).collect(),
        name: domain.name,
        status: domain.status,
        records: domain.records,
        created_at: domain.created_at,
        checked_at: domain.checked_at,
        verified_at: domain.verified_at,
        next_check_at: domain.due_at,
    }
}

fn senders(settings: &Settings, domain: &str) -> Vec<String> {
    let from = |sender: &crate::settings::Sender| domain_of(&party(&sender.from).1);
    settings.senders.iter().filter(|(_, sender)| from(sender) == domain).map(|(name, _)| name.clone()).collect()
}

/// The mail server of the first sender that writes from the domain.
fn relay(settings: &Settings, domain: &str) -> Option<String> {
    let name = senders(settings, domain).into_iter().next()?;
    settings.senders.get(&name)?.relay.clone()
}

pub(crate) fn secret_name(domain: &str, selector: &str) -> String {
    format!("dkim/{domain}/{selector}")
}

/// A domain's name in the one form that is kept: lower case, in ASCII.
fn written(name: &str) -> Result<String> {
    let address = hogwire_model::contact::key::normalise_address(&format!("a@{}", name.trim().trim_end_matches('.')));
    let domain = address.map(|address| domain_of(&address)).filter(|domain| domain.contains('.'));
    domain.ok_or_else(|| Error::Conflict(format!("`{name}` is not a domain that mail can come from")))
}

#[cfg(test)]
mod tests;
