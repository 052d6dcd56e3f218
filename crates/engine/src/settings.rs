//! What the operator settled, as plain values. The server reads files and environment and
//! hands this over; the engine never looks for settings itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use hogwire_model::Span;
use hogwire_model::contact::consent::Topic;
use hogwire_model::contact::merge::Rules;
use hogwire_model::mapping::Mapping;
use hogwire_model::policy::frequency_cap::Cap;
use hogwire_model::policy::quiet_hours::QuietHours;

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// By name. The connection of `connectors.posthog` is `posthog`.
    pub connections: BTreeMap<String, Connection>,
    pub senders: BTreeMap<String, Sender>,
    /// Where contacts, lists and events go. That of `connectors.brevo` is `brevo`.
    pub destinations: BTreeMap<String, Destination>,
    /// Sending domains the operator vouches for (`verify: false`).
    pub vouched_domains: Vec<String>,
    pub topics: BTreeMap<String, Topic>,
    pub policies: Policies,
    /// Where links in mails lead: `https://hogwire.example.com`, without a slash at the end.
    pub public_url: String,
}

impl Settings {
    /// How a connection's events are mapped; the default where it has no mapping of its own.
    pub fn mapping(&self, connection: &str) -> &Mapping {
        static DEFAULT: LazyLock<Mapping> = LazyLock::new(Mapping::default);
        self.connections.get(connection).map_or(&DEFAULT, |connection| &connection.mapping)
    }

    pub fn merge_rules(&self) -> Rules {
        Rules { merge_by_email: self.policies.merge_by_email, ..Rules::default() }
    }
}

/// By default it knows no other side, takes nothing back and is being tested.
#[derive(Clone, Default)]
pub struct Connection {
    pub connector: String,
    /// Base URL for capture, without a slash at the end.
    pub ingestion_host: String,
    /// Base URL of the private API and the app.
    pub app_host: String,
    /// The public token that capture needs; none: nothing is sent back.
    pub project_token: Option<String>,
    /// Lets us in where no grant is stored.
    pub personal_key: Option<String>,
    /// The project's number, where the operator said it.
    pub project: Option<String>,
    /// Engagement events go back to this connection.
    pub capture: bool,
    /// `mode: test` sends every mail to the test inbox.
    pub test_mode: bool,
    /// A connection made by file or environment is active at once (SPEC A11).
    pub starts_active: bool,
    pub webhook_secret: Option<String>,
    pub mapping: Mapping,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({} at {})", self.connector, self.app_host)
    }
}

/// A place that is kept as contacts are here.
#[derive(Clone)]
pub struct Destination {
    pub connector: String,
    pub host: String,
    pub key: String,
    /// Which attribute goes there under which name.
    pub fields: BTreeMap<String, String>,
    /// Events that go there, by name.
    pub events: BTreeSet<String>,
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Destination({} at {})", self.connector, self.host)
    }
}

#[derive(Clone, Debug)]
pub struct Sender {
    /// `Name <address>` or a bare address.
    pub from: String,
    /// The host that its mail is handed to, where it is a name that others know too.
    pub relay: Option<String>,
    pub per_second: Option<u32>,
    pub per_hour: Option<u32>,
    pub per_day: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Policies {
    /// Every mail goes here instead, marked (SPEC E6).
    pub test_inbox: Option<String>,
    pub caps: Vec<Cap>,
    pub quiet_hours: Option<QuietHours>,
    /// Zone of contacts whose own is not known; an IANA name.
    pub time_zone: Option<String>,
    pub time_zone_attribute: Option<String>,
    pub ambiguous: Ambiguous,
    pub merge_by_email: bool,
    /// Hosts that links made from event data may lead to.
    pub link_hosts: Vec<String>,
    /// Hosts that webhook steps may call when the host part holds data.
    pub webhook_hosts: Vec<String>,
    pub allow_private_webhooks: bool,
    /// A silence between two heartbeats that is no hole in the coverage: the sender's own
    /// retries bridge it. Longer only where a clock runs faster than time.
    pub bridged_silence: Span,
}

/// What a run does when nobody knows whether a mail went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// Marketing goes on as if it was sent; transactional waits for a person.
    ByKind,
    Skip,
    Ask,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            test_inbox: None,
            caps: Vec::new(),
            quiet_hours: None,
            time_zone: None,
            time_zone_attribute: None,
            ambiguous: Ambiguous::ByKind,
            merge_by_email: true,
            link_hosts: Vec::new(),
            webhook_hosts: Vec::new(),
            allow_private_webhooks: false,
            bridged_silence: Span::seconds(30),
        }
    }
}
