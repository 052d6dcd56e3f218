//! Leaving and coming back: the one click of a mail program, and the page with the topics.
//!
//! A no is kept twice, for the contact and for the keyed hash of the address, and stands in
//! the journal before it is answered: it survives merges, a change of address, imports and
//! a restore of the database. Saying it again changes nothing.

use hogwire_connectors::posthog::engagement::Happening;
use hogwire_model::Time;
use hogwire_model::contact::consent::{Consent, ConsentState, Said, SuppressionReason, TopicDefault, address_hash};
use serde::Serialize;
use serde_json::{Map, json};

use crate::error::Result;
use crate::outbox::gate::topic_named;
use crate::outbox::hooks::Line;
use crate::outbox::settle::{engaged, engagement};
use crate::outbox::{Parts, tell, token};
use crate::store::consents::{self, EVERYTHING};
use crate::store::messages::Message;
use crate::store::suppressions::Entry;
use crate::store::{Tx, engagements, messages, mirrors, redirects, suppressions};

/// What somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The topic of the message in hand.
    Message,
    Topic(&'a str),
    Everything,
}

/// What the page shows. It holds nothing that the reader of the mail does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// Masked: a forwarded mail must not give the whole address away.
    pub address: String,
    /// The topic of the message that led here.
    pub topic: String,
    pub topic_title: String,
    pub everything_off: bool,
    pub topics: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub name: String,
    pub title: String,
    /// A transactional topic cannot be left.
    pub fixed: bool,
    pub on: bool,
}

/// The page's contents. Nothing is changed by looking.
pub fn subscription(parts: &Parts<'_>, token: &str) -> Result<Option<Subscription>> {
    let mut tx = parts.store.read()?;
    let Some(message) = find(&mut tx, token)? else { return Ok(None) };
    let contact = redirects::resolve(&mut tx, &message.contact_id)?;
    let words = consents::of_contact(&mut tx, &contact)?;
    let listed = suppressions::of(&mut tx, &address_hash(&message.address, &parts.keys.addresses))?;
    let mut names: Vec<String> = parts.settings.topics.keys().filter(|name| *name != "tracking").cloned().collect();
    if !names.contains(&message.topic) {
        names.push(message.topic.clone());
    }
    let topics = names.into_iter().map(|name| {
        let topic = topic_named(parts.settings, &name);
        let state = consents::state(&words, &name);
        let on = hogwire_model::contact::consent::may_send(&topic, state, &listed).is_ok();
        Choice { title: topic.title().to_owned(), fixed: topic.is_transactional(), on, name }
    });
    let topics: Vec<Choice> = topics.collect();
    Ok(Some(Subscription {
        address: masked(&message.address),
        topic_title: topic_named(parts.settings, &message.topic).title().to_owned(),
        topic: message.topic,
        everything_off: topics.iter().all(|choice| choice.fixed || !choice.on),
        topics,
    }))
}

/// Ends mail on a topic or on all of them. `source` says by which way, such as `one_click`.
/// Answers whether the token is one of ours; the same request again answers the same.
pub fn unsubscribe(parts: &Parts<'_>, token: &str, scope: Scope<'_>, source: &str, now: Time) -> Result<bool> {
    parts.store.write(|tx| {
        let Some(message) = find(tx, token)? else { return Ok(false) };
        leave(parts, tx, &message, scope, source, now)?;
        Ok(true)
    })
}

/// Takes a no back, by the person's own act on the page.
pub fn resubscribe(parts: &Parts<'_>, token: &str, scope: Scope<'_>, source: &str, now: Time) -> Result<bool> {
    parts.store.write(|tx| {
        let Some(message) = find(tx, token)? else { return Ok(false) };
        come_back(parts, tx, &message, scope, source, now)?;
        Ok(true)
    })
}

/// What the page was sent with: each topic on or off. Topics that are not there to be
/// chosen are left alone.
pub fn prefer(parts: &Parts<'_>, token: &str, choices: &[(&str, bool)], now: Time) -> Result<bool> {
    let Some(shown) = subscription(parts, token)? else { return Ok(false) };
    parts.store.write(|tx| {
        let Some(message) = find(tx, token)? else { return Ok(false) };
        for choice in shown.topics.iter().filter(|choice| !choice.fixed) {
            match choices.iter().find(|(name, _)| *name == choice.name) {
                Some((name, true)) if !choice.on => {
                    come_back(parts, tx, &message, Scope::Topic(name), "preference_page", now)?;
                }
                Some((name, false)) if choice.on => {
                    leave(parts, tx, &message, Scope::Topic(name), "preference_page", now)?;
                }
                _ => {}
            }
        }
        Ok(true)
    })
}

fn find(tx: &mut Tx<'_>, token: &str) -> Result<Option<Message>> {
    if !token::is_token(token) {
        return Ok(None);
    }
    messages::by_token(tx, &token::hash(token))
}

/// The topic in the suppression list and in the consents.
fn names<'a>(message: &'a Message, scope: Scope<'a>) -> (&'a str, &'a str) {
    match scope {
        Scope::Message => (&message.topic, &message.topic),
        Scope::Topic(name) => (name, name),
        Scope::Everything => ("", EVERYTHING),
    }
}

/// Whoever reads a test inbox is not the contact, and can say nothing for them: what they
/// click changes nobody's mind.
fn leave(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    scope: Scope<'_>,
    source: &str,
    now: Time,
) -> Result<()> {
    if message.test {
        return Ok(());
    }
    let (listed, topic) = names(message, scope);
    let hash = address_hash(&message.address, &parts.keys.addresses);
    let entry = Entry {
        address_hash: hash,
        topic: listed.to_owned(),
        reason: SuppressionReason::Unsubscribed,
        address: Some(message.address.clone()),
        source: source.to_owned(),
        at: now,
    };
    let line = Line::OptedOut { address_hash: &entry.address_hash, topic: listed, reason: "unsubscribed" };
    let new = suppressions::add(tx, &entry)?;
    let contact = redirects::resolve(tx, &message.contact_id)?;
    let word = Consent {
        topic: topic.to_owned(),
        state: ConsentState::Denied,
        at: now,
        source: source.to_owned(),
        text: String::new(),
    };
    let said = consents::say(tx, &contact, &word, Said::Human)?;
    if !new && !said {
        return Ok(());
    }
    mirrors::stir(tx, &contact, &message.address, now)?;
    parts.hooks.journal(&[line], now)?;
    let id = parts.outside.entropy.id("eng", now);
    let detail = json!({ "topic": topic, "source": source });
    engagements::add(tx, &engagement(message, "unsubscribed", &id, detail, now))?;
    let more = Map::from_iter([("scope".to_owned(), topic.into()), ("source".to_owned(), source.into())]);
    tell::happening(parts, tx, Happening::EmailUnsubscribed, message, &id, more, now)?;
    engaged(parts, tx, message, "unsubscribed", now)
}

fn come_back(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    message: &Message,
    scope: Scope<'_>,
    source: &str,
    now: Time,
) -> Result<()> {
    if message.test {
        return Ok(());
    }
    let (listed, topic) = names(message, scope);
    let contact = redirects::resolve(tx, &message.contact_id)?;
    let hash = address_hash(&message.address, &parts.keys.addresses);
    if !listed.is_empty() {
        narrow(parts, tx, &contact, &hash, listed, source, now)?;
    }
    suppressions::remove(tx, &hash, listed, SuppressionReason::Unsubscribed)?;
    let text = topic_named(parts.settings, topic).title().to_owned();
    let word =
        Consent { topic: topic.to_owned(), state: ConsentState::Granted, at: now, source: source.to_owned(), text };
    consents::say(tx, &contact, &word, Said::Human)?;
    mirrors::stir(tx, &contact, &message.address, now)?;
    parts.hooks.journal(&[Line::OptedIn { address_hash: &hash, topic: listed }], now)?;
    let id = parts.outside.entropy.id("eng", now);
    let detail = json!({ "topic": topic, "source": source });
    engagements::add(tx, &engagement(message, "resubscribed", &id, detail, now)).map(|_| ())
}

/// Who had left everything and comes back to one topic stays away from the others: the one
/// no to all becomes a no to each of them.
fn narrow(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    contact: &str,
    hash: &str,
    wanted: &str,
    source: &str,
    now: Time,
) -> Result<()> {
    let all = |entry: &hogwire_model::contact::consent::Suppression| {
        entry.reason == SuppressionReason::Unsubscribed
            && entry.scope == hogwire_model::contact::consent::SuppressionScope::All
    };
    if !suppressions::of(tx, hash)?.iter().any(all) {
        return Ok(());
    }
    let others = parts.settings.topics.iter().filter(|(name, topic)| *name != wanted && !topic.is_transactional());
    for (name, topic) in others {
        let entry = Entry {
            address_hash: hash.to_owned(),
            topic: name.clone(),
            reason: SuppressionReason::Unsubscribed,
            address: None,
            source: source.to_owned(),
            at: now,
        };
        suppressions::add(tx, &entry)?;
        parts.hooks.journal(&[Line::OptedOut { address_hash: hash, topic: name, reason: "unsubscribed" }], now)?;
        if topic.default == TopicDefault::Allowed {
            let state = ConsentState::Denied;
            let word = Consent { topic: name.clone(), state, at: now, source: source.to_owned(), text: String::new() };
            consents::say(tx, contact, &word, Said::Human)?;
        }
    }
    suppressions::lift_all(tx, hash)?;
    Ok(())
}

/// `a…@example.com`.
fn masked(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => "…".to_owned(),
    }
}
