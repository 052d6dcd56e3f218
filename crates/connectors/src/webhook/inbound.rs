//! What an item of `POST /v1/events` may say beyond the capture form: the sender's own id of
//! the contact, the address, and attributes, each at the top where people put them.

use hogwire_model::contact::KeyKind;
use hogwire_model::event::Pairs;

use crate::reading::Reading;
use crate::wire;

pub(crate) fn add<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let names = ["external_id", "externalId", "user_id", "userId"];
    if let Some(external) = wire::id(wire::first(top, &names)) {
        reading.event.keys.insert(0, (KeyKind::External, external));
        reading.event.identified = true;
    }
    let attributes = wire::first(top, &["attributes"]);
    let attributes = reading.object("attributes", attributes);
    reading.event.set.0.extend(attributes.0);
    for name in ["set", "traits"] {
        let more = wire::first(top, &[name]).and_then(wire::pairs);
        reading.event.set.0.extend(more.unwrap_or_default().0);
    }
    address(reading, top);
    let accounts = wire::first(top, &["accounts"]);
    for (kind, raw) in reading.object("accounts", accounts).0 {
        if let Some(key) = wire::id(Some(raw)) {
            reading.belongs_to(kind, key);
        }
    }
}

/// An address at the top, where people put it who write a body by hand. What an attribute
/// says already wins.
pub(crate) fn address<'a>(reading: &mut Reading<'a>, top: &Pairs<'a>) {
    let set = &mut reading.event.set;
    if let (None, Some(raw)) = (set.get("email"), wire::first(top, &["email"])) {
        set.0.push(("email".into(), raw));
    }
}
