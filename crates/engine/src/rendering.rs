//! Templates filled: the contact, the event that began the run and the message's own links
//! in scope. Untrusted values are only ever values; they are never parsed as Liquid.

use hogwire_model::Time;
use hogwire_model::template::{Compiled, Escape, Liquid, Scope, render_json};
use serde_json::{Map, Value, json};

use crate::outbox::hooks::{Ask, Rendered};
use crate::settings::Settings;
use crate::store::contacts::Stored;

/// Renders a message. The error is a sentence about the template, for people.
pub fn mail(compiled: &Compiled, ask: &Ask<'_>, trigger: &str, settings: &Settings) -> Result<Rendered, String> {
    let contact = contact_value(ask.contact);
    let trigger: Value = serde_json::from_str(trigger).unwrap_or_else(|_| json!({}));
    let links =
        [("unsubscribe_url", Value::from(ask.unsubscribe_url)), ("preferences_url", Value::from(ask.preferences_url))];
    let scope = Scope::new(&contact, &trigger, ask.now)
        .with_zone(ask.contact.zone.as_deref().or(settings.policies.time_zone.as_deref()))
        .with(links);
    // Our own unsubscribe and preference pages are always allowed.
    let own = hogwire_model::template::links::host_of(&settings.public_url);
    let allowed: Vec<String> = settings.policies.link_hosts.iter().cloned().chain(own).collect();
    let mail = compiled.render(&scope, &allowed).map_err(|error| error.to_string())?;
    Ok(Rendered { subject: mail.subject, html: mail.html, plain: mail.text, from: compiled.from().map(str::to_owned) })
}

/// Fills the Liquid in every string of a value. A string that is a JSON document stays one,
/// because what is printed into it is escaped.
pub fn fill(value: Value, stored: &Stored, trigger: &str, now: Time) -> Result<Value, String> {
    let contact = contact_value(stored);
    let trigger: Value = serde_json::from_str(trigger).unwrap_or_else(|_| json!({}));
    let scope = Scope::new(&contact, &trigger, now).with_zone(stored.zone.as_deref());
    fill_in(value, &scope)
}

/// As `fill`, with secrets in scope as `secrets.NAME`. The answer is for the wire alone.
pub fn fill_secret(value: Value, stored: &Stored, trigger: &str, secrets: Value, now: Time) -> Result<Value, String> {
    let contact = contact_value(stored);
    let trigger: Value = serde_json::from_str(trigger).unwrap_or_else(|_| json!({}));
    let scope = Scope::new(&contact, &trigger, now).with_zone(stored.zone.as_deref()).with([("secrets", secrets)]);
    fill_in(value, &scope)
}

fn fill_in(value: Value, scope: &Scope<'_>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) if text.contains("{{") || text.contains("{%") => {
            let is_document = matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
                && !text.trim_start().starts_with("{{")
                && !text.trim_start().starts_with("{%");
            if is_document {
                return render_json(&text, scope).map(Value::String).map_err(|error| error.to_string());
            }
            let liquid = Liquid::parse(&text, Escape::None).map_err(|problem| problem.message)?;
            Value::String(liquid.render(scope).map_err(|error| error.to_string())?.text)
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| fill_in(item, scope)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let mut filled = Map::new();
            for (name, field) in fields {
                filled.insert(name, fill_in(field, scope)?);
            }
            Value::Object(filled)
        }
        other => other,
    })
}

/// The contact as templates see it: attributes by name, with `email`, `name` and `id`.
pub fn contact_value(stored: &Stored) -> Value {
    let contact = &stored.contact;
    let mut fields: Map<String, Value> =
        contact.attributes.visible().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(address) = &contact.address {
        fields.insert("email".to_owned(), Value::from(address.as_str()));
    }
    if let Some(name) = &stored.name {
        fields.entry("name").or_insert_with(|| Value::from(name.as_str()));
    }
    fields.insert("id".to_owned(), Value::from(contact.id.as_str()));
    Value::Object(fields)
}
