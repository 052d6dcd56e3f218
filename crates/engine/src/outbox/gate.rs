//! May this message go now? Asked in the transaction that claims it, about the world as it
//! is then: the run, the contact's address and word, the lists, the domain, the ceilings.
//!
//! The answer is to send, to wait until a named time, or never. A reason that time may mend
//! waits; nothing is dropped silently (SPEC D9, D10). Transactional messages ask neither
//! caps nor quiet hours.

use hogwire_model::campaign::Code;
use hogwire_model::contact::consent::{self, ConsentState, DEFAULT_TOPIC, Reason, Topic, TopicDefault, TopicKind};
use hogwire_model::contact::timezone::{ZoneSources, zone_of};
use hogwire_model::policy::frequency_cap::{self, Sent};
use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::letter::{domain_of, party};
use super::{Parts, Wanted};
use crate::error::Result;
use crate::settings::{Sender, Settings};
use crate::store::contacts::Stored;
use crate::store::messages::Message;
use crate::store::{Tx, consents, contacts, messages, redirects, suppressions};

/// How long a message waits before a reason without a time of its own is looked at again.
pub const LOOK_AGAIN: Span = Span::minutes(1);
/// Messages a day to an address that only events have told us (SPEC D17).
const STRANGER_A_DAY: usize = 5;

pub enum Gate {
    Send(Box<Way>),
    Hold { code: Code, until: Time, detail: Value },
    Skip { code: Code, detail: Value },
}

/// How a message that may go goes.
pub struct Way {
    pub contact: Stored,
    /// The contact's address now, which may not be the one it was queued for.
    pub address: String,
    pub topic: Topic,
    /// The test inbox, where it goes there instead.
    pub test_inbox: Option<String>,
    /// Opens and clicks may be seen.
    pub tracked: bool,
}

pub fn ask(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, now: Time) -> Result<Gate> {
    if let Some(expires) = message.expires_at.filter(|expires| *expires <= now) {
        return Ok(skip(Code::Expired, json!({ "template": message.template, "expires": expires })));
    }
    if let Some(answer) = unwanted(parts, tx, message, now)? {
        return Ok(answer);
    }
    let Some(contact) = contacts::find(tx, &message.contact_id)? else {
        return Ok(skip(Code::Skipped, json!({ "reason": "the contact is gone" })));
    };
    let by_hand = message.is_by_hand();
    let known = if by_hand { Some(message.address.clone()) } else { contact.contact.address.clone() };
    let Some(address) = known else {
        return Ok(skip(Code::NoAddress, json!({ "template": message.template })));
    };
    let Some(sender) = parts.settings.senders.get(&message.sender) else {
        let reason = format!("there is no sender called {}", message.sender);
        return Ok(hold(Code::Held, now.plus(LOOK_AGAIN), json!({ "reason": reason })));
    };
    let topic = topic(parts, tx, message)?;
    if parts.settings.public_url.is_empty() && !topic.is_transactional() {
        let detail = json!({ "reason": "server.public_url is not set, so nobody could unsubscribe" });
        return Ok(hold(Code::Held, now.plus(LOOK_AGAIN), detail));
    }
    let words = consents::of_contact(tx, &contact.contact.id)?;
    // What the contact said is about mail to the contact, which a test by hand is not.
    let state = if by_hand { ConsentState::Granted } else { consents::state(&words, &topic.name) };
    if let Some(answer) = forbidden(parts, tx, &address, &topic, state)? {
        return Ok(answer);
    }
    let inbox = parts.settings.policies.test_inbox.clone().or_else(|| by_hand.then(|| address.clone()));
    let test = message.test || inbox.is_some();
    if test && inbox.is_none() {
        return Ok(skip(Code::ConnectionTesting, json!({ "template": message.template })));
    }
    if !test && let Some(answer) = not_yet(parts, tx, &contact, sender, &topic, now)? {
        return Ok(answer);
    }
    let tracked = !by_hand && tracked(parts.settings, &words);
    Ok(Gate::Send(Box::new(Way { contact, address, topic, test_inbox: inbox, tracked })))
}

/// The run has ended, or its campaign is paused. A message sent again by hand has no run.
fn unwanted(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message, now: Time) -> Result<Option<Gate>> {
    if message.resend_of.is_some() || message.enrollment_id.is_empty() {
        return Ok(None);
    }
    Ok(match parts.hooks.wanted(tx, &message.enrollment_id, now)? {
        Wanted::Yes => None,
        Wanted::No(code) => Some(skip(code, json!({ "reason": "the run ended before the message was sent" }))),
        Wanted::Paused => Some(hold(Code::Paused, now.plus(LOOK_AGAIN), json!({ "reason": "the campaign is paused" }))),
    })
}

/// The topic in force: the message's, else the template's, else the one there always is.
fn topic(parts: &Parts<'_>, tx: &mut Tx<'_>, message: &Message) -> Result<Topic> {
    let name = match message.topic.as_str() {
        "" => parts.hooks.template_topic(tx, &message.template)?.unwrap_or_else(|| DEFAULT_TOPIC.to_owned()),
        own => own.to_owned(),
    };
    Ok(topic_named(parts.settings, &name))
}

/// A topic that nobody configured is marketing, allowed until somebody objects.
pub fn topic_named(settings: &Settings, name: &str) -> Topic {
    match settings.topics.get(name) {
        Some(known) => Topic { name: name.to_owned(), ..known.clone() },
        None => Topic::new(name, TopicKind::Marketing, TopicDefault::Allowed),
    }
}

fn forbidden(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    address: &str,
    topic: &Topic,
    state: ConsentState,
) -> Result<Option<Gate>> {
    let listed = suppressions::of(tx, &consent::address_hash(address, &parts.keys.addresses))?;
    Ok(match consent::may_send(topic, state, &listed) {
        Ok(()) => None,
        Err(reason @ Reason::Suppressed(_)) => {
            Some(skip(Code::Suppressed, json!({ "reason": reason.as_str(), "topic": topic.name })))
        }
        Err(reason) => Some(skip(Code::NoConsent, json!({ "reason": reason.as_str(), "topic": topic.name }))),
    })
}

/// What only real mail asks: the domain, the day's count to a stranger, hours and caps.
fn not_yet(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    stored: &Stored,
    sender: &Sender,
    topic: &Topic,
    now: Time,
) -> Result<Option<Gate>> {
    let domain = domain_of(&party(&sender.from).1);
    if !proven(parts, tx, &domain)? {
        return Ok(Some(hold(Code::Unverified, now.plus(LOOK_AGAIN), json!({ "domain": domain }))));
    }
    let policies = &parts.settings.policies;
    let contact = &stored.contact;
    if contact.address_from_event {
        let family = redirects::family(tx, &contact.id)?;
        if messages::sent_since(tx, &family, now.minus(Span::days(1)))?.len() >= STRANGER_A_DAY {
            return Ok(Some(skip(Code::TooManyMessages, json!({ "most": STRANGER_A_DAY }))));
        }
    }
    if topic.is_transactional() {
        return Ok(None);
    }
    if let Some(quiet) = &policies.quiet_hours
        && let Err(until) = quiet.allowed(now, &zone(parts.settings, stored))
    {
        return Ok(Some(hold(Code::QuietHours, until, json!({ "until": until }))));
    }
    if policies.caps.is_empty() {
        return Ok(None);
    }
    let family = redirects::family(tx, &contact.id)?;
    let past = messages::sent_since(tx, &family, now.minus(frequency_cap::look_back(&policies.caps)))?;
    let counted = past.iter().filter(|(_, name)| !topic_named(parts.settings, name).is_transactional());
    let sent: Vec<Sent<'_>> = counted.map(|(at, topic)| Sent { at: *at, topic }).collect();
    Ok(match frequency_cap::allowed(&policies.caps, &topic.name, &sent, now) {
        Ok(()) => None,
        Err(until) => Some(hold(Code::Capped, until, json!({ "until": until }))),
    })
}

/// The operator vouches for the domain, or its records were found right.
pub fn proven(parts: &Parts<'_>, tx: &mut Tx<'_>, domain: &str) -> Result<bool> {
    let vouched = parts.settings.vouched_domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
    Ok(vouched || parts.hooks.verified(tx, domain)?)
}

/// Tracking is a purpose of its own: who said no to it is not tracked, and where it needs
/// a yes, silence is none.
fn tracked(settings: &Settings, words: &[consents::Consent]) -> bool {
    use hogwire_model::contact::consent::ConsentState::{Denied, Granted, Unknown};
    let own = words.iter().find(|word| word.topic == "tracking").map_or(Unknown, |word| word.state);
    match own {
        Denied => false,
        Granted => true,
        Unknown => settings.topics.get("tracking").is_none_or(|topic| topic.default == TopicDefault::Allowed),
    }
}

fn zone(settings: &Settings, stored: &Stored) -> jiff::tz::TimeZone {
    let policies = &settings.policies;
    let attribute = policies.time_zone_attribute.as_deref().and_then(|name| stored.contact.attributes.get(name));
    let sources = ZoneSources {
        attribute: attribute.as_ref().and_then(Value::as_str),
        derived: stored.zone.as_deref(),
        default: policies.time_zone.as_deref(),
        ..ZoneSources::default()
    };
    zone_of(&sources).0
}

fn skip(code: Code, detail: Value) -> Gate {
    Gate::Skip { code, detail }
}

fn hold(code: Code, until: Time, detail: Value) -> Gate {
    Gate::Hold { code, until, detail }
}
