use serde_json::json;

use super::*;
use crate::Time;

fn now() -> Time {
    Time::parse("2026-03-02T22:30:00Z").expect("a time")
}

fn show(source: &str, escape: Escape) -> Rendered {
    let contact = json!({ "email": "ada@example.com", "first_name": "Ada", "plan": "pro", "tags": ["a", "b"], "deep": { "list": [{ "n": 1 }, {}] } });
    let event = json!({ "cart_value": 72.5, "name": "<b>\"x\"</b>", "lines": "a\r\nBcc: x@y.z" });
    let scope = Scope::new(&contact, &event, now()).with_zone(Some("Europe/Berlin"));
    Liquid::parse(source, escape).expect("parses").render(&scope).unwrap_or_else(|error| panic!("{source}: {error}"))
}

#[test]
fn names_are_found_and_what_is_missing_is_nil_at_any_depth() {
    for (source, wanted) in [
        ("{{ contact.first_name }}", "Ada"),
        ("{{ Profile.Email }}", "ada@example.com"),
        ("{{ cart_value }} {{ plan }}", "72.5 pro"),
        ("{{ event.cart_value }} {{ trigger.cart_value }}", "72.5 72.5"),
        ("{{ a.b.c | default: 'deep' }}", "deep"),
        ("[{{ missing }}]", "[]"),
        ("{% for i in contact.deep.list %}{{ i.n | default: '-' }}{% endfor %}", "1-"),
        ("{% for i in missing.list %}x{% else %}none{% endfor %}", "none"),
        ("{% if missing.deep == blank %}blank{% endif %}", "blank"),
        ("{{ contact.tags.size }} {{ contact.tags[5] | default: 'no' }} {{ contact.tags | join: '+' }}", "2 no a+b"),
        ("{% assign x = missing | default: 'y' %}{{ x }}", "y"),
        ("{{ false | default: 'f', allow_false: true }}", "false"),
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "2026-03-02 23:30"),
        ("{{ '2026-01-05' | date: '%B %d, %Y' }}", "January 05, 2026"),
        ("{{ 1234567.5 | money: 'EUR' }}", "€1,234,567.50"),
        ("{{ 'a b&c' | url_encode }}", "a+b%26c"),
        ("{{ contact.tags | json }}", "[\"a\",\"b\"]"),
    ] {
        assert_eq!(show(source, Escape::None).text, wanted, "{source}");
    }
}

#[test]
fn values_are_escaped_for_where_they_stand() {
    assert_eq!(show("<p>{{ event.name }}</p>", Escape::Html).text, "<p>&lt;b&gt;&quot;x&quot;&lt;/b&gt;</p>");
    assert_eq!(show("{{ event.name | raw }}", Escape::Html).text, "<b>\"x\"</b>");
    assert_eq!(show("{{ event.name | upcase }}", Escape::Html).text, "&lt;B&gt;&quot;X&quot;&lt;/B&gt;");
    assert_eq!(show("Hi {{ event.lines }}", Escape::Header).text, "Hi a Bcc: x@y.z");
    let body = show(r#"{"a": "{{ event.name }}", "b": {{ event.name | json }}}"#, Escape::JsonString).text;
    let parsed: serde_json::Value = serde_json::from_str(&body).expect("still JSON");
    assert_eq!(parsed, json!({ "a": "<b>\"x\"</b>", "b": "<b>\"x\"</b>" }));
}

#[test]
fn what_is_missing_is_listed_unless_it_has_a_default() {
    let rendered = show(
        "{{ contact.city }} {{ contact.plan }} {{ zip | default: '-' }}{% for t in contact.tags %}{{ t }}{% endfor %}",
        Escape::None,
    );
    assert_eq!(rendered.missing, ["contact.city"]);
}

#[test]
fn templates_that_would_not_end_are_refused() {
    let endless = "{% for a in (1..9000) %}{% for b in (1..9000) %}x{% endfor %}{% endfor %}";
    let nothing = json!({});
    let scope = Scope::new(&nothing, &nothing, now());
    let error = Liquid::parse(endless, Escape::None).expect("parses").render(&scope).expect_err("bounded");
    assert!(error.0.contains("10,000 rounds"), "{error}");
    for over in ["(1..99999999)", "(1..n)", "(-9223372036854775807..9223372036854775807)"] {
        let (source, event) = (format!("{{% for a in {over} %}}x{{% endfor %}}"), json!({ "n": 9e15 }));
        let result = Liquid::parse(&source, Escape::None).expect("parses").render(&Scope::new(&nothing, &event, now()));
        assert!(result.is_err_and(|error| error.0.contains("10,000 rounds")), "{over}");
    }
    let huge = format!("{{% for a in (1..9000) %}}{}{{% endfor %}}", "x".repeat(20_000));
    assert!(Liquid::parse(&huge, Escape::None).expect("parses").render(&scope).is_err());
    let nested = "{% if a %}".repeat(60) + &"{% endif %}".repeat(60);
    assert!(Liquid::parse(&nested, Escape::None).is_err());
}

#[test]
fn a_syntax_error_names_its_line() {
    let problem = Liquid::parse("line one\n{{ x | nonsense }}", Escape::None).expect_err("unknown filter");
    assert_eq!(problem.place.map(|place| place.line), Some(2), "{problem:?}");
}

const MJML: &str = "---\nsubject: Your cart, {{ contact.first_name }}\ntopic: product\n---\n<mjml><mj-body>\n<mj-section><mj-column><mj-text>Hi {{ contact.first_name | default: \"there\" }}</mj-text>\n<mj-button href=\"https://shop.example/cart?c={{ cart | url_encode }}\">Back</mj-button>\n<mj-table><tr><th>Item</th></tr>{% for i in items %}<tr><td>{{ i.name }}</td></tr>{% endfor %}</mj-table></mj-column></mj-section>\n</mj-body></mjml>";

#[test]
fn mjml_becomes_a_mail_with_both_parts() {
    let compiled = Compiled::compile("recovery", MJML, Kind::Mjml).expect("compiles");
    assert_eq!(compiled.topic(), Some("product"));
    let contact = json!({ "first_name": "Ada" });
    let event = json!({ "cart": "a&b", "items": [{ "name": "Shoe <1>" }, { "name": "Hat" }] });
    let mail = compiled.render(&Scope::new(&contact, &event, now()), &[]).expect("renders");
    assert_eq!(mail.subject, "Your cart, Ada");
    assert!(mail.html.contains("Hi Ada"), "{}", mail.html);
    assert!(mail.html.contains("Shoe &lt;1&gt;") && mail.html.contains("Hat"), "{}", mail.html);
    assert!(mail.html.contains("https://shop.example/cart?c=a%26b"), "{}", mail.html);
    assert!(mail.text.contains("Hi Ada") && mail.text.contains("https://shop.example/cart"), "{}", mail.text);
    assert!(mail.html.find("Item") < mail.html.find("Shoe"), "rows stay in their table");
}

#[test]
fn markdown_and_html_keep_their_liquid() {
    let source = "---\nsubject: Hello\n---\n# Hi {{ contact.name | default: 'you' }}\n\n{% if contact.plan == 'pro' %}\n\nThank *you*.\n\n{% endif %}\n\n[Go]({{ url }})";
    let compiled = Compiled::compile("hello", source, Kind::Markdown).expect("compiles");
    let render = |plan: &str, url: &str, hosts: &[String]| {
        let (contact, event) = (json!({ "plan": plan }), json!({ "url": url }));
        let scope = Scope::new(&contact, &event, now()).with([("unsubscribe_url", json!("https://h.example/u/1"))]);
        compiled.render(&scope, hosts).expect("renders")
    };
    let hosts = ["h.example".to_owned()];
    let mail = render("pro", "https://evil.example/x", &hosts);
    assert!(mail.html.contains("Hi you") && mail.html.contains("<em>you</em>"), "{}", mail.html);
    assert_eq!(mail.taken_links, ["https://evil.example/x"]);
    assert!(mail.html.contains("https://h.example/u/1"));
    let mail = render("free", "javascript:alert(1)", &hosts);
    assert!(!mail.html.contains("<em>you</em>") && !mail.html.contains("javascript:"), "{}", mail.html);
}

#[test]
fn mistakes_are_named() {
    let code = |source: &str, kind| Compiled::compile("t", source, kind).expect_err("refused").0[0].code.clone();
    assert_eq!(code("no head", Kind::Html), "no_subject");
    assert_eq!(code("---\nsubjct: x\n---\nbody", Kind::Html), "front_matter");
    assert_eq!(code("---\nsubject: x\n---\n<mjml><mj-body><mj-nope/></mj-body></mjml>", Kind::Mjml), "unknown_element");
}

#[test]
fn the_seeds_payloads_stay_json() {
    let source = r#"{"event": "Purchase", "distinct_id": "{{ Profile.Email | default: "test@gmail.com" }}", "properties": {"value": "{{ Profile.wallet_balance | default: "100" }}"}}"#;
    let (contact, event) = (json!({ "email": "a\"b\n@x.y" }), json!({}));
    let scope = Scope::new(&contact, &event, now());
    let body = render_json(source, &scope).expect("renders");
    let parsed: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(parsed["distinct_id"], json!("a\"b\n@x.y"));
    assert_eq!(parsed["properties"]["value"], json!("100"));
    assert!(render_json("{\"a\": \"{{ Profile.email | json }}\"}", &scope).is_err(), "quotes within quotes");
}

fn mail_of(body: &str, kind: Kind, event: &serde_json::Value) -> Mail {
    let contact = json!({ "first_name": "Ada", "email": "ada@x.example" });
    let scope = Scope::new(&contact, event, now()).with([("unsubscribe_url", json!("https://go.example/u/1"))]);
    let source = format!("---\nsubject: x\npreheader: For {{{{ first_name }}}}\n---\n{body}");
    let compiled = Compiled::compile("t", &source, kind).unwrap_or_else(|problems| panic!("{problems:?}"));
    compiled.render(&scope, &["shop.example".to_owned()]).expect("renders")
}

#[test]
fn the_text_part_says_what_the_html_says() {
    let event = json!({ "items": [{ "name": "Shoe & <Co>" }, { "name": "Hat" }], "pro": false });
    let html = "<style>p{color:red}</style><h1>Hi&nbsp;{{ first_name }}</h1><p>You left {{ items | size }} item{% if items.size != 1 %}s{% endif %}:</p>\
        <ul>{% for i in items %}<li>{{ i.name }}</li>{% endfor %}</ul>{% if pro %}<p>Pro only</p>{% else %}<p>All</p>{% endif %}\
        <p>Go to <a href=\"https://shop.example/cart?a=1&amp;b={{ first_name | url_encode }}\">the cart</a>.<br>Or <a href=\"mailto:{{ email }}\">{{ email }}</a></p>\
        <div style=\"display: none\">hidden {% if pro %}x{% endif %}</div><table><tr><th>A</th><th>B</th></tr>{% for i in items %}<tr><td>{{ i.name }}</td><td>1</td></tr>{% endfor %}</table><script>x</script>";
    let mail = mail_of(html, Kind::Html, &event);
    let wanted = "Hi Ada\n\nYou left 2 items:\n\n- Shoe & <Co>\n- Hat\n\nAll\n\nGo to the cart (https://shop.example/cart?a=1&b=Ada).\nOr ada@x.example\n\nA B\nShoe & <Co> 1\nHat 1\n";
    assert_eq!(mail.text, wanted, "{}", mail.html);
    assert!(mail.html.contains("<p style=\"color: red;\">You left 2 items:</p>"), "{}", mail.html);
    assert!(mail.html.contains(">For Ada</div>") && !mail.text.contains("For Ada"));
}

#[test]
fn links_lead_only_where_the_author_or_the_operator_says() {
    let event = json!({ "evil": "https://evil.example/?a=1&b=2", "shop": "https://eu.shop.example/x", "js": "javascript:alert(1)", "path": "@evil.example", "html": "<a href='https://evil.example'>win</a>", "said": "see https://evil.example/now" });
    for (body, target) in [
        ("<a href=\"{{ evil }}\">x</a>", "#"),
        ("<a href={{ js }}>x</a>", "#"),
        ("<!--[if mso]><v:rect href=\"{{ evil }}\"><![endif]-->", "#"),
        ("<a href=\"{{ shop }}\">x</a>", "https://eu.shop.example/x"),
        ("<a href=\"https://own.example/{{ path }}\">x</a>", "https://own.example/@evil.example"),
        ("<a href=\"https://own.example{{ path }}\">x</a>", "#"),
        ("<a href=\"{% if evil %}{{ evil }}{% endif %}\">x</a>", "#"),
        ("<a href=\"{{ unsubscribe_url }}\">x</a>", "https://go.example/u/1"),
        ("<a href=\"mailto:{{ email }}\">x</a>", "mailto:ada@x.example"),
        ("<a href=\"#top\">x</a>", "#top"),
        ("<a href=\"https://fixed.example/\">x</a>", "https://fixed.example/"),
    ] {
        let html = mail_of(body, Kind::Html, &event).html;
        assert!(html.contains(&format!("href=\"{target}\"")), "{body}: {html}");
    }
    let mail = mail_of("{{ html | raw }}", Kind::Html, &event);
    assert!(!mail.html.contains("evil.example"), "{}", mail.html);
    assert_eq!(mail.taken_links, ["https://evil.example"]);
    let mail = mail_of("Hi, {{ said }}!", Kind::Text, &event);
    assert_eq!((mail.text.as_str(), mail.taken_links.len()), ("Hi, see #", 1));
}

#[test]
fn liquid_comes_through_every_pass() {
    let event = json!({ "items": [{ "name": "Shoe" }, { "name": "Hat" }], "pro": true, "color": "#123456" });
    let mjml = "<mjml><mj-head><mj-title>T {{ color }}</mj-title><mj-preview>P {{ color }}</mj-preview></mj-head><mj-body background-color=\"#ffffff\">\
        {% if pro %}<mj-section><mj-column><mj-text color=\"red\">only pro</mj-text></mj-column></mj-section>{% endif %}\
        <mj-section><mj-column>{% for i in items %}<mj-text>{{ i.name | append: \" > '1'\" }}</mj-text>{% endfor %}\
        <mj-image src=\"https://cdn.example/{{ color | slice: 1, 6 }}.png\" alt=\"{{ items[0].name }}\"/></mj-column></mj-section></mj-body></mjml>";
    let mail = mail_of(mjml, Kind::Mjml, &event);
    for wanted in [
        "T #123456",
        "P #123456",
        "only pro",
        "Shoe &gt; &#39;1&#39;",
        "Hat &gt; ",
        "cdn.example/123456.png",
        "alt=\"Shoe\"",
    ] {
        assert!(mail.html.contains(wanted), "{wanted}: {}", mail.html);
    }
    let markdown = "{% for i in items %}\n- {{ i.name }}\n{% endfor %}\n\n{% if pro %}\nThanks *a lot*\n{% else %}\n## No\n{% endif %}\n\n| A |\n|---|\n| {% if pro %}y{% else %}n{% endif %} |\n";
    let mail = mail_of(markdown, Kind::Markdown, &event);
    assert_eq!(
        mail.text, "- Shoe\n\n- Hat\n\nThanks a lot\n\nA\ny\n\nUnsubscribe (https://go.example/u/1)\n",
        "{}",
        mail.html
    );
    let html = "<style>.a{color:{{ color }}}</style><!--[if mso]>{{ color }}<![endif]--><p class=\"a {% if pro %}b{% endif %}\" style=\"margin:{{ items.size }}px\">x</p>";
    let mail = mail_of(html, Kind::Html, &event);
    for wanted in ["<!--[if mso]>#123456<![endif]-->", "class=\"a b\"", "2px", ".a{color:#123456}"] {
        assert!(mail.html.contains(wanted), "{wanted}: {}", mail.html);
    }
}

#[test]
fn what_cannot_come_through_is_refused() {
    let code = |body: &str, kind| {
        let source = format!("---\nsubject: x\n---\n{body}");
        Compiled::compile("t", &source, kind).expect_err("refused").0[0].code.clone()
    };
    assert_eq!(code("<p {% if a %}class=\"x\"{% endif %}>", Kind::Html), "liquid_in_tag");
    assert_eq!(code("<a href=\"/pricing\">x</a>", Kind::Html), "bad_link");
    assert_eq!(code("<a href=\"javascript:x\">x</a>", Kind::Html), "bad_link");
    assert_eq!(code("<mjml><mj-body>{% for i in a %}</mj-body></mjml>", Kind::Mjml), "liquid_syntax");
    assert_eq!(code("{% render 'part' %}", Kind::Html), "unknown_tag");
    assert_eq!(code("{% hogwire_link %}x{% endhogwire_link %}", Kind::Html), "unknown_tag");
    let deep = format!("<mjml><mj-body>{}</mj-body></mjml>", "<div>".repeat(5_000));
    assert_eq!(code(&deep, Kind::Mjml), "too_deep");
    let problems =
        Compiled::compile("t", "---\nsubject: a\n---\nline\n{{ x | nope }}", Kind::Html).expect_err("refused");
    assert_eq!(problems.0[0].place.map(|place| place.line), Some(5));
}
