//! What PostHog's special events and properties mean: who is who, accounts, whose event it
//! is, and whether a server sent it.

use std::borrow::Cow;

use hogwire_model::event::{Identity, Pairs};

use crate::reading::{AccountPicture, Reading};
use crate::wire;

/// What Hogwire calls itself in `$lib`.
pub const OWN_LIBRARY: &str = "hogwire";
/// `$lib` of PostHog's libraries that run on servers: their address and clock are not the
/// person's. Sorted.
const SERVER_LIBRARIES: [&str; 12] = [
    "hogwire",
    "posthog-dotnet",
    "posthog-edge",
    "posthog-elixir",
    "posthog-go",
    "posthog-java",
    "posthog-node",
    "posthog-php",
    "posthog-python",
    "posthog-rs",
    "posthog-ruby",
    "posthog-server",
];

pub(super) fn apply<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    who_is_who(reading);
    group_identify(reading);
    marks(reading, top);
}

fn who_is_who(reading: &mut Reading<'_>) {
    let event = &mut reading.event;
    let properties = &event.properties;
    let alias = || wire::id(properties.get("alias"));
    let identity = match &*event.name {
        "$identify" => wire::id(properties.get("$anon_distinct_id")).map(|other| Identity::Absorb { other }),
        "$create_alias" => alias().map(|other| Identity::Absorb { other }),
        "$merge_dangerously" => alias().map(|other| Identity::Force { other }),
        _ => None,
    };
    let own_name = event.keys.first().map(|(_, value)| value.clone());
    event.identity = identity.filter(|identity| {
        let (Identity::Absorb { other } | Identity::Force { other }) = identity;
        own_name.as_ref() != Some(other)
    });
    event.identified = event.name == "$identify"
        || wire::is_true(properties.get("$is_identified"))
        || properties.text("$user_state").as_deref() == Some("identified")
        || wire::id(properties.get("$user_id")).is_some();
}

fn group_identify(reading: &mut Reading<'_>) {
    if reading.event.name != "$groupidentify" {
        return;
    }
    let properties = &reading.event.properties;
    let kind = wire::id(properties.get("$group_type"));
    let key = wire::id(properties.get("$group_key"));
    let set = properties.get("$group_set");
    let (Some(kind), Some(key)) = (kind, key) else {
        return;
    };
    let attributes = reading.object("properties.$group_set", set);
    let at = reading.event.at;
    reading.belongs_to(kind.clone(), key.clone());
    reading.accounts.push(AccountPicture { kind, key, attributes, at });
    // Libraries put `$company_acme` where the person's id belongs: nobody acted.
    let made_up = |name: &Cow<'_, str>| {
        name.strip_prefix('$').is_some_and(|rest| {
            reading.accounts.iter().any(|account| {
                rest.strip_prefix(&*account.kind).and_then(|rest| rest.strip_prefix('_')) == Some(&*account.key)
            })
        })
    };
    reading.event.keys.retain(|(_, value)| !made_up(value));
}

fn marks<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let event = &mut reading.event;
    let library = event.properties.text("$lib").unwrap_or_default();
    event.server_side =
        wire::is_true(event.properties.get("$is_server")) || SERVER_LIBRARIES.binary_search(&&*library).is_ok();
    event.own = library == OWN_LIBRARY;
    event.test = wire::is_true(top.get("test")) || wire::is_true(event.properties.get("$hogwire_test"));
}
