//! Contacts one at a time.

use serde_json::{Map, Value, json};

use super::{Brevo, Contact, Query, Response, empty, failure, not_found, number, ok};

impl Brevo {
    pub(super) fn contacts_route(&mut self, method: &str, rest: &[&str], query: &Query, body: &Value) -> Response {
        match (method, rest) {
            ("POST", []) => self.upsert(body),
            ("GET", []) => {
                let (limit, offset) = (number(query, "limit", 50, 1_000), number(query, "offset", 0, usize::MAX));
                let page: Vec<Value> = self.contacts.values().skip(offset).take(limit).map(picture).collect();
                ok(200, &json!({ "contacts": page, "count": self.contacts.len() }))
            }
            ("GET", [named]) => match self.named(named, query) {
                Some(id) => ok(200, &picture(&self.contacts[&id])),
                None => not_found("Contact"),
            },
            ("PUT", [named]) => match self.named(named, query) {
                Some(id) => self.update(id, body),
                None => not_found("Contact"),
            },
            ("DELETE", [named]) => match self.named(named, query) {
                Some(id) => {
                    self.contacts.remove(&id);
                    empty(204)
                }
                None => not_found("Contact"),
            },
            _ => not_found("route"),
        }
    }

    /// Our own id is recognized only where the kind of identifier says so.
    fn named(&self, named: &str, query: &Query) -> Option<i64> {
        let kind = query.get("identifierType").map(String::as_str);
        let matches = |contact: &&Contact| match kind {
            Some("ext_id") => contact.ours.as_deref() == Some(named),
            Some("contact_id") => contact.id.to_string() == named,
            Some("email_id") => contact.email.eq_ignore_ascii_case(named),
            _ => contact.email.eq_ignore_ascii_case(named) || contact.id.to_string() == named,
        };
        self.contacts.values().find(matches).map(|contact| contact.id)
    }

    fn upsert(&mut self, body: &Value) -> Response {
        let Some(email) = body["email"].as_str().map(str::to_lowercase) else {
            return failure(400, "missing_parameter", "email is missing");
        };
        if !is_address(&email) {
            return failure(400, "invalid_parameter", "Invalid email address");
        }
        if self.is_busy(&email) {
            return failure(425, "account_in_process", "Contact is being processed; try again later");
        }
        if let Some(existing) = self.contact(&email).map(|contact| contact.id) {
            if body["updateEnabled"] != json!(true) {
                return taken("create", &["email"]);
            }
            return self.update(existing, body);
        }
        if let Some(ours) = body["ext_id"].as_str()
            && self.contacts.values().any(|contact| contact.ours.as_deref() == Some(ours))
        {
            return taken("create", &["ext_id"]);
        }
        let id = self.fresh();
        self.contacts.insert(id, Contact { id, email, ..Contact::default() });
        self.change(id, body);
        ok(201, &json!({ "id": id }))
    }

    fn update(&mut self, id: i64, body: &Value) -> Response {
        let own = self.contacts[&id].email.clone();
        if self.is_busy(&own) {
            return failure(425, "account_in_process", "Contact is being processed; try again later");
        }
        let email = body["attributes"]["EMAIL"].as_str().map(str::to_lowercase);
        if email.as_deref().is_some_and(|email| !is_address(email)) {
            return failure(400, "invalid_parameter", "Invalid email address");
        }
        let others = || self.contacts.values().filter(|contact| contact.id != id);
        if email.as_deref().is_some_and(|email| others().any(|contact| contact.email == email)) {
            return taken("update", &["email"]);
        }
        if let Some(ours) = body["ext_id"].as_str()
            && others().any(|contact| contact.ours.as_deref() == Some(ours))
        {
            return taken("update", &["ext_id"]);
        }
        if let (Some(email), Some(held)) = (email, self.contacts.get_mut(&id)) {
            held.email = email;
        }
        self.change(id, body);
        empty(204)
    }

    fn change(&mut self, id: i64, body: &Value) {
        let Some(mut held) = self.contacts.remove(&id) else { return };
        let none = Map::new();
        self.set(&mut held.attributes, body["attributes"].as_object().unwrap_or(&none));
        if let Some(ours) = body["ext_id"].as_str() {
            held.ours = Some(ours.to_owned());
        }
        held.blocked = body["emailBlacklisted"].as_bool().unwrap_or(held.blocked);
        if body["emailBlacklisted"] == json!(false) {
            self.blocked.remove(&held.email);
        }
        let numbers =
            |name: &str| body[name].as_array().into_iter().flatten().filter_map(Value::as_i64).collect::<Vec<_>>();
        held.lists.extend(numbers("listIds").into_iter().filter(|list| self.lists.contains_key(list)));
        for list in numbers("unlinkListIds") {
            held.lists.remove(&list);
        }
        self.contacts.insert(id, held);
    }

    /// Somebody says no by a link in a mail of Brevo's own.
    pub fn unsubscribe(&mut self, email: &str, now: hogwire_model::Time) {
        if let Some(held) = self.contacts.values_mut().find(|contact| contact.email == email) {
            held.blocked = true;
        }
        self.blocked.insert(email.to_owned(), ("unsubscribedViaMA", now));
        self.report_to_hooks("marketing", &json!({ "event": "unsubscribed", "email": email }), now);
    }
}

pub(super) fn is_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        && !email.contains(' ')
}

fn taken(what: &str, which: &[&str]) -> Response {
    let names = which.join(", ");
    let message = format!("Unable to {what} contact, {names} is already associated with another Contact");
    // The code of an update has changed once already.
    let code = if what == "create" { "duplicate_parameter" } else { "invalid_parameter" };
    ok(400, &json!({ "code": code, "message": message, "metadata": { "duplicate_identifiers": which } }))
}

fn picture(contact: &Contact) -> Value {
    json!({
        "id": contact.id, "email": contact.email, "emailBlacklisted": contact.blocked, "smsBlacklisted": false,
        "attributes": contact.attributes, "listIds": contact.lists, "statistics": {},
    })
}
