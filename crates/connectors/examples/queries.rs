//! Prints every HogQL query that the product asks by itself, one JSON line each, for PostHog's
//! own parser to judge: `cargo run -p hogwire-connectors --example queries`.

use hogwire_connectors::posthog::hogql::Query;
use hogwire_connectors::posthog::{activity, cohorts, people, replay};
use hogwire_model::{Span, Time};

fn main() {
    for query in queries() {
        println!("{}", serde_json::json!({ "name": query.name, "sql": query.sql }));
    }
}

fn queries() -> Vec<Query> {
    let now = Time::from_millis(1_790_000_000_000);
    let from = now.minus(Span::days(1));
    let names = vec!["purchase_completed".to_owned()];
    let properties = vec!["email".to_owned(), "$browser".to_owned(), "odd `name` isn't".to_owned()];
    let wanted = people::Wanted { properties: &properties, limit: 50_000, activity: true, ..people::Wanted::default() };
    vec![
        people::query(&wanted),
        people::query(&people::Wanted { since: Some(from), after: "a", ..wanted.clone() }),
        people::query(&people::Wanted { limit: 10, ..people::Wanted::default() }),
        cohorts::members(12, true, "", 50_000),
        cohorts::members(12, false, "", 50_000),
        activity::counts(from, now, &names, 50_000),
        activity::uuids(from, now, &[], "", 50_000),
        activity::by_uuid(from, now, &["0197d003-3333-7ccc-8ddd-0123456789ab"]),
        activity::page(&activity::After { at: from, uuid: String::new() }, now, &names, 1_000),
        activity::active_contacts(&names, from, 1, "", 50_000),
        activity::active_contacts(&[], from, 10, "", 50_000),
        replay::query(from, "", 50_000),
    ]
}
