//! Markdown to HTML, within a plain layout that reads well on a phone and in the dark.

use super::shield::{Language, Shield};

const LAYOUT: &str = include_str!("layout.html");

/// The whole document, with Liquid as it was.
pub fn to_html(body: &str) -> String {
    let (shield, text) = Shield::raise(body, Language::Markdown);
    let parser = pulldown_cmark::Parser::new_ext(
        &text,
        pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_STRIKETHROUGH,
    );
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, parser);
    let (html, _) = shield.lower(&without_paragraphs(&html, &shield), |tag, out| out.push_str(tag));
    LAYOUT.replace("<!-- content -->", &html)
}

/// A block tag alone in its paragraph is no paragraph.
fn without_paragraphs(html: &str, shield: &Shield) -> String {
    let mut out = String::with_capacity(html.len());
    for line in html.split_inclusive('\n') {
        let inner = line.trim_end().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
        match inner.filter(|inner| is_block_tag(inner, shield)) {
            Some(inner) => {
                out.push_str(inner);
                out.push('\n');
            }
            None => out.push_str(line),
        }
    }
    out
}

fn is_block_tag(text: &str, shield: &Shield) -> bool {
    let found = shield.next(text);
    found.is_some_and(|(from, to, number)| (from, to) == (0, text.len()) && shield.tag(number).starts_with("{%"))
}
