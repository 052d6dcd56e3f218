//! How fast personal mails are rendered, against the Liquid crate alone on the same HTML.
//!
//! Ours renders a whole mail: subject, HTML with its links looked at, and the text part. The
//! crate renders the HTML and the subject, from values made of the same JSON per mail. Run
//! with `--release`; the medians of seven rounds are printed.

use std::time::{Duration, Instant};

use hogwire_model::Time;
use hogwire_model::template::{Compiled, Kind, Scope};
use serde_json::{Value, json};

const MAILS: u32 = 20_000;
const ROUNDS: usize = 7;
const SUBJECT: &str = "Your cart, {{ first_name }}";
const BODY: &str = r#"<mjml><mj-body><mj-section><mj-column>
<mj-text>Hi {{ first_name | default: "there" }}, you left {{ items | size }} things worth {{ cart_value }}.</mj-text>
<mj-text>{% if contact.plan == "pro" %}Pro members save 10%.{% else %}Free shipping.{% endif %}</mj-text>
<mj-button href="https://shop.example/cart?c={{ cart | url_encode }}">Back to the cart</mj-button>
<mj-table><tr><th>Item</th><th>Price</th></tr>
{% for i in items %}<tr><td>{{ i.name }}</td><td>{{ i.price }}</td></tr>{% endfor %}</mj-table>
<mj-text>Bye. <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"#;

fn main() {
    let contact = json!({ "first_name": "Ada", "plan": "pro", "email": "ada@x.example" });
    let event = json!({ "cart": "a&b", "cart_value": 72.5, "items": [
        { "name": "Shoe", "price": 20 }, { "name": "Hat", "price": 5.5 }, { "name": "Coat", "price": 100 },
    ] });
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(own(&contact, &event));
        theirs.push(bare(&contact, &event));
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let rate = |spent: Duration| f64::from(MAILS) / spent.as_secs_f64();
    println!(
        "whole mails {:.0}/s, the crate alone {:.0}/s, ratio {:.2}",
        rate(ours),
        rate(theirs),
        rate(ours) / rate(theirs)
    );
}

fn own(contact: &Value, event: &Value) -> Duration {
    let source = format!("---\nsubject: \"{SUBJECT}\"\n---\n{BODY}");
    let compiled = Compiled::compile("cart", &source, Kind::Mjml).expect("compiles");
    let now = Time::parse("2026-03-02T22:30:00Z").expect("a time");
    measure(|| {
        let names = [("unsubscribe_url", json!("https://go.example/u/1"))];
        let scope = Scope::new(contact, event, now).with(names);
        compiled.render(&scope, &[]).expect("renders").html.len()
    })
}

fn bare(contact: &Value, event: &Value) -> Duration {
    let parser = liquid::ParserBuilder::with_stdlib().build().expect("a parser");
    let options = mrml::prelude::render::RenderOptions::default();
    let html = mrml::parse(BODY).expect("is MJML").element.render(&options).expect("renders");
    let (body, subject) = (parser.parse(&html).expect("parses"), parser.parse(SUBJECT).expect("parses"));
    measure(|| {
        let mut names = liquid::to_object(event).expect("an object");
        let contact = liquid::to_object(contact).expect("an object");
        names.extend(contact.clone());
        names.insert("contact".into(), liquid::model::Value::Object(contact));
        names.insert("unsubscribe_url".into(), liquid::model::Value::scalar("https://go.example/u/1"));
        subject.render(&names).expect("renders").len() + body.render(&names).expect("renders").len()
    })
}

fn measure(mut mail: impl FnMut() -> usize) -> Duration {
    let begun = Instant::now();
    let bytes: usize = (0..MAILS).map(|_| mail()).sum();
    assert!(bytes > MAILS as usize * 1_000, "something was rendered");
    begun.elapsed()
}

fn median(spent: &mut [Duration]) -> Duration {
    spent.sort_unstable();
    spent[spent.len() / 2]
}
