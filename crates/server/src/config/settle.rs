//! The document and the environment, joined into what holds. The environment wins.

mod posthog;
mod senders;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use hogwire_engine::settings::{Ambiguous, Destination, Policies, Settings};
use hogwire_model::Problem;
use hogwire_model::contact::timezone;
use hogwire_model::problem::Place;
use ipnet::IpNet;
use url::Url;

pub use posthog::API;

use super::document::{self, Document};
use super::read::{Environment, Read};
use super::{Config, Database, Hidden};

/// Where the API listens when nobody says anything.
const BIND: &str = "127.0.0.1:8420";

/// What is being settled: the environment, and the problems found on the way.
struct Joining<'e> {
    environment: &'e Environment,
    places: BTreeMap<String, Place>,
    faults: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Joining<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn fault(&mut self, code: &str, path: &str, message: String, remedy: &str) {
        let problem = self.placed(Problem::error(code, path, message, remedy));
        self.faults.push(problem);
    }

    fn warn(&mut self, code: &str, path: &str, message: String, remedy: &str) {
        let problem = self.placed(Problem::warning(code, path, message, remedy));
        self.warnings.push(problem);
    }

    /// With the place in the file, where the path stands in it.
    fn placed(&self, problem: Problem) -> Problem {
        match self.places.get(&problem.path) {
            Some(place) => problem.at(place.line, place.column),
            None => problem,
        }
    }

    /// Where a value came from: the variable where it is set, else the path in the file.
    fn source(&self, name: &str, path: &str) -> String {
        if self.variable(name).is_some() { name.to_owned() } else { path.to_owned() }
    }
}

pub fn settle(dir: &Path, read: Read, environment: Environment) -> Result<Config, Vec<Problem>> {
    let mut joining =
        Joining { environment: &environment, places: read.places, faults: Vec::new(), warnings: read.warnings };
    let document = read.document;
    let server = document.server.clone().unwrap_or_default();
    let bind = joining.variable("HOGWIRE_BIND").or(server.bind).unwrap_or_else(|| BIND.to_owned());
    let public_url = public_url(&mut joining, server.public_url);
    let links = public_url.clone().unwrap_or_else(|| format!("http://{bind}"));
    let (database, data) = database(&mut joining, dir, document.database.clone());
    let (connections, posthog) = posthog::connections(&mut joining, &document);
    let (senders, mail) = senders::senders(&mut joining, &document, &links);
    let policies = policies(&mut joining, &document);
    let brevo = document.connectors.as_ref().and_then(|connectors| connectors.brevo.clone()).unwrap_or_default();
    let brevo_key = joining.variable("BREVO_API_KEY").or(brevo.api_key).map(Hidden);
    let destinations = destinations(&document, &brevo_key);
    if document.inbox.as_deref().is_some_and(|inbox| inbox != "database") {
        let message = "only `database` can hold the inbox so far".to_owned();
        joining.fault("unknown_inbox", "inbox", message, "write `inbox: database`, or leave it out");
    }
    let telemetry = document.telemetry.clone().unwrap_or_default();
    let mint_webhook_secret =
        document.policies.as_ref().and_then(|policies| policies.mint_webhook_secret).unwrap_or(true);
    let config = Config {
        dir: dir.to_owned(),
        data,
        bind,
        public_url,
        allow_from: nets(&mut joining, "server.allow_from", server.allow_from.unwrap_or_default()),
        trusted_proxies: nets(&mut joining, "server.trusted_proxies", server.trusted_proxies.unwrap_or_default()),
        dns: name_servers(&mut joining, server.dns.unwrap_or_default()),
        database,
        admin_key: joining.variable("ADMIN_API_KEY").map(Hidden),
        mail,
        posthog,
        brevo_key,
        mint_webhook_secret,
        log: joining.variable("HOGWIRE_LOG").or(telemetry.log),
        log_format: telemetry.log_format.unwrap_or_default(),
        telemetry_bind: telemetry.bind,
        settings: Settings {
            connections,
            senders,
            destinations,
            vouched_domains: vouched(&document),
            topics: topics(&document),
            policies,
            public_url: links,
        },
        warnings: Vec::new(),
        environment: Environment::new(),
    };
    let Joining { faults, warnings, .. } = joining;
    if faults.is_empty() { Ok(Config { warnings, environment, ..config }) } else { Err(faults) }
}

fn public_url(joining: &mut Joining<'_>, written: Option<String>) -> Option<String> {
    let text = joining.variable("API_PUBLIC_URL").or(written)?;
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => {
            Some(text.trim().trim_end_matches('/').to_owned())
        }
        _ => {
            let message = format!("`{text}` is not a URL that mails can link to");
            let remedy = "write it like https://hogwire.example.com";
            let source = joining.source("API_PUBLIC_URL", "server.public_url");
            joining.fault("bad_public_url", &source, message, remedy);
            None
        }
    }
}

fn database(joining: &mut Joining<'_>, dir: &Path, written: Option<String>) -> (Database, PathBuf) {
    let text = joining.variable("HOGWIRE_DATABASE").or(written).unwrap_or_else(|| "sqlite:data/hogwire.db".to_owned());
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return (Database::Postgres(Hidden(text)), dir.join("data"));
    }
    let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).filter(|path| !path.is_empty());
    let Some(path) = path else {
        let message = "the database is neither `sqlite:PATH` nor `postgres://…`".to_owned();
        let source = joining.source("HOGWIRE_DATABASE", "database");
        joining.fault("bad_database", &source, message, "write it like sqlite:data/hogwire.db");
        return (Database::Sqlite(PathBuf::new()), dir.join("data"));
    };
    let path = dir.join(path);
    let data = path.parent().map_or_else(|| dir.to_owned(), Path::to_owned);
    (Database::Sqlite(path), data)
}

fn nets(joining: &mut Joining<'_>, path: &str, written: Vec<String>) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for text in written {
        let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match net {
            Some(net) => nets.push(net),
            None => {
                let message = format!("`{text}` is neither an address nor a network");
                joining.fault("bad_network", path, message, "write it like 10.0.0.0/8 or 192.0.2.7");
            }
        }
    }
    nets
}

/// Brevo, where there is a key: what every PostHog connection says should go there.
fn destinations(document: &Document, key: &Option<Hidden>) -> BTreeMap<String, Destination> {
    let connectors = document.connectors.clone().unwrap_or_default();
    let brevo = connectors.brevo.unwrap_or_default();
    let (Some(key), true) = (key, brevo.enabled != Some(false)) else { return BTreeMap::new() };
    let live = connectors.posthog.into_iter().chain(document.connections.clone().unwrap_or_default().into_values());
    let (mut fields, mut events) = (BTreeMap::new(), BTreeSet::new());
    for source in live.filter(|source| source.enabled != Some(false) && source.mode != Some(document::Mode::Test)) {
        fields.extend(source.field_mapping.unwrap_or_default());
        if source.sync.and_then(|sync| sync.events) == Some(true) {
            events.extend(source.event_filters.unwrap_or_default());
        }
    }
    let host = brevo.host.unwrap_or_else(|| hogwire_connectors::brevo::HOST.to_owned());
    let connector = "brevo".to_owned();
    [("brevo".to_owned(), Destination { connector, host, key: key.0.clone(), fields, events })].into()
}

fn name_servers(joining: &mut Joining<'_>, written: Vec<String>) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for text in written {
        let bare = text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
        match bare.or_else(|| text.parse().ok()) {
            Some(server) => servers.push(server),
            None => {
                let message = format!("`{text}` is not the address of a name server");
                joining.fault("bad_name_server", "server.dns", message, "write it like 192.0.2.53 or 127.0.0.1:5353");
            }
        }
    }
    servers
}

fn vouched(document: &Document) -> Vec<String> {
    let domains = document.domains.iter().flatten();
    domains.filter(|(_, domain)| domain.verify == Some(false)).map(|(name, _)| name.to_lowercase()).collect()
}

fn topics(document: &Document) -> BTreeMap<String, hogwire_model::contact::consent::Topic> {
    let topics = document.topics.clone().unwrap_or_default();
    topics
        .into_iter()
        .map(|(name, mut topic)| {
            topic.name.clone_from(&name);
            (name, topic)
        })
        .collect()
}

fn policies(joining: &mut Joining<'_>, document: &Document) -> Policies {
    let written = document.policies.clone().unwrap_or_default();
    let zone = written.time_zone.unwrap_or_default();
    if let Some(name) = &zone.default
        && timezone::named(name).is_none()
    {
        let message = format!("`{name}` is not a time zone");
        joining.fault("bad_time_zone", "policies.time_zone.default", message, "write it like Europe/Berlin");
    }
    if let Some(inbox) = &written.test_inbox
        && hogwire_model::contact::key::normalise_address(inbox).is_none()
    {
        let message = format!("`{inbox}` is not an address");
        joining.fault("bad_address", "policies.test_inbox", message, "write it like tests@example.com");
    }
    Policies {
        test_inbox: written.test_inbox,
        caps: written.caps.unwrap_or_default(),
        quiet_hours: written.quiet_hours,
        time_zone: zone.default,
        time_zone_attribute: zone.attribute,
        ambiguous: match written.ambiguous {
            None | Some(document::Ambiguous::ByKind) => Ambiguous::ByKind,
            Some(document::Ambiguous::Skip) => Ambiguous::Skip,
            Some(document::Ambiguous::Ask) => Ambiguous::Ask,
        },
        merge_by_email: written.merge_by_email.unwrap_or(true),
        link_hosts: written.link_hosts.unwrap_or_default(),
        webhook_hosts: written.webhook_hosts.unwrap_or_default(),
        allow_private_webhooks: written.allow_private_webhooks.unwrap_or(false),
        ..Policies::default()
    }
}
