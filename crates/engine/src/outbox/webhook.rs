//! Webhook steps on their way out (SPEC G3, G4).
//!
//! The URL, the headers and the body are rendered when the request is first tried and kept,
//! so that every further try sends the same under the same id. Headers that name a secret
//! are the exception: they are rendered for each try and never stored. Where a URL goes is
//! the operator's word: a host that holds data must be on their list.

use hogwire_connectors::http::Request;
use hogwire_connectors::webhook::outbound::{self, Hook};
use hogwire_model::Time;
use hogwire_model::policy::retry::Kind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Did, Parts, deliver};
use crate::error::{Error, Result};
use crate::outside::Reach;
use crate::store::deliveries::{self, Delivery};
use crate::store::{Tx, pauses};

const BATCH: usize = 50;

/// The payload: as the step says it, or filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payload {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Option<Value>,
    /// Headers with a secret in them, as templates.
    #[serde(default)]
    secret_headers: Vec<(String, String)>,
    #[serde(default)]
    rendered: bool,
}

pub fn step(parts: &Parts<'_>, now: Time) -> Result<Did> {
    let (claimed, requests, mut did) = claim(parts, now)?;
    if !requests.is_empty() {
        let answers = parts.outside.http.send(Reach::Guarded, requests);
        parts.store.write(|tx| {
            for (delivery, (at, answer)) in claimed.iter().zip(answers) {
                let outcome = deliver::outcome(answer, |response| outbound::read_response(response, at));
                deliver::settle(parts, tx, delivery, &outcome, Kind::Webhook, at)?;
            }
            Ok(())
        })?;
    }
    did.did += claimed.len();
    Ok(did)
}

fn claim(parts: &Parts<'_>, now: Time) -> Result<(Vec<Delivery>, Vec<Request>, Did)> {
    let mut tx = parts.store.begin()?;
    let brakes = pauses::brakes(&mut tx)?;
    if brakes.everything {
        return Ok((Vec::new(), Vec::new(), Did::default()));
    }
    let paused: Vec<&str> = brakes.campaigns.iter().map(String::as_str).collect();
    let due = deliveries::due(&mut tx, "webhook", now, &paused, BATCH)?;
    let secrets = if due.is_empty() { Vec::new() } else { parts.hooks.webhook_secrets(&mut tx, now)? };
    let (mut claimed, mut requests, mut buried) = (Vec::new(), Vec::new(), 0);
    for delivery in due {
        match deliver::alone(prepare(parts, &mut tx, &delivery, &secrets, now), |why| why)? {
            Ok(request) => {
                claimed.push(delivery);
                requests.push(request);
            }
            Err(why) => {
                deliveries::end(&mut tx, &delivery.id, "dead", &why, now)?;
                buried += 1;
            }
        }
    }
    deliver::claim(&mut tx, &mut claimed, now)?;
    let next_due = deliveries::next_due(&mut tx, "webhook", now)?;
    tx.commit()?;
    Ok((claimed, requests, Did { did: buried, next_due }))
}

/// The request of this try, or a sentence that says why there can be none.
fn prepare(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    secrets: &[String],
    now: Time,
) -> Result<Result<Request, String>> {
    let Ok(mut payload) = serde_json::from_str::<Payload>(&delivery.payload) else {
        return Ok(Err("what was queued cannot be read".to_owned()));
    };
    if !payload.rendered {
        let free = host_holds_data(&payload.url);
        payload = match render(parts, tx, delivery, payload, now)? {
            Ok(payload) => payload,
            Err(why) => return Ok(Err(why)),
        };
        if free && let Err(why) = listed(&payload.url, &parts.settings.policies.webhook_hosts) {
            return Ok(Err(why));
        }
        let text = serde_json::to_string(&payload)
            .map_err(|error| Error::Corrupt { what: "webhook", why: error.to_string() })?;
        deliveries::render(tx, &delivery.id, &text)?;
    }
    let mut headers = payload.headers;
    if !payload.secret_headers.is_empty() {
        match parts.hooks.fill_secret(tx, delivery, json!(payload.secret_headers), now)? {
            Ok(filled) => headers.extend(serde_json::from_value::<Vec<(String, String)>>(filled).unwrap_or_default()),
            Err(why) => return Ok(Err(why)),
        }
    }
    let body = match payload.body {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.into_bytes(),
        Some(json) => json.to_string().into_bytes(),
    };
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let hook = Hook {
        id: &delivery.id,
        method: &payload.method,
        url: &payload.url,
        headers: &headers,
        body: &body,
        secrets: &secrets,
    };
    Ok(outbound::request(hook, now).map_err(|refusal| refusal.message))
}

fn render(
    parts: &Parts<'_>,
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    payload: Payload,
    now: Time,
) -> Result<Result<Payload, String>> {
    let body_text = payload.body.as_ref().map(Value::to_string).unwrap_or_default();
    if names_secret(&payload.url) || names_secret(&body_text) {
        // Both are stored and shown; a header is neither.
        return Ok(Err("a secret may stand in a header only".to_owned()));
    }
    let (secret_headers, headers): (Vec<_>, Vec<_>) =
        payload.headers.into_iter().partition(|(_, value)| names_secret(value));
    let written = json!({ "method": payload.method, "url": payload.url, "headers": headers, "body": payload.body });
    let filled = match parts.hooks.fill(tx, delivery, written, now)? {
        Ok(filled) => filled,
        Err(why) => return Ok(Err(why)),
    };
    Ok(match serde_json::from_value::<Payload>(filled) {
        Ok(filled) => Ok(Payload { secret_headers, rendered: true, ..filled }),
        Err(_) => Err("the filled request is not one any more".to_owned()),
    })
}

/// Whether some Liquid in the text asks for a secret.
fn names_secret(text: &str) -> bool {
    let inside = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let tags = text.split("{%").skip(1).filter_map(|rest| rest.split("%}").next());
    inside.chain(tags).any(|liquid| liquid.contains("secrets.") || liquid.contains("secrets["))
}

/// Whether the part of a URL that says where it goes is made from data.
fn host_holds_data(template: &str) -> bool {
    let Some((scheme, rest)) = template.split_once("://") else {
        return template.contains("{{") || template.contains("{%");
    };
    let liquid = |text: &str| text.contains("{{") || text.contains("{%");
    let first = rest.find("{{").into_iter().chain(rest.find("{%")).min();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    liquid(scheme) || first.is_some_and(|first| first <= end)
}

fn listed(url: &str, hosts: &[String]) -> Result<(), String> {
    // Read as the request will be: what a lenient eye takes for the host may not be it.
    let hook = Hook { id: "", method: "GET", url, headers: &[], body: &[], secrets: &[] };
    let request = outbound::request(hook, Time::default()).map_err(|refusal| refusal.message)?;
    let rest = request.url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = host.map_or(authority, |(host, _)| host);
    let fits = |known: &String| match known.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|sub| sub.ends_with('.')),
        None => known.eq_ignore_ascii_case(host),
    };
    if hosts.iter().any(fits) {
        return Ok(());
    }
    Err(format!("the host {host} comes from data and is not in policies.webhook_hosts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_made_from_data_is_recognised() {
        for url in [
            "https://{{ host }}/x",
            "{{ url }}",
            "https://api.test{{ x }}/",
            "https://api.test:{{ port }}/",
            "{{ scheme }}://api.test/",
            "https://{% if a %}a{% endif %}.test/",
        ] {
            assert!(host_holds_data(url), "{url}");
        }
        for url in
            ["https://api.test/{{ id }}", "https://api.test?x={{ id }}", "https://api.test/#{{ x }}", "https://a.test"]
        {
            assert!(!host_holds_data(url), "{url}");
        }
    }

    #[test]
    fn a_secret_is_recognised_within_liquid_only() {
        for text in [
            "Bearer {{ secrets.crm }}",
            "{{secrets['a']}}",
            "{{ 'Bearer ' | append: secrets.x }}",
            "{% if secrets.a %}",
        ] {
            assert!(names_secret(text), "{text}");
        }
        for text in ["", "Our secrets. All of them.", "{{ plan }} secrets.x", "{{ plan"] {
            assert!(!names_secret(text), "{text}");
        }
    }

    #[test]
    fn only_listed_hosts_pass() {
        let hosts = ["api.test".to_owned(), "*.hooks.test".to_owned()];
        for url in ["https://api.test/x", "https://API.test:8443/x", "https://a.hooks.test"] {
            assert_eq!(listed(url, &hosts), Ok(()), "{url}");
        }
        for url in [
            "https://evil.test/api.test",
            "https://api.test.evil.test/",
            "https://hooks.test.evil/",
            "https://evilhooks.test/",
            "https://api.test@evil.test/",
            "https://evil.test\\@api.test/",
            "ftp://api.test/",
        ] {
            assert!(listed(url, &hosts).is_err(), "{url}");
        }
    }
}
