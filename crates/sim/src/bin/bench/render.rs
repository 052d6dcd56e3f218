//! P11: personal mails from one MJML template, against the Liquid crate alone on the HTML
//! that the same MJML makes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hogwire_model::Time;
use hogwire_model::template::{Compiled, Kind, Scope};
use serde_json::{Value, json};

use crate::Outcome;
use crate::figure::{Figure, Target, median};

const HEAD: &str = "---\nsubject: \"{{ contact.name }}, your week\"\n---\n";
const MJML: &str = r#"<mjml><mj-head><mj-attributes><mj-all font-family="Helvetica, Arial" /></mj-attributes></mj-head><mj-body>
<mj-section><mj-column><mj-text font-size="20px">Hello {{ contact.name | default: "there" }},</mj-text>
<mj-text>here is what happened at {{ contact.company }} since {{ contact.since | date: "%d %B %Y" }}.</mj-text></mj-column></mj-section>
<mj-section><mj-column>{% for item in event.items %}<mj-text>{{ item.name | capitalize }}: {{ item.count }} times,
{% if item.count > 10 %}more than most{% else %}about as usual{% endif %}.</mj-text>{% endfor %}</mj-column></mj-section>
<mj-section><mj-column><mj-button href="https://app.example.com/reports/{{ contact.id }}">See the report</mj-button>
<mj-text>You are on the {{ contact.plan | upcase }} plan.</mj-text></mj-column></mj-section></mj-body></mjml>"#;

const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 7;

pub fn rendered() -> Outcome {
    let source = format!("{HEAD}{MJML}");
    let ours = Compiled::compile("week", &source, Kind::Mjml).map_err(|problems| format!("{problems:?}"))?;
    let html = html(MJML)?;
    let parser = liquid::ParserBuilder::with_stdlib().build().map_err(|error| error.to_string())?;
    let theirs = parser.parse(&html).map_err(|error| error.to_string())?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(rate(|n| {
            let (contact, event) = (person(n), happened(n));
            let scope = Scope::new(&contact, &event, Time::from_millis(1_772_442_000_000));
            ours.render(&scope, &[]).map(black_box).map(|_| ()).map_err(|error| error.to_string())
        })?);
        b.push(rate(|n| {
            let globals = json!({ "contact": person(n), "event": happened(n) });
            let globals = liquid::to_object(&globals).map_err(|error| error.to_string())?;
            theirs.render(&globals).map(black_box).map(|_| ()).map_err(|error| error.to_string())
        })?);
    }
    let note = format!("ours also writes the subject and the text part and checks links; HTML of {} bytes", html.len());
    let (a, b) = (median(&mut a), median(&mut b));
    Ok(vec![Figure { name: "P11", a, b, unit: "mails/s", target: Target::AtLeast(0.8), note }])
}

fn html(mjml: &str) -> Result<String, String> {
    // MJML knows no loops: Liquid's tags travel as comments would, in the text.
    let parsed = mrml::parse(mjml).map_err(|error| error.to_string())?;
    parsed.element.render(&mrml::prelude::render::RenderOptions::default()).map_err(|error| error.to_string())
}

fn rate(mut once: impl FnMut(u64) -> Result<(), String>) -> Result<f64, String> {
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < ROUND {
        for _ in 0..50 {
            once(n)?;
            n += 1;
        }
    }
    Ok(n as f64 / began.elapsed().as_secs_f64())
}

fn person(n: u64) -> Value {
    json!({ "id": format!("con_{n}"), "name": format!("Ada {n}"), "company": "Example & Sons", "plan": "team",
        "since": "2026-02-23", "email": format!("ada{n}@people.example") })
}

fn happened(n: u64) -> Value {
    json!({ "items": [
        { "name": "logins", "count": n % 20 }, { "name": "exports", "count": 3 }, { "name": "invites", "count": 11 } ] })
}
