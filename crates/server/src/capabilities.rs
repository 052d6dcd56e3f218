//! What this installation can do with what it was given, and what would turn on the rest
//! (SPEC C9). Told at boot, in `/readyz`, in `doctor` and in the console. Each capability
//! stands alone: losing one credential turns off one of them.

use serde::Serialize;

use crate::config::Config;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Stable snake_case name.
    pub name: &'static str,
    pub title: &'static str,
    pub on: bool,
    /// What would turn it on.
    pub needs: &'static str,
    /// What happens while it is off.
    pub without: &'static str,
}

pub fn all(config: &Config) -> Vec<Capability> {
    let connections = || config.settings.connections.values();
    vec![
        Capability {
            name: "events_in",
            title: "Events in: PostHog starts campaigns",
            on: !config.posthog.is_empty(),
            needs: "A connection that is not switched off by `enabled: false`.",
            without: "No event of PostHog starts a campaign; the API still takes events.",
        },
        Capability {
            name: "mail_out",
            title: "Mail out",
            on: !config.mail.is_empty(),
            needs: "SMTP_URL, or a sender with `smtp` in hogwire.yaml.",
            without: "Messages wait or are refused; everything else goes on.",
        },
        Capability {
            name: "links",
            title: "Links in mails work for their readers",
            on: config.public_url.as_deref().is_some_and(is_reachable),
            needs: "API_PUBLIC_URL with an address that readers can reach.",
            without: "Unsubscribe links, clicks and opens lead to this machine.",
        },
        Capability {
            name: "engagement_out",
            title: "Engagement out: sends, opens and clicks go to PostHog",
            on: connections().any(|connection| connection.capture),
            needs: "ENABLE_POSTHOG_DESTINATION=true and POSTHOG_API_KEY.",
            without: "Opens and clicks are recorded here only.",
        },
        Capability {
            name: "brevo",
            title: "Brevo is kept as contacts are here",
            on: !config.settings.destinations.is_empty(),
            needs: "BREVO_API_KEY, or `connectors.brevo.api_key`.",
            without: "Contacts, events and opt-outs stay here and reach no destination.",
        },
        Capability {
            name: "person_reads",
            title: "Reading persons, cohorts and queries",
            on: false,
            needs: "A later version: a credential can be stored and is renewed; nothing reads with it yet.",
            without: "Conditions see what events brought; nothing is pulled.",
        },
        Capability {
            name: "provisioning",
            title: "Setting up PostHog's webhook by itself",
            on: false,
            needs: "A later version: this one sets up nothing in PostHog.",
            without: "The webhook is set up by hand: copy its URL and secret from the connection's page.",
        },
        Capability {
            name: "admin_api",
            title: "Admin routes by ADMIN_API_KEY",
            on: config.admin_key.is_some(),
            needs: "ADMIN_API_KEY.",
            without: "Admin routes answer 401 to all but keys with scope admin.",
        },
    ]
}

/// Neither loopback nor private, as far as the name says.
pub fn is_reachable(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| crate::adapters::guard::is_public(&url))
}
