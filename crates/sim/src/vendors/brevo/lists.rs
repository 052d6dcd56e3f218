//! Folders, lists, and who is in them.

use serde_json::{Value, json};

use super::{Brevo, List, Query, Response, failure, not_found, number, ok};

impl Brevo {
    pub(super) fn lists_route(&mut self, method: &str, parts: &[&str], query: &Query, body: &Value) -> Response {
        match (method, parts) {
            ("GET", ["folders"]) => {
                let rows: Vec<Value> =
                    self.folders.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
                ok(200, &json!({ "folders": rows, "count": rows.len() }))
            }
            ("POST", ["folders"]) => {
                let id = self.fresh();
                self.folders.insert(id, body["name"].as_str().unwrap_or_default().to_owned());
                ok(201, &json!({ "id": id }))
            }
            ("GET", ["lists"]) => {
                let (limit, offset) = (number(query, "limit", 10, 50), number(query, "offset", 0, usize::MAX));
                let rows = self.lists.iter().skip(offset).take(limit);
                let rows: Vec<Value> = rows.map(|(id, list)| picture(*id, list)).collect();
                ok(200, &json!({ "lists": rows, "count": self.lists.len() }))
            }
            ("POST", ["lists"]) => self.make_list(body),
            ("GET", ["lists", id]) => match self.list(id) {
                Some(id) => ok(200, &picture(id, &self.lists[&id])),
                None => not_found("List ID"),
            },
            ("POST", ["lists", id, "contacts", way @ ("add" | "remove")]) => match self.list(id) {
                Some(id) => self.move_members(id, *way == "add", body),
                None => not_found("List ID"),
            },
            _ => not_found("route"),
        }
    }

    fn list(&self, id: &str) -> Option<i64> {
        id.parse().ok().filter(|id| self.lists.contains_key(id))
    }

    fn make_list(&mut self, body: &Value) -> Response {
        let (Some(name), Some(folder)) = (body["name"].as_str(), body["folderId"].as_i64()) else {
            return failure(400, "missing_parameter", "name and folderId are required");
        };
        if !self.folders.contains_key(&folder) {
            return not_found("Folder ID");
        }
        let id = self.fresh();
        self.lists.insert(id, List { name: name.to_owned(), folder });
        ok(201, &json!({ "id": id }))
    }

    fn move_members(&mut self, list: i64, into: bool, body: &Value) -> Response {
        let (field, named) = match (body["emails"].as_array(), body["extIds"].as_array()) {
            (Some(emails), None) => ("emails", emails.clone()),
            (None, Some(ours)) => ("extIds", ours.clone()),
            _ => return failure(400, "invalid_parameter", "Provide exactly one of emails, ids, extIds"),
        };
        if named.is_empty() || named.len() > 150 {
            return failure(400, "out_of_range", "At most 150 contacts at once");
        }
        let (mut success, mut failed) = (Vec::new(), Vec::new());
        for name in named {
            let text = name.as_str().unwrap_or_default();
            let found = self.contacts.values_mut().find(|contact| match field {
                "emails" => contact.email.eq_ignore_ascii_case(text),
                _ => contact.ours.as_deref() == Some(text),
            });
            // Who is there already, or has gone already, fails like a stranger.
            let moved = found.is_some_and(|held| if into { held.lists.insert(list) } else { held.lists.remove(&list) });
            if moved { success.push(name) } else { failed.push(name) }
        }
        if success.is_empty() {
            let word = if into {
                "Contact already in list and/or does not exist"
            } else {
                "Contact already removed from list and/or does not exist"
            };
            return failure(400, "invalid_parameter", word);
        }
        ok(201, &json!({ "contacts": { "success": success, "failure": failed } }))
    }
}

fn picture(id: i64, list: &List) -> Value {
    json!({ "id": id, "name": list.name, "folderId": list.folder, "uniqueSubscribers": 0, "totalBlacklisted": 0, "totalSubscribers": 0 })
}
