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
    let (html, _) = shield.lower(&html, |tag, out| out.push_str(tag));
    LAYOUT.replace("<!-- content -->", &html)
}
