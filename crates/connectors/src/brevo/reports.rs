//! What Brevo's webhooks say: what became of a mail, and what somebody did elsewhere in
//! Brevo that we must honour.
//!
//! Reports come twice, late, out of order and without an id of their own. The words on the
//! wire differ from those one subscribes with. A body is one event, a list of them, or a list
//! under `events`: the shape of a batch is not documented. `ts_epoch` is in milliseconds, in
//! some examples in seconds; the other times have no zone that could be relied on.

use hogwire_model::Time;
use serde_json::Value;

use super::email::MARK;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub address: String,
    /// Our message's id, where the mail was ours.
    pub message: Option<String>,
    pub what: What,
    pub at: Option<Time>,
    /// What Brevo said in words, or the link that was followed.
    pub said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Delivered,
    /// Brevo tries again by itself.
    Deferred,
    BouncedHard,
    BouncedSoft,
    /// Brevo's own list of blocked addresses.
    Blocked,
    Failed,
    Complained,
    Opened {
        machine: bool,
    },
    Clicked,
    Unsubscribed,
    /// The contact was removed in Brevo.
    Removed,
    /// Nothing that concerns us.
    Other,
}

impl What {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::BouncedHard => "bounced_hard",
            Self::BouncedSoft => "bounced_soft",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Complained => "complained",
            Self::Opened { .. } => "opened",
            Self::Clicked => "clicked",
            Self::Unsubscribed => "unsubscribed",
            Self::Removed => "removed",
            Self::Other => "other",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "delivered" => Self::Delivered,
            "deferred" => Self::Deferred,
            "hard_bounce" | "hardBounce" | "invalid_email" | "invalid" => Self::BouncedHard,
            "soft_bounce" | "softBounce" => Self::BouncedSoft,
            "blocked" => Self::Blocked,
            "error" => Self::Failed,
            "spam" | "complaint" => Self::Complained,
            "opened" | "unique_opened" | "uniqueOpened" => Self::Opened { machine: false },
            "proxy_open" | "unique_proxy_open" => Self::Opened { machine: true },
            "click" => Self::Clicked,
            "unsubscribed" | "unsubscribe" => Self::Unsubscribed,
            "contact_deleted" | "contactDeleted" => Self::Removed,
            _ => Self::Other,
        }
    }
}

/// The reports of a body. An error is a sentence about a body that holds none.
pub fn read(body: &[u8]) -> Result<Vec<Report>, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let rows = match body {
        Value::Array(rows) => rows,
        Value::Object(mut held) => match held.remove("events") {
            Some(Value::Array(rows)) => rows,
            _ => vec![Value::Object(held)],
        },
        _ => return Err("the body is neither an object nor a list".to_owned()),
    };
    let reports: Vec<Report> = rows.iter().flat_map(reports).collect();
    if reports.is_empty() { Err("nothing in the body names an event and an address".to_owned()) } else { Ok(reports) }
}

/// One row is one report, but that a removal may name several contacts.
fn reports(row: &Value) -> Vec<Report> {
    let Some(word) = row["event"].as_str() else { return Vec::new() };
    let addresses: Vec<&str> = match &row["email"] {
        Value::String(address) => vec![address],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let what = What::of(word);
    let said = ["reason", "link", "URL"].iter().find_map(|name| row[*name].as_str()).unwrap_or_default();
    let message = row["X-Mailin-custom"].as_str().and_then(|custom| custom.strip_prefix(MARK));
    addresses
        .into_iter()
        .map(|address| Report {
            address: address.to_owned(),
            message: message.map(str::to_owned),
            what,
            at: at(row),
            said: said.to_owned(),
        })
        .collect()
}

fn at(row: &Value) -> Option<Time> {
    let number = row["ts_epoch"].as_i64().or_else(|| row["ts_event"].as_i64()).or_else(|| row["ts"].as_i64())?;
    Some(Time::from_millis(if number < 100_000_000_000 { number.saturating_mul(1_000) } else { number }))
}
