//! Connections: `connectors.posthog`, further ones by name, and the door for events that
//! come by the API.

use std::collections::BTreeMap;

use hogwire_connectors::posthog::hosts;
use hogwire_engine::settings::Connection;

use super::Joining;
use crate::config::document::{Document, Mode, Posthog};
use crate::config::{Hidden, PosthogAccess};

/// The connection to which events belong that come by `/v1/events` and Segment's routes.
pub const API: &str = "api";
const FIRST: &str = "posthog";
const HOST: &str = "https://us.i.posthog.com";

type Connections = BTreeMap<String, Connection>;
type Access = BTreeMap<String, PosthogAccess>;

pub(super) fn connections(joining: &mut Joining<'_>, document: &Document) -> (Connections, Access) {
    let (mut connections, mut access) = (Connections::new(), Access::new());
    let first = document.connectors.as_ref().and_then(|connectors| connectors.posthog.clone()).unwrap_or_default();
    let first = overridden(joining, first);
    let named = document.connections.clone().unwrap_or_default();
    let all = std::iter::once((FIRST.to_owned(), first, "connectors.posthog".to_owned()))
        .chain(named.into_iter().map(|(name, written)| (name.clone(), written, format!("connections.{name}"))));
    for (name, written, path) in all {
        if written.enabled == Some(false) {
            continue;
        }
        if connections.contains_key(&name) || name == API {
            let message = format!("`{name}` is taken");
            joining.fault("name_taken", &path, message, "give the connection another name");
            continue;
        }
        if let Some(connector) = written.connector.as_deref().filter(|connector| *connector != "posthog") {
            let message = format!("`{connector}` is not a connector that connections can use");
            joining.fault("unknown_connector", &format!("{path}.connector"), message, "write `connector: posthog`");
            continue;
        }
        if let Some((connection, reading)) = one(joining, &written, &path) {
            connections.insert(name.clone(), connection);
            access.insert(name, reading);
        }
    }
    connections.insert(API.to_owned(), by_api());
    (connections, access)
}

/// The environment's word on the first connection.
fn overridden(joining: &Joining<'_>, written: Posthog) -> Posthog {
    let flag = joining.variable("ENABLE_POSTHOG_DESTINATION");
    let destination = flag.map(|flag| matches!(flag.to_lowercase().as_str(), "true" | "1" | "yes" | "on"));
    let token = joining.variable("POSTHOG_API_KEY").or_else(|| joining.variable("POSTHOG_PROJECT_TOKEN"));
    Posthog {
        host: joining.variable("POSTHOG_HOST").or(written.host),
        private_host: joining.variable("POSTHOG_PRIVATE_HOST").or(written.private_host),
        personal_api_key: joining.variable("POSTHOG_PERSONAL_API_KEY").or(written.personal_api_key),
        project_id: joining.variable("POSTHOG_PROJECT_ID").or(written.project_id),
        webhook_secret: joining.variable("POSTHOG_WEBHOOK_SECRET").or(written.webhook_secret),
        project_token: token.or(written.project_token),
        destination: destination.or(written.destination),
        ..written
    }
}

fn one(joining: &mut Joining<'_>, written: &Posthog, path: &str) -> Option<(Connection, PosthogAccess)> {
    let host = written.host.as_deref().unwrap_or(HOST);
    let hosts = match hosts::derive(host, written.private_host.as_deref()) {
        Ok(hosts) => hosts,
        Err(bad) => {
            let first = path == "connectors.posthog";
            let own = format!("{path}.host");
            let source = if first { joining.source("POSTHOG_HOST", &own) } else { own };
            joining.fault("bad_host", &source, bad.0, "write it like https://eu.posthog.com");
            return None;
        }
    };
    if written.destination == Some(true) && written.project_token.is_none() {
        let message = "nothing goes back to PostHog, because there is no project token".to_owned();
        joining.warn("no_project_token", &format!("{path}.project_token"), message, "set POSTHOG_API_KEY");
    }
    let access = PosthogAccess {
        region: hosts.region.as_str().to_owned(),
        host: hosts.ingestion.clone(),
        private_host: hosts.app.clone(),
        personal_key: written.personal_api_key.clone().map(Hidden),
        project_id: written.project_id.clone(),
        unconfigured: written.host.is_none() && written.project_token.is_none(),
        webhook_secret_set: written.webhook_secret.is_some(),
    };
    let connection = Connection {
        connector: FIRST.to_owned(),
        ingestion_host: hosts.ingestion,
        app_host: hosts.app,
        project_token: written.project_token.clone(),
        personal_key: written.personal_api_key.clone(),
        project: written.project_id.clone(),
        capture: written.destination.unwrap_or(false) && written.project_token.is_some(),
        test_mode: written.mode == Some(Mode::Test),
        starts_active: true,
        webhook_secret: written.webhook_secret.clone(),
        mapping: written.event_mapping.clone().unwrap_or_default(),
    };
    Some((connection, access))
}

fn by_api() -> Connection {
    Connection { connector: API.to_owned(), starts_active: true, ..Connection::default() }
}
