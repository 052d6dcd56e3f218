//! The campaigns of the simulated product, as files of a project would hold them, and the
//! settings they run under.

use std::collections::BTreeMap;

use hogwire_engine::campaigns::{Project, SourceFile};
use hogwire_engine::settings::{Connection, Sender, Settings};
use hogwire_model::contact::consent::{Topic, TopicDefault, TopicKind};
use hogwire_model::mapping::Mapping;

/// Where the links in mails lead.
pub const PUBLIC_URL: &str = "https://hogwire.sim";
pub const POSTHOG: &str = "https://ph.sim";
/// Where a campaign tells of leads.
pub const CRM: &str = "https://crm.sim/leads";
pub const TOKEN: &str = "phc_sim";

pub const WELCOME: &str = "name: Welcome
status: active
trigger: { event: signed_up }
entry: once
exit_on: [ { event: account_deleted } ]
goal: { event: checkout_completed, within: 14d }
steps:
  - email: { template: welcome, topic: product }
  - wait: 2d
  - branch:
      - when: [ { key: plan, operator: exact, value: pro, type: contact } ]
        steps: [ { exit: upgraded } ]
    else: [ { email: { template: nudge, topic: product } } ]
";

pub const RECOVERY: &str = "name: Checkout recovery
status: active
trigger:
  event: checkout_started
  where: [ { key: cart_value, operator: gt, value: 50, type: event } ]
entry: { once_per: 7d }
exit_on: [ { event: checkout_completed, match: { order_id: trigger.order_id } } ]
goal: { event: checkout_completed, within: 3d }
steps:
  - wait_for: { event: checkout_completed, match: { order_id: trigger.order_id }, timeout: 4h }
    then: [ { exit: bought } ]
  - email: { template: recovery, topic: product }
  - wait: 1d
  - email: { template: recovery, topic: product }
";

pub const PRICING: &str = "name: Third look at the prices
status: active
trigger: { nth: { event: pricing_viewed, count: 3, within: 7d } }
entry: { once_per: 30d }
steps:
  - webhook: { url: \"https://crm.sim/leads\", body: { who: \"{{ contact.email }}\", plan: \"{{ contact.plan }}\" } }
  - email: { template: offer, topic: offers }
  - wait_for: { event: demo_booked, timeout: 1d }
    then: [ { exit: booked } ]
    else: [ { set_attribute: { lead: cold } } ]
";

const TEMPLATES: &[(&str, &str)] = &[
    (
        "welcome",
        "---\nsubject: Welcome, {{ contact.name | default: 'friend' }}\n---\nHello {{ contact.name | default: 'there' }},\n\n[open your first project](https://app.sim/start) and look around.\n",
    ),
    (
        "nudge",
        "---\nsubject: Two days in\n---\nStill on **{{ contact.plan | default: 'no plan' }}**? [See what else there is](https://app.sim/plans).\n",
    ),
    (
        "recovery",
        "---\nsubject: Your order {{ trigger.order_id }}\n---\nYour cart of {{ trigger.cart_value }} waits. [Finish it](https://app.sim/checkout/{{ trigger.order_id }}).\n",
    ),
    (
        "offer",
        "---\nsubject: Questions about prices?\n---\nA person answers them: [book a talk](https://app.sim/demo).\n",
    ),
];

pub fn project() -> Project {
    let file = |id: &str, kind: &str, text: &str| SourceFile { id: id.into(), kind: kind.into(), text: text.into() };
    Project {
        campaigns: [("welcome", WELCOME), ("recovery", RECOVERY), ("pricing", PRICING)]
            .map(|(id, text)| file(id, "yaml", text))
            .to_vec(),
        templates: TEMPLATES.iter().map(|(id, text)| file(id, "md", text)).collect(),
    }
}

pub fn settings() -> Settings {
    let connection = Connection {
        connector: "posthog".into(),
        ingestion_host: POSTHOG.into(),
        app_host: POSTHOG.into(),
        project_token: Some(TOKEN.into()),
        personal_key: None,
        project: None,
        capture: true,
        test_mode: false,
        starts_active: true,
        webhook_secret: Some("a secret of the simulated product".into()),
        mapping: Mapping::default(),
    };
    let sender =
        Sender { from: "Shop <hello@shop.sim>".into(), relay: None, per_second: None, per_hour: None, per_day: None };
    let topic = |name: &str| (name.to_owned(), Topic::new(name, TopicKind::Marketing, TopicDefault::Allowed));
    let mut settings = Settings {
        connections: BTreeMap::from([("posthog".to_owned(), connection)]),
        senders: BTreeMap::from([("default".to_owned(), sender)]),
        vouched_domains: vec!["shop.sim".into()],
        topics: BTreeMap::from([topic("product"), topic("offers")]),
        public_url: PUBLIC_URL.into(),
        ..Settings::default()
    };
    settings.policies.link_hosts = vec!["app.sim".into()];
    settings
}
