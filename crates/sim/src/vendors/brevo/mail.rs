//! Mail by the API, the list of blocked addresses, and webhooks about both.

use hogwire_model::{Span, Time};
use serde_json::{Value, json};

use super::{Brevo, Query, Request, Response, empty, failure, not_found, number, ok};

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub to: String,
    pub subject: String,
    pub body: Value,
    pub message_id: String,
}

/// A call of a webhook that is due.
pub struct Pending {
    due: Time,
    request: Request,
}

impl Brevo {
    pub(super) fn mail_route(
        &mut self,
        method: &str,
        parts: &[&str],
        query: &Query,
        body: &Value,
        now: Time,
    ) -> Response {
        match (method, parts) {
            ("POST", ["smtp", "email"]) => self.send(body, now),
            ("GET", ["smtp", "blockedContacts"]) => {
                let (limit, offset) = (number(query, "limit", 50, 100), number(query, "offset", 0, usize::MAX));
                let rows = self.blocked.iter().skip(offset).take(limit);
                let rows: Vec<Value> = rows
                    .map(|(email, (code, at))| json!({ "email": email, "senderEmail": "", "reason": { "code": code, "message": "" }, "blockedAt": at }))
                    .collect();
                ok(200, &json!({ "contacts": rows, "count": self.blocked.len() }))
            }
            ("DELETE", ["smtp", "blockedContacts", email]) => match self.blocked.remove(*email) {
                Some(_) => empty(204),
                None => not_found("Contact"),
            },
            ("GET", ["webhooks"]) => {
                let kind = query.get("type").map_or("transactional", String::as_str);
                let rows: Vec<&Value> = self.hooks.iter().filter(|hook| hook["type"] == kind).collect();
                if rows.is_empty() { not_found("Webhook") } else { ok(200, &json!({ "webhooks": rows })) }
            }
            ("POST", ["webhooks"]) => {
                if self.hooks.len() >= 40 {
                    return failure(400, "invalid_parameter", "Webhook limit reached");
                }
                let id = self.fresh();
                let mut hook = body.clone();
                hook["id"] = id.into();
                self.hooks.push(hook);
                ok(201, &json!({ "id": id }))
            }
            _ => not_found("route"),
        }
    }

    fn send(&mut self, body: &Value, now: Time) -> Response {
        let Some(to) = body["to"][0]["email"].as_str().map(str::to_lowercase) else {
            return failure(400, "missing_parameter", "to is missing");
        };
        if body["htmlContent"].as_str().is_none_or(str::is_empty) {
            return failure(400, "missing_parameter", "htmlContent is missing");
        }
        if body["sender"]["email"].as_str().is_none() {
            return failure(400, "invalid_parameter", "sender is not valid");
        }
        let key = &body["headers"]["idempotencyKey"];
        if let Some(before) =
            self.sent.iter().find(|sent| key.is_string() && sent.body["headers"]["idempotencyKey"] == *key)
        {
            return ok(201, &json!({ "messageId": before.message_id }));
        }
        let message_id = format!("<{}.{}@smtp-relay.mailin.fr>", now.millis(), self.fresh());
        let subject = body["subject"].as_str().unwrap_or_default().to_owned();
        let blocked = self.blocked.contains_key(&to);
        let word = if blocked {
            "blocked"
        } else if to.starts_with("bounce") {
            "hard_bounce"
        } else {
            "delivered"
        };
        let report = |event: &str| {
            json!({ "event": event, "email": to, "message-id": message_id, "subject": subject,
                "X-Mailin-custom": body["headers"]["X-Mailin-custom"], "reason": if event == "hard_bounce" { "550 5.1.1 no such user" } else { "" } })
        };
        let (asked, ended) = (report("request"), report(word));
        if word == "hard_bounce" {
            self.blocked.insert(to.clone(), ("hardBounce", now));
        }
        self.sent.push(Sent {
            to: to.clone(),
            subject: subject.clone(),
            body: body.clone(),
            message_id: message_id.clone(),
        });
        self.report_to_hooks("transactional", &asked, now);
        self.report_to_hooks("transactional", &ended, now);
        ok(201, &json!({ "messageId": message_id }))
    }

    /// Queues a report for every webhook of a kind: each third comes twice, each fifth ten
    /// minutes late.
    pub(super) fn report_to_hooks(&mut self, kind: &str, report: &Value, now: Time) {
        let hooks: Vec<Value> = self.hooks.iter().filter(|hook| hook["type"] == kind).cloned().collect();
        for hook in hooks {
            let n = self.fresh();
            let mut body = report.clone();
            body["id"] = hook["id"].clone();
            body["ts_epoch"] = now.millis().into();
            let mut request =
                Request::new("POST", hook["url"].as_str().unwrap_or_default()).json(body.to_string().into_bytes());
            if let Some(token) = hook["auth"]["token"].as_str() {
                request = request.secret_header("Authorization", format!("Bearer {token}"));
            }
            let late = if n % 5 == 0 { Span::minutes(10) } else { Span::seconds(2) };
            if n % 3 == 0 {
                self.pending.push(Pending { due: now.plus(late).plus(Span::seconds(1)), request: request.clone() });
            }
            self.pending.push(Pending { due: now.plus(late), request });
        }
    }

    /// Calls of webhooks that are due, in the order they go out.
    pub fn due(&mut self, now: Time) -> Vec<Request> {
        let (due, later): (Vec<Pending>, Vec<Pending>) =
            std::mem::take(&mut self.pending).into_iter().partition(|call| call.due <= now);
        self.pending = later;
        due.into_iter().map(|call| call.request).collect()
    }
}
