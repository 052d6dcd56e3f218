//! The account itself: whether the key is good, the webhooks it calls, whom it has blocked.

use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::outcome;
use super::limits::BLOCKED_PAGE;
use super::{Access, segment};
use crate::http::{Request, Response};

/// Asks whose key it is. From the small budget: ask rarely.
pub fn get(access: Access<'_>) -> Request {
    access.request("GET", "/account")
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Account {
    pub company_name: String,
    pub email: String,
}

pub fn read(response: &Response, now: Time) -> Result<Account, Outcome> {
    match outcome(response, now) {
        Outcome::Done(_) => Ok(serde_json::from_slice(&response.body).unwrap_or_default()),
        other => Err(other),
    }
}

/// Brevo's two kinds of webhook: about mail sent by its API, and about its own campaigns and
/// contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    Mail,
    Contacts,
}

impl Hook {
    pub const ALL: [Self; 2] = [Self::Mail, Self::Contacts];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "transactional",
            Self::Contacts => "marketing",
        }
    }

    const fn events(self) -> &'static [&'static str] {
        match self {
            Self::Mail => &[
                "delivered",
                "hardBounce",
                "softBounce",
                "blocked",
                "spam",
                "invalid",
                "deferred",
                "click",
                "opened",
                "uniqueOpened",
                "unsubscribed",
            ],
            Self::Contacts => &["spam", "hardBounce", "unsubscribed", "contactDeleted"],
        }
    }
}

pub fn hooks(access: Access<'_>, hook: Hook) -> Request {
    access.request("GET", &format!("/webhooks?type={}", hook.as_str()))
}

/// URLs that Brevo calls. An account without any answers 404.
pub fn read_hooks(response: &Response, now: Time) -> Result<Vec<String>, Outcome> {
    if response.status == 404 {
        return Ok(Vec::new());
    }
    match outcome(response, now) {
        Outcome::Done(_) => {}
        other => return Err(other),
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let urls = body["webhooks"].as_array().into_iter().flatten();
    Ok(urls.filter_map(|hook| hook["url"].as_str()).map(str::to_owned).collect())
}

/// Asks Brevo to call `url`, and to bring `token` each time: it signs nothing.
pub fn create_hook(access: Access<'_>, hook: Hook, url: &str, token: &str) -> Request {
    let body = json!({
        "url": url,
        "description": "Hogwire: what became of mail, and who said no",
        "type": hook.as_str(),
        "events": hook.events(),
        "auth": { "type": "bearer", "token": token },
    });
    access.with_body("POST", "/webhooks", &body)
}

/// Addresses that Brevo's mail no longer goes to.
pub fn blocked(access: Access<'_>, offset: usize) -> Request {
    access.request("GET", &format!("/smtp/blockedContacts?limit={BLOCKED_PAGE}&offset={offset}&sort=desc"))
}

/// Why Brevo blocked an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Unsubscribed,
    Bounced,
    Complained,
    /// By somebody in Brevo.
    ByHand,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    pub address: String,
    pub why: Why,
    pub at: Option<Time>,
}

pub fn read_blocked(response: &Response, now: Time) -> Result<Vec<Blocked>, Outcome> {
    match outcome(response, now) {
        Outcome::Done(_) => {}
        other => return Err(other),
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let rows = body["contacts"].as_array().into_iter().flatten();
    Ok(rows
        .filter_map(|row| {
            let why = match row["reason"]["code"].as_str().unwrap_or_default() {
                "hardBounce" => Why::Bounced,
                "contactFlaggedAsSpam" => Why::Complained,
                "adminBlocked" => Why::ByHand,
                _ => Why::Unsubscribed,
            };
            let at = row["blockedAt"].as_str().and_then(Time::parse);
            Some(Blocked { address: row["email"].as_str()?.to_owned(), why, at })
        })
        .collect())
}

/// Lets mail go to an address again. One that was not blocked is as good.
pub fn unblock(access: Access<'_>, address: &str) -> Request {
    access.request("DELETE", &format!("/smtp/blockedContacts/{}", segment(address)))
}
