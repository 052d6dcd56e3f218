//! Imports: taken at once, done later.

use hogwire_model::{Span, Time};
use serde_json::{Map, Value, json};

use super::contacts::is_address;
use super::{Brevo, Contact, Response, failure, not_found, ok};

/// An import, and what came of it.
pub struct Import {
    rows: Vec<Value>,
    lists: Vec<i64>,
    update: bool,
    erase: bool,
    done_at: Time,
    is_done: bool,
    invalid: Vec<String>,
}

/// How long an import of a few rows takes.
const TAKES: Span = Span::seconds(90);

impl Brevo {
    pub(super) fn import(&mut self, body: &Value, now: Time) -> Response {
        let Some(rows) = body["jsonBody"].as_array() else {
            return failure(400, "missing_parameter", "fileUrl, fileBody or jsonBody is required");
        };
        if body.to_string().len() > 10_000_000 {
            return failure(400, "invalid_parameter", "The body is larger than 10MB");
        }
        let lists: Vec<i64> = body["listIds"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        if lists.is_empty() || lists.iter().any(|list| !self.lists.contains_key(list)) {
            return failure(400, "missing_parameter", "listIds or newList is required");
        }
        let id = self.fresh();
        let import = Import {
            rows: rows.clone(),
            lists,
            update: body["updateExistingContacts"] != json!(false),
            erase: body["emptyContactsAttributes"] == json!(true),
            done_at: now.plus(TAKES),
            is_done: false,
            invalid: Vec::new(),
        };
        self.imports.insert(id, import);
        ok(202, &json!({ "processId": id }))
    }

    /// Somebody in a running import cannot be changed otherwise.
    pub(super) fn is_busy(&self, email: &str) -> bool {
        let running = self.imports.values().filter(|import| !import.is_done);
        running
            .flat_map(|import| &import.rows)
            .any(|row| row["email"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(email)))
    }

    pub(super) fn finish_imports(&mut self, now: Time) {
        let due: Vec<i64> = self
            .imports
            .iter()
            .filter(|(_, import)| !import.is_done && import.done_at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(mut import) = self.imports.remove(&id) else { continue };
            for row in std::mem::take(&mut import.rows) {
                self.take_row(&mut import, &row);
            }
            import.is_done = true;
            self.imports.insert(id, import);
        }
    }

    fn take_row(&mut self, import: &mut Import, row: &Value) {
        let email = row["email"].as_str().unwrap_or_default().to_lowercase();
        if !is_address(&email) {
            import.invalid.push(email);
            return;
        }
        let known = self.contact(&email).map(|contact| contact.id);
        if known.is_some() && !import.update {
            return;
        }
        let id = known.unwrap_or_else(|| self.fresh());
        let mut held = self.contacts.remove(&id).unwrap_or_else(|| Contact { id, email, ..Contact::default() });
        let none = Map::new();
        let mut given = row["attributes"].as_object().unwrap_or(&none).clone();
        if !import.erase {
            given.retain(|_, value| value.as_str() != Some(""));
        }
        self.set(&mut held.attributes, &given);
        held.lists.extend(&import.lists);
        self.contacts.insert(id, held);
    }

    pub(super) fn process(&self, id: &str) -> Response {
        let number = id.parse::<i64>().unwrap_or_default();
        let Some(import) = self.imports.get(&number) else { return not_found("Process") };
        let status = if import.is_done { "completed" } else { "in_process" };
        let report = (!import.invalid.is_empty()).then(|| format!("https://api.brevo.com/v3/reports/{number}"));
        ok(
            200,
            &json!({
                "id": number, "name": "IMPORTUSER", "status": status,
                "info": { "import": { "invalid_emails": report, "duplicate_email_id": null, "duplicate_ext_id": null } },
            }),
        )
    }

    pub(super) fn report(&self, id: &str) -> Response {
        let Some(import) = id.parse::<i64>().ok().and_then(|id| self.imports.get(&id)) else {
            return not_found("File");
        };
        let body = format!(
            "EMAIL;REASON\n{}",
            import.invalid.iter().map(|email| format!("{email};invalid\n")).collect::<String>()
        );
        Response { status: 200, headers: Vec::new(), body: body.into_bytes() }
    }
}
