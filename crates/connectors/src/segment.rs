//! Segment's `track`, `identify` and `group` bodies, read into an event.
//!
//! Facts from Segment's public "Spec" pages: `userId` or `anonymousId` names who acts,
//! `messageId` is unique, `timestamp` was already corrected for the client's clock where a
//! library did so, `traits` describe the person (or the group, in `group`), and
//! `context.traits` describe the person in every call.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::contact::KeyKind;
use hogwire_model::event::{Identity, Pairs, text_of};

use crate::manifest::Manifest;
use crate::reading::{AccountPicture, Reading};
use crate::shape::{Refusal, Shape};
use crate::wire;

/// What an account that comes by Segment is called when the call does not say.
const GROUP: &str = "company";

/// `context.library.name` of Segment's libraries that run on servers. Sorted.
const SERVER_LIBRARIES: [&str; 8] = [
    "@segment/analytics-node",
    "analytics-go",
    "analytics-java",
    "analytics-node",
    "analytics-php",
    "analytics-python",
    "analytics-ruby",
    "analytics.NET",
];

pub const MANIFEST: Manifest = Manifest {
    name: "segment",
    does: "Takes track, identify and group calls as Segment's libraries make them.",
    source: true,
    destination: false,
};

pub(crate) fn check(shape: Shape, top: &Pairs<'_>) -> Result<(), Refusal> {
    name(shape, top).map(|_| ())
}

pub(crate) fn read<'a>(
    shape: Shape,
    top: &Pairs<'a>,
    content: &'a [u8],
    arrived: Time,
) -> Result<Reading<'a>, Refusal> {
    let own_time = wire::time(wire::first(top, &["timestamp", "originalTimestamp", "sentAt"]));
    let mut reading = Reading::new(name(shape, top)?, own_time.unwrap_or(arrived), arrived);
    let given = wire::id(wire::first(top, &["messageId"]));
    reading.identify_by(given, content, own_time.is_some());

    let context = reading.object("context", wire::first(top, &["context"]));
    let about = reading.object("context.traits", wire::first(&context, &["traits"]));
    reading.event.set = about;
    who(shape, &mut reading, top);
    match shape {
        Shape::SegmentIdentify => {
            let traits = reading.object("traits", wire::first(top, &["traits"]));
            reading.event.set.0.extend(traits.0);
        }
        Shape::SegmentGroup => group(&mut reading, top),
        _ => {
            let properties = wire::first(top, &["properties"]);
            reading.event.properties = reading.object("properties", properties);
        }
    }
    if let Some(key) = wire::id(wire::first(&context, &["groupId"])) {
        reading.belongs_to(Cow::Borrowed(GROUP), key);
    }
    let library = wire::first(&context, &["library"]).and_then(wire::pairs);
    let library = library.unwrap_or_default().text("name").unwrap_or_default();
    reading.event.server_side = SERVER_LIBRARIES.binary_search(&&*library).is_ok();
    Ok(reading)
}

/// Names for the two calls that have none of their own, so that they can be seen and counted.
fn name<'a>(shape: Shape, top: &Pairs<'a>) -> Result<Cow<'a, str>, Refusal> {
    match shape {
        Shape::SegmentIdentify => return Ok(Cow::Borrowed("identify")),
        Shape::SegmentGroup => return Ok(Cow::Borrowed("group")),
        _ => {}
    }
    let raw = wire::first(top, &["event"]).ok_or_else(|| Refusal::new("no_event_name", "The body has no `event`."))?;
    let text = text_of(raw).ok_or_else(|| Refusal::new("wrong_type", "The name of the event is not a text."))?;
    if text.trim().is_empty() {
        return Err(Refusal::new("no_event_name", "The name of the event is empty."));
    }
    Ok(wire::cut(text, wire::LONGEST_ID))
}

/// A known user's id is stronger than the visitor's; an `identify` that has both says that
/// they are one. Other calls with both say it too, but only repeat it.
fn who<'a>(shape: Shape, reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let user = wire::id(wire::first(top, &["userId"]));
    let visitor = wire::id(wire::first(top, &["anonymousId"]));
    let event = &mut reading.event;
    event.identified = user.is_some();
    match (user, visitor) {
        (Some(user), Some(other)) => {
            if shape == Shape::SegmentIdentify && user != other {
                event.identity = Some(Identity::Absorb { other });
            }
            event.keys.push((KeyKind::Visitor, user));
        }
        (Some(only), None) | (None, Some(only)) => event.keys.push((KeyKind::Visitor, only)),
        (None, None) => {}
    }
}

fn group<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let Some(key) = wire::id(wire::first(top, &["groupId"])) else {
        return;
    };
    let attributes = reading.object("traits", wire::first(top, &["traits"]));
    reading.event.properties = attributes.clone();
    reading.belongs_to(Cow::Borrowed(GROUP), key.clone());
    reading.accounts.push(AccountPicture { kind: Cow::Borrowed(GROUP), key, attributes, at: reading.event.at });
}
