//! What templates and values must not do, whoever wrote them: run on, grow, break out of
//! where they are printed.

use std::time::{Duration, Instant};

use hogwire_model::Time;
use hogwire_model::template::{Compiled, Escape, Kind, Liquid, Scope};
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> Time {
    Time::parse("2026-03-02T22:30:00Z").expect("a time")
}

fn render(source: &str, event: &Value, escape: Escape) -> Result<String, String> {
    let nobody = json!({});
    let liquid = Liquid::parse(source, escape).map_err(|problem| problem.message)?;
    liquid.render(&Scope::new(&nobody, event, now())).map(|rendered| rendered.text).map_err(|error| error.to_string())
}

#[test]
fn nothing_runs_on_or_grows_without_end() {
    let long = "x".repeat(4_000);
    let chain = " | append: s".repeat(99);
    let hostile = [
        "{% assign s = 'aaaaaaaa' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}".to_owned(),
        "{% assign s = 'ab' %}{% for i in (1..60) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}"
            .to_owned(),
        "{% assign s = 'aa' %}{% for i in (1..40) %}{% assign s = s | replace: 'a', s %}{% endfor %}".to_owned(),
        "{% assign l = 'a,b' | split: ',' %}{% for i in (1..60) %}{% assign l = l | concat: l %}{% endfor %}"
            .to_owned(),
        format!("{{% assign s = '{long}' %}}{{% for i in (1..9999) %}}{{% assign t = s{chain} %}}{{% endfor %}}"),
        format!(
            "{{% assign s = '{long}' | split: '' %}}{{% for i in (1..9999) %}}{{% assign t = s | sort | join: '{long}' %}}{{% endfor %}}"
        ),
        format!("{{% for i in (1..9999) %}}{long}{{% endfor %}}"),
        "{% for a in (1..9999) %}{% for b in (1..9999) %}{% endfor %}{% endfor %}".to_owned(),
        "{% for a in (1..9000000000000000000) %}{% endfor %}".to_owned(),
        "{% tablerow a in (1..99999) cols: 1 %}{% endtablerow %}".to_owned(),
    ];
    for source in hostile {
        let begun = Instant::now();
        assert!(render(&source, &json!({}), Escape::Html).is_err(), "{}", &source[..80.min(source.len())]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", &source[..80.min(source.len())]);
    }
}

#[test]
fn sources_that_nest_or_repeat_are_read_in_time() {
    let openings = [
        "{% if a %}",
        "{{ a[",
        "{{ '",
        "{{ \"'",
        "{% comment %}",
        "{% raw %}",
        "{%",
        "{{",
        "{",
        "{% liquid if a\n",
        "{{ a }}",
    ];
    let closings = [" | upcase", " and a", "[0]", ".a", "[a[0]]", ", 1", "not "];
    for opening in openings {
        let begun = Instant::now();
        let _ = Liquid::parse(&opening.repeat(250_000 / opening.len()), Escape::JsonString);
        assert!(begun.elapsed() < Duration::from_secs(5), "{opening}");
    }
    for closing in closings {
        for begin in ["{{ a", "{% if a", "{% assign x = a", "{% case a %}{% when a"] {
            let begun = Instant::now();
            let source = format!("{begin}{}", closing.repeat(200_000 / closing.len()));
            let _ = Liquid::parse(&format!("{source} }}}}"), Escape::Html);
            let _ = Liquid::parse(&format!("{source} %}}"), Escape::Html);
            assert!(begun.elapsed() < Duration::from_secs(5), "{begin}{closing}");
        }
    }
    assert!(Liquid::parse(&"x".repeat(300_000), Escape::Html).is_err());
}

#[test]
fn mails_that_nest_or_repeat_are_compiled_or_refused_in_time() {
    let repeated = [
        "<div>",
        "<p>",
        "<b>",
        "<table>",
        "<a href=\"{{ x }}\">",
        "<!--",
        "<",
        "<a ",
        "{{ x }}",
        "{% if a %}",
        "> ",
        "- ",
        "  - ",
        "*",
        "[",
        "![",
        "`",
        "&amp;",
        "hwliquid0q",
        "<style>",
        "<mj-text>",
        "<mj-section>",
        "{% if a %}<br>{% endif %}",
        "https://x.example ",
        "<svg>",
        "\"",
        "<b></i>",
        "<div/>",
        "<mj-raw/>",
        "<b><i></b>",
        "<div><table></div>",
        "<div><table><tr><td></div></td></tr></table>",
        "<b id=\"{{ x }}\"><p></b>",
        "<p><b>",
        "> - ",
    ];
    for kind in [Kind::Html, Kind::Markdown, Kind::Mjml] {
        for part in repeated {
            let source = format!("---\nsubject: x\n---\n{}", part.repeat(40_000 / part.len()));
            let begun = Instant::now();
            let _ = Compiled::compile("t", &source, kind);
            assert!(begun.elapsed() < Duration::from_secs(10), "{kind:?} {part}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn only_what_the_author_vouches_for_is_printed_as_markup() {
    let event = json!({ "x": "<i>&\"'", "row": "<script>", "list": ["<b>"], "fields": { "<k>": "<v>" } });
    for (source, wanted) in [
        ("{{ x }}", "&lt;i&gt;&amp;&quot;&#39;"),
        ("{{ x | escape }}", "&lt;i&gt;&amp;&quot;&#39;"),
        ("{{ x | raw }}", "<i>&\"'"),
        ("{{ x | raw | upcase }}", "&lt;I&gt;&amp;&quot;&#39;"),
        ("{{ x | append: '<br>' }}", "&lt;i&gt;&amp;&quot;&#39;&lt;br&gt;"),
        ("{% cycle x, 'y' %}", "&lt;i&gt;&amp;&quot;&#39;"),
        ("{% echo x %}", "&lt;i&gt;&amp;&quot;&#39;"),
        ("{{ list }}{% for i in list %}{{ i }}{% endfor %}", "&lt;b&gt;&lt;b&gt;"),
        ("{{ fields }}", "{&quot;&lt;k&gt;&quot;:&quot;&lt;v&gt;&quot;}"),
        ("{{ x | json }}", "&quot;&lt;i&gt;&amp;\\&quot;&#39;&quot;"),
        ("{% capture row %}<b>{{ x }}</b>{% endcapture %}{{ row }}", "<b>&lt;i&gt;&amp;&quot;&#39;</b>"),
        ("{% if no %}{% capture row %}<b>{% endcapture %}{% endif %}{{ row }}", "&lt;script&gt;"),
        ("{% capture c %}<b>{% endcapture %}{% assign c = x %}{{ c }}", "&lt;i&gt;&amp;&quot;&#39;"),
        ("{{ 'a<\nb' | newline_to_br }}", "a&lt;<br />\nb"),
    ] {
        assert_eq!(render(source, &event, Escape::Html).as_deref(), Ok(wanted), "{source}");
    }
}

#[test]
fn a_value_is_never_read_as_a_template() {
    let event = json!({ "name": "{{ secret }}{% assign a = 1 %}", "secret": "s" });
    assert_eq!(render("{{ name }}", &event, Escape::None).as_deref(), Ok("{{ secret }}{% assign a = 1 %}"));
}

#[test]
fn a_header_is_one_line() {
    let event = json!({ "name": "Ada\r\nBcc: all@x.example\u{2028}\u{0}!" });
    assert_eq!(render("Hi\n {{ name }}", &event, Escape::Header).as_deref(), Ok("Hi Ada Bcc: all@x.example !"));
}

#[test]
fn json_values_are_written_where_values_are_due() {
    let event = json!({ "n": 5, "text": "a\"b", "digits": "72.5", "list": [1, "x"], "no": null, "leading": "007" });
    for (source, wanted) in [
        (r#"{"v": {{ n }}}"#, json!({ "v": 5 })),
        (r#"{"v": {{ text }}}"#, json!({ "v": "a\"b" })),
        (r#"{"v": {{ digits }}}"#, json!({ "v": 72.5 })),
        (r#"{"v": {{ leading }}}"#, json!({ "v": "007" })),
        (r#"{"v": {{ missing }}}"#, json!({ "v": null })),
        (r#"{"v": {{ list }}, "w": "{{ list }}"}"#, json!({ "v": [1, "x"], "w": "1x" })),
        (r#"{"v": {{ text | json }}, "w": "{{ text | json_escape }}"}"#, json!({ "v": "a\"b", "w": "a\"b" })),
        (r#"{"v": "\"{{ text }}\\"}"#, json!({ "v": "\"a\"b\\" })),
        (r#"{% capture c %}{{ text }}{% endcapture %}{"v": "{{ c }}"}"#, json!({ "v": "a\"b" })),
    ] {
        let body = render(source, &event, Escape::JsonString).expect(source);
        assert_eq!(serde_json::from_str::<Value>(&body).ok(), Some(wanted), "{source}: {body}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[<>\"'&\\\\\\n{}%|\\-0-9e.]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c<\"]{1,3}", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

/// Filters that take any value, in any order.
fn any_chain() -> impl Strategy<Value = String> {
    let filter = prop::sample::select(vec![
        "upcase",
        "downcase",
        "strip",
        "append: x",
        "prepend: '<'",
        "escape",
        "escape_once",
        "json",
        "url_encode",
        "join: x",
        "split: '<'",
        "first",
        "last",
        "sort",
        "reverse",
        "default: x",
        "truncate: 9",
        "newline_to_br",
        "strip_html",
        "size",
        "replace: 'a', x",
        "capitalize",
        "plus: 1",
        "money: 'EUR'",
        "date: x",
        "base64_encode",
        "url_decode",
        "json_escape",
        "slice: 0, 5",
        "uniq",
        "map: 'a'",
        "where: 'a', x",
        "compact",
        "concat: x",
        "number_with_delimiter",
        "sum",
        "round: 2",
    ]);
    prop::collection::vec(filter, 0..4)
        .prop_map(|filters| filters.iter().map(|filter| format!(" | {filter}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_value_opens_a_tag_or_ends_an_attribute(value in any_value(), chain in any_chain()) {
        let event = json!({ "x": value });
        let source = format!("\u{1}{{{{ x{chain} }}}}\u{1}");
        if let Ok(html) = render(&source, &event, Escape::Html) {
            let printed = html.replace("<br />", "");
            prop_assert!(!printed.contains(['<', '>', '"', '\'']), "{source}: {html}");
        }
    }

    #[test]
    fn a_json_document_stays_one(value in any_value(), chain in any_chain()) {
        let event = json!({ "x": value });
        let chain = chain.replace("json_escape", "strip").replace("json", "strip");
        let source = format!(
            "{{\"a\": \"-{{{{ x{chain} }}}}-\", \"b\": {{{{ x{chain} }}}}, \"c\": [{{% for i in x %}}{{{{ i{chain} }}}}, {{% endfor %}}0]}}"
        );
        if let Ok(body) = render(&source, &event, Escape::JsonString) {
            prop_assert!(serde_json::from_str::<Value>(&body).is_ok(), "{source}: {body}");
        }
    }

    #[test]
    fn a_header_has_no_line_break(value in any_value(), chain in any_chain()) {
        if let Ok(line) = render(&format!("Re: {{{{ x{chain} }}}}"), &json!({ "x": value }), Escape::Header) {
            prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused(source in "[{}%|a-c .:'\"\\[\\]()<=\\-0-9#\\n]{0,60}") {
        for escape in [Escape::Html, Escape::Text, Escape::JsonString] {
            let _ = render(&source, &json!({ "a": [1, { "b": "c" }], "b": "x" }), escape);
        }
    }

    #[test]
    fn any_tags_are_read_or_refused(parts in prop::collection::vec(prop::sample::select(vec![
        "{% if a %}", "{% elsif b %}", "{% else %}", "{% endif %}", "{% for i in a %}", "{% endfor %}", "{{ i }}", "{{- a -}}",
        "{% case b %}", "{% when 'x' %}", "{% endcase %}", "{% capture c %}", "{% endcapture %}", "{% break %}", " ", "text",
        "{% raw %}", "{% endraw %}", "{% comment %}", "{% endcomment %}", "{% liquid echo a\n assign x = 1 %}", "{% cycle a, b %}",
        "{% tablerow i in a cols: 2 %}", "{% endtablerow %}", "{% assign a = b | split: '' %}", "{% increment n %}", "<a href=\"", "\">",
    ]), 0..12)) {
        let source: String = parts.concat();
        for escape in [Escape::Html, Escape::Text, Escape::JsonString] {
            let _ = render(&source, &json!({ "a": [1, { "b": "c" }], "b": "x" }), escape);
        }
    }
}
