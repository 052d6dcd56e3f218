use std::borrow::Cow;

use super::*;
use crate::Time;
use crate::event::Pairs;

fn pairs(json: &str) -> Pairs<'_> {
    serde_json::from_str(json).expect("an object")
}

/// An event with a snapshot, sets, and properties.
fn event<'a>(name: &'a str, snapshot: &'a str, set: &'a str, properties: &'a str) -> Event<'a> {
    Event {
        uuid: Cow::Borrowed("u"),
        name: Cow::Borrowed(name),
        at: Time::from_millis(0),
        arrived: Time::from_millis(0),
        keys: Vec::new(),
        identity: None,
        properties: pairs(properties),
        set: pairs(set),
        set_once: Pairs::default(),
        unset: Vec::new(),
        snapshot: pairs(snapshot),
        snapshot_at: Time::from_millis(0),
        accounts: Vec::new(),
        identified: false,
        server_side: false,
        own: false,
        test: false,
    }
}

#[test]
fn the_first_place_with_an_address_counts() {
    use AddressFrom::{Contact, Event as OfEvent};
    let mapping = Mapping::default();
    for (snapshot, set, properties, expected) in [
        (
            r#"{"email":"A@acme.com"}"#,
            r#"{"email":"b@acme.com"}"#,
            r#"{"email":"c@acme.com"}"#,
            Some(("a@acme.com", Contact)),
        ),
        (r#"{"Email":"a@acme.com"}"#, "{}", "{}", Some(("a@acme.com", Contact))),
        (r#"{"$email":"a@acme.com"}"#, "{}", "{}", Some(("a@acme.com", Contact))),
        (r#"{"email":"not an address"}"#, r#"{"email":"b@acme.com"}"#, "{}", Some(("b@acme.com", Contact))),
        (r#"{"email":null}"#, "{}", r#"{"email":"c@acme.com"}"#, Some(("c@acme.com", OfEvent))),
        ("{}", "{}", r#"{"$email":"c@acme.com"}"#, Some(("c@acme.com", OfEvent))),
        ("{}", "{}", r#"{"email":["c@acme.com"]}"#, None),
        ("{}", "{}", "{}", None),
    ] {
        let found = mapping.address(&event("signup", snapshot, set, properties));
        let found = found.as_ref().map(|found| (found.address.as_str(), found.from));
        assert_eq!(found, expected, "{snapshot} {set} {properties}");
    }
}

#[test]
fn an_event_about_somebody_else_lends_no_address() {
    let written = r#"{ "events": { "invite_sent": { "about": "somebody_else" } } }"#;
    let mapping: Mapping = serde_json::from_str(written).expect("a mapping");
    let invitee = r#"{"email":"invitee@acme.com"}"#;
    assert_eq!(mapping.address(&event("invite_sent", "{}", "{}", invitee)), None);
    assert!(mapping.address(&event("signup", "{}", "{}", invitee)).is_some());
    let own = mapping.address(&event("invite_sent", r#"{"email":"ada@acme.com"}"#, "{}", invitee)).expect("hers");
    assert_eq!(own.address, "ada@acme.com");
}

#[test]
fn a_servers_place_is_not_the_contacts() {
    let mapping = Mapping::default();
    let properties = r#"{"$timezone":"Europe/Paris","$geoip_time_zone":"America/New_York"}"#;
    let mut event = event("signup", "{}", "{}", properties);
    assert_eq!(mapping.zone(&event, None).as_deref(), Some("Europe/Paris"));
    event.server_side = true;
    assert_eq!(mapping.zone(&event, None), None);
    event.snapshot = pairs(r#"{"$timezone":"Nowhere/Land","$geoip_time_zone":"Asia/Tokyo"}"#);
    assert_eq!(mapping.zone(&event, None), None);
    event.server_side = false;
    event.properties = Pairs::default();
    assert_eq!(mapping.zone(&event, None).as_deref(), Some("Asia/Tokyo"));
}

#[test]
fn names_and_renamed_attributes() {
    let written = r#"{ "name": ["properties.full_name"], "attributes": { "$initial_referrer": "referrer" } }"#;
    let mapping: Mapping = serde_json::from_str(written).expect("a mapping");
    let found = mapping.name(&event("signup", r#"{"name":"Other"}"#, "{}", r#"{"full_name":" Ada Lovelace "}"#));
    assert_eq!(found.as_deref(), Some("Ada Lovelace"));
    assert_eq!(mapping.attribute("$initial_referrer"), "referrer");
    assert_eq!(mapping.attribute("plan"), "plan");
    let usual = Mapping::default();
    assert_eq!(usual.name(&event("signup", r#"{"name":"Ada"}"#, "{}", "{}")).as_deref(), Some("Ada"));
}

#[test]
fn a_mapping_reads_what_it_writes_and_refuses_the_rest() {
    let written = serde_json::to_string(&Mapping::default()).expect("json");
    assert!(written.contains("\"person.properties.$email\"") && written.contains("\"properties.email\""));
    assert_eq!(serde_json::from_str::<Mapping>(&written).expect("a mapping"), Mapping::default());
    for bad in [r#"{"address":["email"]}"#, r#"{"address":["properties."]}"#, r#"{"adress":[]}"#] {
        assert!(serde_json::from_str::<Mapping>(bad).is_err(), "{bad}");
    }
}
