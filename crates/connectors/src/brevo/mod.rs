//! Brevo: contacts, lists, attributes and events as its API v3 takes them, mail by its API,
//! and what its webhooks report. Facts are those of Brevo's own reference and specification.
//!
//! Nothing here sends. What Brevo does silently (it drops a value of the wrong type and says
//! that all went well) cannot be seen in an answer, so the engine reads a sample back.

pub mod account;
pub mod attributes;
pub mod contacts;
pub mod email;
pub mod errors;
pub mod events;
pub mod import;
pub mod limits;
pub mod lists;
pub mod reports;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::http::Request;
use crate::manifest::Manifest;

pub const MANIFEST: Manifest = Manifest {
    name: "brevo",
    does: "Keeps contacts, lists and events in Brevo as they are here, sends mail by its API, and hears what came of it.",
    source: false,
    destination: true,
};

/// Where Brevo's API is when nobody says anything.
pub const HOST: &str = "https://api.brevo.com";

/// One Brevo account, as requests name it.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// With or without `/v3` at its end.
    pub host: &'a str,
    /// `xkeysib-…`; goes into a header of its own, not into `Authorization`.
    pub key: &'a str,
}

impl Access<'_> {
    fn request(&self, method: &str, path: &str) -> Request {
        let host = self.host.trim_end_matches('/');
        let version = if host.ends_with("/v3") { "" } else { "/v3" };
        Request::new(method, format!("{host}{version}{path}"))
            .secret_header("api-key", self.key)
            .header("Accept", "application/json")
    }

    fn with_body(&self, method: &str, path: &str, body: &impl Serialize) -> Request {
        let body = serde_json::to_vec(body).expect("bodies have only text keys, so they always become JSON");
        self.request(method, path).json(body)
    }
}

/// A text as a segment of a path.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
